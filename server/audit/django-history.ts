import type { Database } from '../../db/statement.ts';
import { fromSqlTime } from '../../db/values.ts';
import { APP_LABELS } from './django-log.ts';

/** A row of Django's own log that Django wrote: what, but not what it was before, nor from where. */
export interface DjangoLogView {
  at: Date;
  actor: { id: number; name: string };
  /** As Django's `LogEntry.get_change_message`. */
  message: string;
}

/**
 * What Django's log alone knows of an object, newest first. What we wrote into it ourselves is left out while the
 * history has it too.
 */
export async function djangoHistory(
  db: Database,
  type: keyof typeof APP_LABELS,
  id: string,
  limit: number,
): Promise<DjangoLogView[]> {
  const rows = await db
    .selectFrom('django_admin_log as log')
    .innerJoin('django_content_type as type', 'type.id', 'log.content_type_id')
    .innerJoin('auth_user', 'auth_user.id', 'log.user_id')
    .select(['log.action_time', 'log.action_flag', 'log.change_message'])
    .select(['auth_user.id', 'auth_user.username'])
    .where('type.app_label', '=', APP_LABELS[type])
    .where('type.model', '=', type)
    .where('log.object_id', '=', id)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('jotgate_event as event')
            .select('event.id')
            .where('event.object_type', '=', type)
            .whereRef('event.object_id', '=', 'log.object_id')
            .whereRef('event.at', '=', 'log.action_time')
            .whereRef('event.actor_id', '=', 'log.user_id'),
        ),
      ),
    )
    .orderBy('log.action_time', 'desc')
    .orderBy('log.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    at: fromSqlTime(row.action_time),
    actor: { id: row.id, name: row.username },
    message: row.action_flag === 3 ? 'Deleted.' : changeText(row.change_message),
  }));
}

interface Part {
  name?: unknown;
  object?: unknown;
  fields?: unknown;
}

/** A change message in Django's words. One that is none of its JSON is in words already. */
export function changeText(message: string): string {
  const parts = partsOf(message);
  if (parts === null) return message;
  return parts.map(([action, part]) => partText(action, part)).join(' ') || 'No fields changed.';
}

function partsOf(message: string): [string, Part][] | null {
  if (!message.startsWith('[')) return message === '' ? [] : null;
  try {
    const list = JSON.parse(message) as Record<string, Part | null>[];
    const parts = list.flatMap((one) => Object.entries(one));
    return parts.every(([, part]) => part !== null) ? (parts as [string, Part][]) : null;
  } catch {
    return null;
  }
}

function partText(action: string, { name, object, fields }: Part): string {
  const inline = name === undefined ? '' : `${name} “${object}”`;
  switch (action) {
    case 'added':
      return inline === '' ? 'Added.' : `Added ${inline}.`;
    case 'changed':
      return `Changed ${textList(fields)}${inline === '' ? '' : ` for ${inline}`}.`;
    case 'deleted':
      return `Deleted ${inline}.`;
    default:
      return '';
  }
}

/** As `django.utils.text.get_text_list`: "a, b and c". */
function textList(fields: unknown): string {
  const texts = Array.isArray(fields) ? fields.map(String) : [];
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}
