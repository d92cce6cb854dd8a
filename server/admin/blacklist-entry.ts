import type { Database } from '../../db/statement.ts';
import { restoreBlacklisted } from '../tokens/blacklist.ts';
import { type BlacklistedView, blacklistedByIds } from '../tokens/outstanding.ts';
import type { GuardedPage, PageCall, Viewer } from './page.ts';
import {
  BLACKLISTED_HREF,
  BLACKLISTED_VIEWERS,
  blacklistCrumbs,
  blacklistedHref,
  mayAny,
  noSuchEntry,
  OUTSTANDING_VIEWERS,
  RESTORERS,
  tokenHref,
} from './token-links.ts';
import { userCell } from './tokens-list.ts';

/** /admin/token_blacklist/blacklistedtoken/1/change/: to look at; there is nothing in an entry to change. */
export function blacklistEntryPage(db: Database): GuardedPage {
  return {
    path: `${BLACKLISTED_HREF}:id/change/`,
    access: BLACKLISTED_VIEWERS,
    async get(call) {
      const { viewer } = call;
      const entry = await findEntry(db, call);
      const maySeeToken = mayAny(viewer, OUTSTANDING_VIEWERS);
      const { jti, id } = entry.token;
      return {
        view: 'blacklisted',
        title: 'View blacklisted token',
        breadcrumbs: [...blacklistCrumbs(viewer), { label: jti }],
        data: {
          entry,
          token: maySeeToken ? { text: jti, href: tokenHref(id), code: true } : { text: jti, code: true },
          user: userCell(entry.token.user, viewer),
          tools: maySeeToken ? [{ label: 'History', href: tokenHref(id, 'history') }] : [],
          deleteHref: mayAny(viewer, RESTORERS) ? blacklistedHref(entry.id, 'delete') : null,
        },
      };
    },
  };
}

/** /admin/token_blacklist/blacklistedtoken/1/delete/: asks, and warns that the token works again. */
export function blacklistDeletePage(db: Database): GuardedPage {
  return {
    path: `${BLACKLISTED_HREF}:id/delete/`,
    access: RESTORERS,
    async get(call) {
      const entry = await findEntry(db, call);
      return {
        view: 'confirm',
        title: 'Delete blacklisted token',
        breadcrumbs: [...blacklistCrumbs(call.viewer, entry), { label: 'Delete' }],
        data: {
          paragraphs: [
            `Are you sure you want to delete the blacklisted token ${entry.token.jti}${whose(entry)}?`,
            ...(entry.token.isExpired ? ['It has expired, so it stays refused.'] : []),
          ],
          worksAgainUntil: entry.token.isExpired ? null : entry.token.expiresAt,
          hidden: [],
          submit: { label: 'Yes, I’m sure', tone: 'danger' },
          backHref: backHref(call.viewer, entry.id),
        },
      };
    },
    async post(call) {
      const entry = await findEntry(db, call);
      const count = await restoreBlacklisted(db, [entry.id], call.now, call.origin);
      if (count === 0) throw noSuchEntry();
      const text = `The blacklisted token ${entry.token.jti} was deleted successfully.`;
      return {
        redirect: mayAny(call.viewer, BLACKLISTED_VIEWERS) ? BLACKLISTED_HREF : '/admin/',
        message: { level: 'success', text },
      };
    },
  };
}

async function findEntry(db: Database, { params, now }: PageCall): Promise<BlacklistedView> {
  const [entry] = await blacklistedByIds(db, [Number(params.id)], now);
  if (entry === undefined) throw noSuchEntry();
  return entry;
}

function whose({ token: { user } }: BlacklistedView): string {
  return user === null ? '' : ` of “${user.username}”`;
}

function backHref(viewer: Viewer, id: number): string {
  return mayAny(viewer, BLACKLISTED_VIEWERS) ? blacklistedHref(id) : '/admin/';
}
