import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { type KeyView, listKeys } from '../tokens/keys/key-list.ts';
import { countText, keyName } from '../tokens/keys/key-words.ts';
import { addStandby, restoreKey, rotateKeys, undoRotation } from '../tokens/keys/ring-changes.ts';
import { changeOf, doneOrRefused, KEYS_HREF, keyHref } from './key-links.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';

const TITLE = 'Signing keys';

const TONES = {
  active: 'good',
  standby: 'neutral',
  retiring: 'neutral',
  retired: 'neutral',
  withdrawn: 'bad',
} as const satisfies Record<KeyView['state'], string>;

/** /admin/keys/: the keys that sign tokens, what hangs on each, and what can be done about them. */
export function keysPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: KEYS_HREF,
    access: 'superuser',
    async get({ now }) {
      const list = settings.KEY_RING ? await listKeys(db, now) : null;
      if (list === null) return withoutRing(settings);
      return {
        view: 'keys',
        title: TITLE,
        breadcrumbs: [{ label: TITLE }],
        data: {
          version: list.version,
          canUndo: list.canUndo,
          rows: list.keys.map(rowOf),
          isPublic: list.keys.some(({ algorithm, kid }) => kid !== '' && !algorithm.startsWith('HS')),
          interval: settings.KEY_ROTATION_INTERVAL > 0,
        },
      };
    },
    post: (call) => act(db, settings, call),
  };
}

/** What the buttons of the page do, by the value they send. */
function act(db: Database, settings: Settings, call: PageCall): Promise<PageResult> {
  const change = changeOf(call);
  const done = (work: () => Promise<void>, text: string) => doneOrRefused(settings, work, text);
  switch (call.form.get('action')) {
    case 'rotate':
      return done(
        () => rotateKeys(db, settings, change),
        'The next key signs now. The last one goes on verifying.',
      );
    case 'undo':
      return done(() => undoRotation(db, settings, change), 'The last key signs again.');
    case 'standby':
      return done(() => addStandby(db, settings, change), 'One more key stands by.');
    case 'restore':
      return done(
        () => restoreKey(db, settings, Number(call.form.get('key')), change),
        'The key verifies again until its tokens have expired.',
      );
    default:
      return done(async () => {}, 'Nothing was chosen, and nothing was changed.');
  }
}

function rowOf(key: KeyView) {
  const isOver = key.state === 'retired' || key.state === 'withdrawn';
  return {
    ...key,
    tone: TONES[key.state],
    live: isOver || key.state === 'standby' ? '–' : countText(key.live),
    name: keyName(key),
    since: sinceOf(key),
    safeFrom: key.state === 'standby' ? null : key.safeFrom,
    retireHref: key.state === 'retiring' ? keyHref(key.id, 'retire') : null,
    withdrawHref: key.state === 'withdrawn' ? null : keyHref(key.id, 'withdraw'),
  };
}

/** From when a key has been in its state, where that is not from the beginning. */
function sinceOf({ state, activatedAt, retiringAt, retiredAt, withdrawnAt }: KeyView): Date | null {
  const times = { standby: null, active: activatedAt, retiring: retiringAt, retired: retiredAt };
  return state === 'withdrawn' ? withdrawnAt : times[state];
}

/** What there is to know where the keys are not the server's to change. */
function withoutRing({ ALGORITHM, SIGNING_KEY, SECRET_KEY }: Settings): PageView {
  const key = SIGNING_KEY === null ? null : SIGNING_KEY === SECRET_KEY ? 'SECRET_KEY' : 'SIGNING_KEY';
  return {
    view: 'text',
    title: TITLE,
    breadcrumbs: [{ label: TITLE }],
    data: {
      paragraphs: [
        key === null
          ? 'This server verifies tokens and signs none, so it has no keys to change.'
          : `Tokens are signed with ${key} (${ALGORITHM}), as in Django. Whoever changes it logs everybody out.`,
        'With a key ring the server makes its signing keys itself and keeps them in the database, encrypted under ' +
          'SECRET_KEY. They can then be changed without anyone being logged out, also by themselves, and a key that ' +
          'was stolen can be withdrawn at once. Switching it on logs nobody out either. Set this and restart:',
      ],
      command: 'KEY_RING=true',
    },
  };
}
