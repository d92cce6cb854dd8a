import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { blacklistOutstanding } from '../tokens/blacklist.ts';
import { SlidingToken } from '../tokens/classes.ts';
import { accessUntil, previewRevocation, revokeTokensOf } from '../tokens/mass-revocation.ts';
import { findOutstanding, type OutstandingView } from '../tokens/outstanding.ts';
import { own } from '../tokens/rules.ts';
import { findUserById } from '../users/users.ts';
import type { GuardedPage, Message, PageCall, PageView, Viewer } from './page.ts';
import { revocationData } from './revocation-view.ts';
import {
  BLACKLISTED_HREF,
  BLACKLISTED_VIEWERS,
  mayAny,
  noSuchToken,
  OUTSTANDING_HREF,
  OUTSTANDING_VIEWERS,
  REVOKERS,
  revokeUserHref,
  tokenCrumbs,
  tokenHref,
  tokensOfHref,
} from './token-links.ts';
import { mayViewUsers, noSuchUser, USERS_HREF, userHref } from './user-links.ts';

/** /admin/token_blacklist/outstandingtoken/1/revoke/: asks, and says what happens. */
export function tokenRevokePage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${OUTSTANDING_HREF}:id/revoke/`,
    access: REVOKERS,
    async get({ params, viewer, now }) {
      const token = await findOutstanding(db, Number(params.id), now);
      if (token === null) throw noSuchToken();
      return questionOf(settings, token, viewer, now);
    },
    async post({ params, viewer, origin, now }) {
      const id = Number(params.id);
      const token = await findOutstanding(db, id, now);
      if (token === null) throw noSuchToken();
      const done = await blacklistOutstanding(db, id, now, origin);
      if (done === 'gone') throw noSuchToken();
      return { redirect: wayBack(viewer, id), message: messageOf(token.jti, done) };
    },
  };
}

/** /admin/auth/user/1/revoke/: the same for all tokens of a user. */
export function userTokensRevokePage(db: Database, settings: Settings): GuardedPage {
  return {
    path: '/admin/auth/user/:id/revoke/',
    access: REVOKERS,
    get: (call) => questionOfUser(db, settings, call),
    async post({ params, viewer, origin, now }) {
      const user = await findUserById(db, Number(params.id));
      if (user === null) throw noSuchUser();
      const count = await revokeTokensOf(db, settings, [user.id], now, origin);
      const told = `${count.toLocaleString('en-US')} ${count === 1 ? 'token' : 'tokens'}`;
      const message: Message =
        count === 0
          ? { level: 'warning', text: `There was no live token of “${user.username}” left to revoke.` }
          : { level: 'success', text: `Successfully revoked ${told} of “${user.username}”.` };
      return { redirect: wayBackFromUser(viewer, user.id), message };
    },
  };
}

function questionOf(settings: Settings, token: OutstandingView, viewer: Viewer, now: Date): PageView {
  const { id, jti, user, payload, blacklistedAt } = token;
  const whose = user === null ? '' : ` of “${user.username}”`;
  const isSliding = payload !== null && own(payload, settings.TOKEN_TYPE_CLAIM) === SlidingToken.type;
  const preview = {
    refreshTokens: isSliding ? 0 : 1,
    slidingTokens: isSliding ? 1 : 0,
    accessUntil: accessUntil(settings, now, 'revocation of one'),
  };
  const isDead = blacklistedAt !== null;
  return {
    view: 'confirm',
    title: 'Revoke token',
    breadcrumbs: [...tokenCrumbs(viewer, token), { label: 'Revoke' }],
    data: {
      paragraphs: isDead
        ? [`The token ${jti}${whose} is on the blacklist already.`]
        : [`Are you sure you want to revoke the token ${jti}${whose}? It goes on the blacklist.`],
      ...(!isDead && { revocation: revocationData(preview) }),
      hidden: [],
      submit: isDead ? null : { label: 'Yes, revoke it', tone: 'danger' },
      backHref: wayBack(viewer, id),
    },
  };
}

async function questionOfUser(
  db: Database,
  settings: Settings,
  { params, viewer, now }: PageCall,
): Promise<PageView> {
  const user = await findUserById(db, Number(params.id));
  if (user === null) throw noSuchUser();
  const preview = await previewRevocation(db, settings, [user.id], now);
  const isNone = preview.refreshTokens + preview.slidingTokens === 0;
  return {
    view: 'confirm',
    title: 'Revoke all tokens of a user',
    breadcrumbs: [
      ...(mayViewUsers(viewer)
        ? [
            { label: 'Users', href: USERS_HREF },
            { label: user.username, href: userHref(user.id) },
          ]
        : []),
      { label: 'Revoke all tokens' },
    ],
    data: {
      paragraphs: isNone
        ? [`There is no live refresh token of “${user.username}”.`]
        : [
            `Are you sure you want to revoke all tokens of “${user.username}”? Whoever is logged in with one must log in again. The account stays as it is.`,
          ],
      revocation: revocationData(preview),
      action: revokeUserHref(user.id),
      hidden: [],
      submit: isNone ? null : { label: 'Yes, revoke them all', tone: 'danger' },
      backHref: wayBackFromUser(viewer, user.id),
    },
  };
}

function messageOf(jti: string, done: 'revoked' | 'already'): Message {
  return done === 'revoked'
    ? { level: 'success', text: `The token ${jti} was revoked.` }
    : { level: 'warning', text: `The token ${jti} was on the blacklist already. Nothing was changed.` };
}

/** Who may revoke need not be allowed to look at tokens. */
function wayBack(viewer: Viewer, id: number): string {
  if (mayAny(viewer, OUTSTANDING_VIEWERS)) return tokenHref(id);
  return mayAny(viewer, BLACKLISTED_VIEWERS) ? BLACKLISTED_HREF : '/admin/';
}

function wayBackFromUser(viewer: Viewer, userId: number): string {
  if (mayAny(viewer, OUTSTANDING_VIEWERS)) return tokensOfHref(userId);
  return mayViewUsers(viewer) ? userHref(userId) : '/admin/';
}
