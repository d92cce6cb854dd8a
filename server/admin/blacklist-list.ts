import type { Database } from '../../db/statement.ts';
import { countRevivable, restoreBlacklisted } from '../tokens/blacklist.ts';
import { type BlacklistedView, blacklistedByIds } from '../tokens/outstanding.ts';
import { BLACKLISTED_ORDERS, searchBlacklisted } from '../tokens/outstanding-search.ts';
import { readSelection, type Selection } from './bulk.ts';
import { type BulkAction, type List, listView } from './list.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';
import {
  BLACKLISTED_HREF,
  BLACKLISTED_VIEWERS,
  blacklistCrumbs,
  blacklistedHref,
  mayAny,
  noSuchEntry,
  RESTORERS,
  REVOKERS,
} from './token-links.ts';
import { TOKENS_PER_PAGE, userCell } from './tokens-list.ts';

const DELETE: BulkAction = { value: 'delete_selected', label: 'Delete selected blacklisted tokens' };

/** How many tokens a confirmation names; of more it says how many there are. */
const NAMED = 50;

/** /admin/token_blacklist/blacklistedtoken/: what was revoked, and what takes several off the list at once. */
export function blacklistListPage(db: Database): GuardedPage {
  return {
    path: BLACKLISTED_HREF,
    access: BLACKLISTED_VIEWERS,
    get: (call) => blacklistView(db, call),
    async post(call) {
      const selection = await readSelection(db, blacklist(db, call), actionsFor(call), call);
      return 'redirect' in selection ? selection : removeSelected(db, call, selection);
    },
  };
}

function blacklist(db: Database, { viewer, now }: PageCall): List<BlacklistedView> {
  return {
    table: 'token_blacklist_blacklistedtoken',
    nouns: ['blacklisted token', 'blacklisted tokens'],
    columns: [
      { label: 'Jti', cell: ({ id, token }) => ({ text: token.jti, href: `${id}/change/`, code: true }) },
      { label: 'User', cell: ({ token }) => userCell(token.user, viewer) },
      { label: 'Expires at', cell: ({ token }) => ({ time: token.expiresAt }) },
      {
        label: 'Blacklisted at',
        order: BLACKLISTED_ORDERS.blacklisted,
        cell: ({ blacklistedAt }) => ({ time: blacklistedAt }),
      },
      {
        label: 'If deleted',
        cell: ({ token }) =>
          token.isExpired ? { badge: 'Has expired', tone: 'neutral' } : { badge: 'Works again', tone: 'bad' },
      },
    ],
    defaultOrder: [{ by: BLACKLISTED_ORDERS.blacklisted, descending: true }],
    filters: [],
    search: {
      help: 'Token id (jti), username or user id',
      conditions: (words) => searchBlacklisted(db, words),
    },
    pageSize: TOKENS_PER_PAGE,
    load: (from, ids) => blacklistedByIds(from, ids, now),
  };
}

function actionsFor({ viewer }: PageCall): BulkAction[] {
  return mayAny(viewer, RESTORERS) ? [DELETE] : [];
}

async function blacklistView(db: Database, call: PageCall): Promise<PageView> {
  const mayAdd = mayAny(call.viewer, REVOKERS);
  return {
    view: 'list',
    title: 'Blacklisted tokens',
    breadcrumbs: [{ label: 'Blacklisted tokens' }],
    data: {
      list: await listView(db, blacklist(db, call), call.query),
      actions: actionsFor(call),
      tableClass: 'token-rows',
      headLinks: mayAdd ? [{ label: 'Add blacklisted token', href: `${BLACKLISTED_HREF}add/` }] : [],
      empty: mayAdd
        ? 'No token is on the blacklist. Add one by its id, or open an outstanding token and revoke it there.'
        : 'No token is on the blacklist.',
    },
  };
}

async function removeSelected(
  db: Database,
  { viewer, origin, now, request }: PageCall,
  { ids, isConfirmed, hidden }: Selection,
): Promise<PageResult> {
  if (isConfirmed) {
    const count = await restoreBlacklisted(db, ids, now, origin);
    const text = `Successfully deleted ${count.toLocaleString('en-US')} blacklisted ${count === 1 ? 'token' : 'tokens'}.`;
    return { redirect: BLACKLISTED_HREF, message: { level: 'success', text } };
  }
  const named = await blacklistedByIds(db, ids.slice(0, NAMED), now);
  if (named.length === 0) throw noSuchEntry();
  const rest = ids.length - NAMED;
  const items = named.map(({ id, token }) => ({ text: entryText(token), href: blacklistedHref(id) }));
  return {
    view: 'confirm',
    title: 'Delete multiple objects',
    breadcrumbs: [...blacklistCrumbs(viewer), { label: 'Delete multiple objects' }],
    data: {
      paragraphs: [
        'Are you sure you want to delete the selected blacklisted tokens?',
        revivalText(await countRevivable(db, ids, now), ids.length),
      ],
      lists: [
        {
          title: `Blacklisted tokens: ${ids.length.toLocaleString('en-US')}`,
          items,
          ...(rest > 0 && { more: `and ${rest.toLocaleString('en-US')} more` }),
        },
      ],
      hidden,
      submit: { label: 'Yes, I’m sure', tone: 'danger' },
      backHref: request.url,
    },
  };
}

function entryText({ jti, user, isExpired }: BlacklistedView['token']): string {
  const whose = user === null ? '' : ` of ${user.username}`;
  return `${jti}${whose}${isExpired ? ' (expired)' : ''}`;
}

function revivalText(revivable: number, all: number): string {
  const again = 'can use it again, from the next request on until it expires.';
  if (all === 1) {
    return revivable === 0
      ? 'It has expired, so it stays refused.'
      : `It has not expired: whoever has it ${again}`;
  }
  if (revivable === 0) return 'All of them have expired: none works again.';
  const count = `${revivable.toLocaleString('en-US')} of them ${revivable === 1 ? 'has' : 'have'} not expired`;
  return `${revivable === all ? 'None of them has expired' : count}: whoever has such a token ${again}`;
}
