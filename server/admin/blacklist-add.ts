import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { MAX_TOKEN_LENGTH, parseCompact } from '../tokens/compact.ts';
import { findOutstanding, findOutstandingByJti } from '../tokens/outstanding.ts';
import { own } from '../tokens/rules.ts';
import { fieldViews, readForm, type TextField } from './form.ts';
import type { GuardedPage, PageView, Viewer } from './page.ts';
import { BLACKLISTED_HREF, blacklistCrumbs, REVOKERS, tokenHref } from './token-links.ts';

const FIELDS: readonly TextField[] = [
  {
    kind: 'text',
    name: 'jti',
    label: 'Token',
    required: true,
    maxLength: MAX_TOKEN_LENGTH,
    autofocus: true,
    help: [
      'The id of a refresh or sliding token, which stands in its jti claim, or the whole token. It is looked up among the outstanding tokens.',
    ],
  },
];

/**
 * /admin/token_blacklist/blacklistedtoken/add/: finds the token that is to be revoked and leads on to the page that
 * says what happens then. `?token=1` fills in the id of an outstanding token.
 */
export function blacklistAddPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${BLACKLISTED_HREF}add/`,
    access: REVOKERS,
    async get({ query, viewer, now }) {
      const id = query.get('token') ?? '';
      const token = /^[1-9]\d{0,14}$/.test(id) ? await findOutstanding(db, Number(id), now) : null;
      return addView(viewer, token?.jti ?? '');
    },
    async post({ form, viewer, now }) {
      const { values, errors } = readForm(FIELDS, form);
      const entered = values.jti as string;
      if (errors.jti !== undefined) return addView(viewer, '', errors.jti);
      const jti = jtiIn(settings, entered);
      const token = await findOutstandingByJti(db, jti, now);
      if (token === null) return addView(viewer, jti, [NO_SUCH_TOKEN]);
      if (token.state === 'blacklisted') return addView(viewer, jti, [ON_IT_ALREADY]);
      return { redirect: tokenHref(token.id, 'revoke') };
    },
  };
}

const NO_SUCH_TOKEN =
  'No outstanding token has this id. It is to the letter; an access token has none, and the record of an expired token may have been flushed.';

const ON_IT_ALREADY = 'Blacklisted token with this Token already exists.';

/** The id that a token says of itself; whatever is no token is taken for an id. */
function jtiIn(settings: Settings, entered: string): string {
  try {
    const jti = own(parseCompact(entered).payload, settings.JTI_CLAIM);
    return typeof jti === 'string' ? jti : '';
  } catch {
    return entered;
  }
}

function addView(viewer: Viewer, jti: string, complaints: readonly string[] = []): PageView {
  return {
    view: 'form',
    title: 'Add blacklisted token',
    breadcrumbs: [...blacklistCrumbs(viewer), { label: 'Add blacklisted token' }],
    data: {
      intro: 'Nothing is revoked yet: the next page says what happens, and asks.',
      fieldsets: [{ views: fieldViews(FIELDS, { jti }, { errors: { jti: complaints } }) }],
      submits: [{ label: 'Continue' }],
    },
  };
}
