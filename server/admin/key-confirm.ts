import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { findKey, type KeyView, listKeys } from '../tokens/keys/key-list.ts';
import { countText, keyName } from '../tokens/keys/key-words.ts';
import { retireKey, withdrawKey } from '../tokens/keys/ring-changes.ts';
import { changeOf, doneOrRefused, KEYS_HREF, noSuchKey } from './key-links.ts';
import type { GuardedPage, PageCall, PageView } from './page.ts';

/** /admin/keys/1/retire/: asks, as tokens of the key may be alive. */
export function keyRetirePage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${KEYS_HREF}:id/retire/`,
    access: 'superuser',
    get: (call) => question(db, settings, call, 'Retire', retireTexts),
    post: (call) =>
      doneOrRefused(
        settings,
        () => retireKey(db, settings, Number(call.params.id), changeOf(call)),
        'The key was retired. It can be restored while some of its tokens would still be alive.',
      ),
  };
}

/** /admin/keys/1/withdraw/: asks, and says what dies. */
export function keyWithdrawPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${KEYS_HREF}:id/withdraw/`,
    access: 'superuser',
    get: (call) => question(db, settings, call, 'Withdraw', withdrawTexts),
    post: (call) =>
      doneOrRefused(
        settings,
        () => withdrawKey(db, settings, Number(call.params.id), changeOf(call)),
        'The key was withdrawn. Its tokens are refused from now on.',
      ),
  };
}

/** @throws AppError `not_found` */
async function question(
  db: Database,
  settings: Settings,
  { params, now }: PageCall,
  verb: 'Retire' | 'Withdraw',
  textsOf: (key: KeyView) => string[],
): Promise<PageView> {
  const list = settings.KEY_RING ? await listKeys(db, now) : null;
  const key = list === null ? null : await findKey(db, Number(params.id), now);
  if (list === null || key === null) throw noSuchKey();
  return {
    view: 'confirm',
    title: `${verb} ${keyName(key)}`,
    breadcrumbs: [{ label: 'Signing keys', href: KEYS_HREF }, { label: verb }],
    data: {
      paragraphs: textsOf(key),
      hidden: [['version', String(list.version)]],
      submit: { label: `Yes, ${verb.toLowerCase()} it`, tone: 'danger' },
      backHref: KEYS_HREF,
    },
  };
}

function retireTexts(key: KeyView): string[] {
  return [
    `${hangOn(key)} From the next request on, all that it signed is refused, access tokens too: whoever holds one must ` +
      'log in again.',
    'If you wait, nobody has to: the key retires by itself when the last of its tokens has expired.',
    'Until then it can be restored.',
  ];
}

function withdrawTexts(key: KeyView): string[] {
  return [
    `${hangOn(key)} All that it signed dies with it, at once and on every instance, and access tokens die before their ` +
      'time. Whoever holds one must log in again.',
    ...(key.state === 'active' ? ['It is the key that signs now: the next one takes over from it.'] : []),
    'This cannot be undone. It is for a key that somebody else may have: to change keys as a matter of course, rotate.',
  ];
}

function hangOn(key: KeyView): string {
  const { total, isMore } = key.live;
  const name = keyName(key);
  if (total === 0 && !isMore) return `No live refresh or sliding token hangs on ${name}.`;
  if (total === 1 && !isMore) return `1 live refresh or sliding token hangs on ${name}.`;
  const count = countText(key.live);
  return `${count.charAt(0).toUpperCase()}${count.slice(1)} live refresh and sliding tokens hang on ${name}.`;
}
