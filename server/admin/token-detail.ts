import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { SlidingToken } from '../tokens/classes.ts';
import type { Claims } from '../tokens/compact.ts';
import { distanceInWords, type Explained, explainClaims, explainHeader } from '../tokens/inspect.ts';
import { findOutstanding, type OutstandingView } from '../tokens/outstanding.ts';
import { REFRESH_REFUSALS, requireOwner } from '../tokens/owner.ts';
import { own } from '../tokens/rules.ts';
import { reasonText } from './event-reasons.ts';
import { objectHistoryView } from './object-history.ts';
import type { GuardedPage, Viewer } from './page.ts';
import {
  blacklistedHref,
  mayAny,
  noSuchToken,
  OUTSTANDING_HREF,
  OUTSTANDING_VIEWERS,
  RESTORERS,
  REVOKERS,
  revokeUserHref,
  tokenCrumbs,
  tokenHref,
  tokensOfHref,
} from './token-links.ts';
import { userCell } from './tokens-list.ts';

/** How much is shown of the claim that changes with the password, in characters. */
const MARK_SHOWN = 6;

/** /admin/token_blacklist/outstandingtoken/1/change/: to look at alone, as in Django's admin. */
export function tokenDetailPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${OUTSTANDING_HREF}:id/change/`,
    access: OUTSTANDING_VIEWERS,
    async get({ params, viewer, now }) {
      const token = await findOutstanding(db, Number(params.id), now);
      if (token === null) throw noSuchToken();
      const seconds = now.getTime() / 1000;
      return {
        view: 'token',
        title: 'View outstanding token',
        breadcrumbs: [...tokenCrumbs(viewer), { label: token.jti }],
        data: {
          token,
          user: userCell(token.user, viewer),
          expires: distanceInWords(token.expiresAt.getTime() / 1000 - seconds),
          refusal: token.state === 'alive' ? await refusalOf(db, settings, token.payload) : null,
          header: token.header && explainHeader(token.header),
          claims: token.payload && withoutMark(settings, explainClaims(settings, token.payload, seconds)),
          links: linksFor(settings, token, viewer, now),
          tools: [{ label: 'History', href: tokenHref(token.id, 'history') }],
        },
      };
    },
  };
}

/** /admin/token_blacklist/outstandingtoken/1/history/ */
export function tokenHistoryPage(db: Database): GuardedPage {
  return {
    path: `${OUTSTANDING_HREF}:id/history/`,
    access: OUTSTANDING_VIEWERS,
    async get({ params, viewer, now }) {
      const token = await findOutstanding(db, Number(params.id), now);
      if (token === null) throw noSuchToken();
      const object = {
        type: 'outstandingtoken',
        // A token that is revoked over the API is called by its jti.
        ids: [String(token.id), token.jti],
        name: token.jti,
        href: tokenHref(token.id),
        breadcrumbs: tokenCrumbs(viewer),
      } as const;
      return objectHistoryView(db, object, viewer);
    },
  };
}

/** Why a token would be refused although it is in its time and not on the blacklist; null where it would not. */
async function refusalOf(db: Database, settings: Settings, claims: Claims | null): Promise<string | null> {
  if (claims === null) return 'what is recorded is no token';
  if (!own(claims, settings.USER_ID_CLAIM)) return null;
  try {
    await requireOwner(db, settings, claims, REFRESH_REFUSALS);
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return reasonText(error.code);
  }
}

/** A hash of the password's hash is nobody's business, though no one could log in with it. */
function withoutMark({ REVOKE_TOKEN_CLAIM }: Settings, claims: readonly Explained[]): Explained[] {
  return claims.map((claim) =>
    claim.name === REVOKE_TOKEN_CLAIM ? { ...claim, value: `${claim.value.slice(0, MARK_SHOWN)}…` } : claim,
  );
}

function linksFor(settings: Settings, token: OutstandingView, viewer: Viewer, now: Date) {
  const { id, user, blacklistedId } = token;
  const mayRevoke = mayAny(viewer, REVOKERS);
  const links = [];
  if (blacklistedId === null && mayRevoke && mayStillPass(settings, token, now)) {
    links.push({ label: 'Revoke this token', href: tokenHref(id, 'revoke'), tone: 'danger' });
  }
  if (blacklistedId !== null && mayAny(viewer, RESTORERS)) {
    links.push({
      label: 'Remove from the blacklist',
      href: blacklistedHref(blacklistedId, 'delete'),
      tone: 'danger',
    });
  }
  if (user !== null) {
    links.push({ label: `All tokens of ${user.username}`, href: tokensOfHref(user.id), tone: 'quiet' });
    if (mayRevoke) {
      links.push({
        label: `Revoke all tokens of ${user.username}`,
        href: revokeUserHref(user.id),
        tone: 'quiet',
      });
    }
  }
  return links;
}

/** LEEWAY lets a token pass a little longer; the record of a sliding one that Django made ends with its first term. */
function mayStillPass(settings: Settings, { expiresAt, payload }: OutstandingView, now: Date): boolean {
  const isSliding = payload !== null && own(payload, settings.TOKEN_TYPE_CLAIM) === SlidingToken.type;
  return isSliding || expiresAt.getTime() + settings.LEEWAY * 1000 > now.getTime();
}
