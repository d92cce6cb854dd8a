import type { FileRecord } from './file-record.ts';

/** What a record says, by the names it has for it. */
export type Fields = ReadonlyMap<string, unknown>;

/** The models of Django that users are made of. */
const MODELS = {
  'auth.user': 'user',
  'auth.group': 'group',
  'auth.permission': 'permission',
  'contenttypes.contenttype': 'contenttype',
} as const;

type ModelName = keyof typeof MODELS;

/** A record as what it means. */
export type Entry =
  | {
      type: (typeof MODELS)[ModelName];
      place: string;
      id: unknown;
      fields: Fields;
      /** From a dump of Django's, so that what it says is what a database held. */
      isDump: boolean;
    }
  | { type: 'other'; model: string }
  | { type: 'refused'; place: string; problem: string };

export type UserEntry = Extract<Entry, { isDump: boolean }>;

/**
 * Tells records of Django's serializers, `{"model": …, "pk": …, "fields": {…}}`, from plain ones of users: those have
 * the names of the fields beside one another, and `id`, or `pk`.
 */
export function entryOf(record: FileRecord): Entry {
  const { place } = record;
  if ('problem' in record) return { type: 'refused', place, problem: record.problem };
  const fields = membersOf(record.value);
  if (fields === null) return { type: 'refused', place, problem: 'is no object' };
  const model = fields.get('model');
  if (!fields.has('fields') || typeof model !== 'string') {
    const { id, rest } = withoutId(fields);
    return { type: 'user', place, id, fields: rest, isDump: false };
  }
  const name = model.toLowerCase();
  if (!Object.hasOwn(MODELS, name)) return { type: 'other', model };
  const inner = membersOf(fields.get('fields'));
  if (inner === null) return { type: 'refused', place, problem: 'has fields that are no object' };
  return { type: MODELS[name as ModelName], place, id: fields.get('pk'), fields: inner, isDump: true };
}

/** An object's own members: one called `__proto__` has no effect. */
function membersOf(value: unknown): Fields | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return new Map(Object.entries(value));
}

function withoutId(fields: Fields): { id: unknown; rest: Fields } {
  const rest = new Map(fields);
  for (const name of ['id', 'pk']) rest.delete(name);
  return { id: fields.get('id') ?? fields.get('pk'), rest };
}
