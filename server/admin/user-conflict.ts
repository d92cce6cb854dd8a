import type { Database } from '../../db/statement.ts';
import { type EventView, objectEvents } from '../audit/events.ts';
import {
  changesOf,
  type Difference,
  differencesBetween,
  type GrantNames,
} from '../users/account-differences.ts';
import { type AccountFields, FIELD_LABELS } from '../users/accounts.ts';

/** A change that others made while a form was filled in, for who filled it in. */
export interface ToldChange {
  field: string;
  before: string | null;
  after: string | null;
  /** Who made it and when, where the history knows. */
  by: string | null;
  at: Date | null;
  /** What was entered instead and is written over it by saving again; undefined where nothing was. */
  yours?: string | null;
}

/** How many of the last events of an account are looked through for who changed it. */
const LOOKED_THROUGH = 50;

/** What became of an account while somebody filled in its form, by whom, and where that clashes with what he entered. */
export async function tellMeanwhile(
  db: Database,
  id: number,
  meanwhile: readonly Difference[],
  { stored, merged, names }: { stored: AccountFields; merged: AccountFields; names: GrantNames },
): Promise<ToldChange[]> {
  const events = await objectEvents(db, 'user', String(id), LOOKED_THROUGH);
  const clashes = new Map(
    differencesBetween(stored, merged, names).map(({ field, after }) => [field, after]),
  );
  return meanwhile.map((difference) => {
    const { field, before, after } = difference;
    const event = events.find((candidate) => made(candidate, difference));
    const told = {
      field: FIELD_LABELS[field],
      before,
      after,
      by: event?.actor?.name ?? null,
      at: event?.at ?? null,
    };
    const isSet = field === 'groups' || field === 'user_permissions';
    return isSet || !clashes.has(field) ? told : { ...told, yours: clashes.get(field) ?? null };
  });
}

function made({ changes }: EventView, difference: Difference): boolean {
  const [wanted] = changesOf([difference]);
  const [field, after] = [wanted?.field, wanted?.after];
  const isSet = difference.before === null || difference.after === null;
  return changes.some(
    (change) =>
      change.field === field && change.after === after && (!isSet || change.before === difference.before),
  );
}
