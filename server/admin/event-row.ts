import type { Database } from '../../db/statement.ts';
import type { EventView } from '../audit/events.ts';
import type { Change } from '../audit/record.ts';
import { deviceName } from '../sessions/device.ts';

import { reasonText } from './event-reasons.ts';
import { mayView } from './navigation.ts';
import type { Viewer } from './page.ts';

/** A name, and where it leads while what it names is there and the viewer may see it. */
export interface Named {
  text: string;
  href?: string;
  code?: true;
}

/** A change in words: “Ad” → “Ada”. */
export interface ChangeText {
  field: string;
  text: string;
}

/** An event as pages show it. */
export interface EventRow {
  id: number;
  at: Date;
  label: string;
  tone: EventView['tone'];
  /** How often, where it was more than once. */
  times: string;
  /** Null where nobody was logged in. */
  who: Named | null;
  about: Named | null;
  reason: string;
  changes: ChangeText[];
  /** How many changes more there are than are shown. */
  more: number;
  from: string;
}

/** How many changes a row shows, and how many characters of each value and of a token's id. */
export interface Shown {
  changes: number;
  characters: number;
  jti: number;
}

/** A list has a hundred rows and is short of room. */
const IN_LISTS: Shown = { changes: 3, characters: 24, jti: 16 };

const WAYS: Readonly<Record<string, string>> = { api: 'API', admin: 'Admin', command: 'Command line' };

/** Events as rows, with links to what is still there and the viewer may see. */
export async function eventRows(
  db: Database,
  events: readonly EventView[],
  viewer: Viewer,
  shown = IN_LISTS,
): Promise<EventRow[]> {
  const links = await linksOf(db, events, viewer);
  return events.map((event) => {
    const changes = changesOf(event);
    return {
      id: event.id,
      at: event.at,
      label: event.label,
      tone: event.tone,
      times: timesText(event),
      who: event.actor && links.named('user', event.actor.id, event.actor.name),
      about: event.object && aboutOf(event.object, links, shown.jti),
      reason: reasonText(event.reason),
      changes: changes.slice(0, shown.changes).map((change) => changeText(change, shown.characters)),
      more: Math.max(0, changes.length - shown.changes),
      from: placeText(event),
    };
  });
}

/** What there is to say of an event field by field. That a password was changed its name says already. */
function changesOf({ kind, changes }: EventView): readonly Change[] {
  return kind === 'password_changed' ? [] : changes;
}

/** By which way, from which address and with which program. */
function placeText({ via, address, userAgent }: EventView): string {
  return [wayText(via), address, deviceName(userAgent)].filter((part) => part !== '').join(', ');
}

export function wayText(via: string): string {
  return WAYS[via] ?? via;
}

function timesText({ kind, count }: EventView): string {
  if (count === 1 && kind !== 'tokens_revoked') return '';
  const number = count.toLocaleString('en-US');
  return kind === 'tokens_revoked' ? `${number} ${count === 1 ? 'token' : 'tokens'}` : `×${number}`;
}

/** A change in words. Of a longer value as many characters as given are shown. */
function changeText({ field, before, after }: Change, longest: number): ChangeText {
  if (before === after) return { field, text: 'changed' };
  const quoted = (value: string | null) => {
    if (value === null || value === '') return 'empty';
    return `“${value.length > longest ? `${value.slice(0, longest).toWellFormed()}…` : value}”`;
  };
  return { field, text: before === null ? quoted(after) : `${quoted(before)} → ${quoted(after)}` };
}

const NONE: ReadonlySet<number> = new Set();

interface Links {
  named(type: 'user' | 'group', id: number | null, name: string): Named;
  tokens: boolean;
}

function aboutOf({ type, id, name }: NonNullable<EventView['object']>, links: Links, longest: number): Named {
  if (type === 'user' || type === 'group') return links.named(type, Number(id), name);
  const text = name.length > longest ? `${name.slice(0, longest)}…` : name || id;
  if (type !== 'outstandingtoken' || !links.tokens) return { text, code: true };
  const query = new URLSearchParams({ q: name });
  return { text, code: true, href: `/admin/token_blacklist/outstandingtoken/?${query}` };
}

/** Asks which users and groups there still are: a link to one that is gone leads nowhere. */
async function linksOf(db: Database, events: readonly EventView[], viewer: Viewer): Promise<Links> {
  const idsOf = (type: string) =>
    events.flatMap(({ object }) => (object?.type === type ? Number(object.id) : []));
  const actors = events.flatMap(({ actor }) => actor?.id ?? []);
  const sees = (href: string) => mayView(viewer, href);
  const there = {
    user: sees('/admin/auth/user/') ? await existing(db, 'auth_user', [...actors, ...idsOf('user')]) : NONE,
    group: sees('/admin/auth/group/') ? await existing(db, 'auth_group', idsOf('group')) : NONE,
  };
  return {
    named: (type, id, name) => {
      const text = name || `${type} ${id}`;
      return id !== null && there[type].has(id)
        ? { text, href: `/admin/auth/${type}/${id}/change/` }
        : { text };
    },
    tokens: sees('/admin/token_blacklist/outstandingtoken/'),
  };
}

async function existing(
  db: Database,
  table: 'auth_user' | 'auth_group',
  ids: readonly number[],
): Promise<Set<number>> {
  const wanted = [...new Set(ids.filter(Number.isSafeInteger))];
  if (wanted.length === 0) return new Set();
  const rows = await db.selectFrom(table).select('id').where('id', 'in', wanted).execute();
  return new Set(rows.map(({ id }) => id));
}
