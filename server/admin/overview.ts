import type { FastifyRequest } from 'fastify';
import type { Database } from '../../db/statement.ts';
import { dailyCounts, dailyRefusedLogins, recentChangesBy } from '../audit/events.ts';
import type { Settings } from '../settings.ts';
import { countAlive } from '../tokens/alive-count.ts';
import { countUsers } from '../users/user-count.ts';
import { type Attention, risingRefusals, weakSettings } from './attention.ts';
import { dailyChart } from './chart.ts';
import { eventRows } from './event-row.ts';
import { HISTORY_HREF } from './history-list.ts';
import { countText } from './list.ts';
import { mayView, type Section, sectionsFor } from './navigation.ts';
import type { GuardedPage, PageCall, Viewer } from './page.ts';

/** How many days the chart has, today's with it. */
const DAYS = 14;

/** How many of the viewer's own actions are listed, as Django does. */
const RECENT = 10;

const USERS_HREF = '/admin/auth/user/';
const TOKENS_HREF = '/admin/token_blacklist/outstandingtoken/';

/** A number at the head of the page, and the list it counts. */
interface Figure {
  count: string;
  href: string;
}

/** /admin/: Django's index, and what needs attention. Everybody is shown what he may see. */
export function overviewPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: '/admin/',
    access: 'staff',
    async get(call) {
      const { viewer, now } = call;
      const days = mayView(viewer, HISTORY_HREF) ? await dailyCounts(db, DAYS, now) : null;
      return {
        view: 'overview',
        title: 'Site administration',
        breadcrumbs: [],
        data: {
          attention: await findAttention(db, settings, call),
          figures: await figuresFor(db, call),
          days,
          chart: days === null ? null : dailyChart(days),
          recent: await eventRows(db, await recentChangesBy(db, viewer.user.id, RECENT), viewer),
          apps: appsFor(viewer),
        },
      };
    },
  };
}

/** Null for one who is not told: settings are the superuser's affair, log-ins that of who may see the history. */
async function findAttention(
  db: Database,
  settings: Settings,
  { viewer, now, request }: PageCall,
): Promise<Attention[] | null> {
  const isSuperuser = viewer.user.is_superuser === 1;
  const seesHistory = mayView(viewer, HISTORY_HREF);
  if (!isSuperuser && !seesHistory) return null;
  const refusedLogins = seesHistory ? await dailyRefusedLogins(db, DAYS, now) : [];
  const isEncrypted = request.protocol === 'https';
  const facts = { settings, isEncrypted, isLocal: isLocal(request), refusedLogins };
  const rising = risingRefusals(refusedLogins);
  return [...(rising === null ? [] : [rising]), ...(isSuperuser ? weakSettings(facts) : [])];
}

/** Whether it was asked for by a name that only this machine has for itself. */
function isLocal({ hostname }: FastifyRequest): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(hostname);
}

async function figuresFor(db: Database, { viewer, now }: PageCall): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (mayView(viewer, USERS_HREF)) {
    figures.push({ count: countText(['user', 'users'], await countUsers(db)), href: USERS_HREF });
  }
  if (mayView(viewer, TOKENS_HREF)) {
    const count = countText(['live token', 'live tokens'], await countAlive(db, now));
    figures.push({ count, href: `${TOKENS_HREF}?state=alive` });
  }
  return figures;
}

/** Django's app list: each list under its app, with what the viewer may do there. */
function appsFor(viewer: Viewer) {
  const sections = sectionsFor(viewer);
  const names = [...new Set(sections.map(({ app }) => app))];
  return names.map((name) => ({
    name,
    models: sections.filter(({ app }) => app === name).map((section) => modelFor(section, viewer)),
  }));
}

function modelFor({ label, href, viewedBy, isForSuperusers, add }: Section, { permissions }: Viewer) {
  // Tokens are looked at; what can be done with them is no change of theirs.
  const mayChange =
    isForSuperusers || viewedBy.some((key) => key.startsWith('auth.change_') && permissions.has(key));
  return {
    label,
    href,
    verb: mayChange ? 'Change' : 'View',
    addHref: add !== undefined && permissions.has(add.permission) ? add.href : null,
  };
}
