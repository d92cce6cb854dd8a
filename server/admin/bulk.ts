import { findAllIds, REACH } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { type BulkAction, type List, listConditions } from './list.ts';
import type { PageCall, Redirect } from './page.ts';

/** What is to be done with rows of a list. */
export interface Selection {
  action: string;
  /** The ids that were ticked or found, each once. There need not be rows of them any more. */
  ids: readonly number[];
  /** It was asked and answered, and of as many rows as there are now. */
  isConfirmed: boolean;
  /** The hidden fields of the question. */
  hidden: readonly (readonly [name: string, value: string])[];
}

/** What Django's lists call the fields of their form. */
const ACTION = 'action';
const TICKED = '_selected_action';
const ACROSS = 'select_across';

const CONFIRMED = 'confirmed';
const COUNTED = 'counted';

/**
 * Reads what the form of a list brought: an action and the rows it is for, ticked or all that the list finds.
 *
 * @returns the way back to the list where nothing was chosen, with a warning in Django's words
 */
export async function readSelection<Row extends { id: number }>(
  db: Database,
  list: List<Row>,
  actions: readonly BulkAction[],
  { form, query, request }: PageCall,
): Promise<Selection | Redirect> {
  const back = (text: string): Redirect => ({
    redirect: request.url,
    message: { level: 'warning', text },
  });
  const action = form.get(ACTION) ?? '';
  if (!actions.some(({ value }) => value === action)) return back('No action selected.');
  const isAcross = form.has(ACROSS);
  const ids = isAcross ? await idsFound(db, list, query) : idsTicked(form.getAll(TICKED));
  if (ids.length > REACH) {
    const limit = REACH.toLocaleString('en-US');
    return back(`More than ${limit} ${list.nouns[1]} cannot be changed at once: narrow the list first.`);
  }
  if (ids.length === 0) {
    return back('Items must be selected in order to perform actions on them. No items have been changed.');
  }
  const count = String(ids.length);
  return {
    action,
    ids,
    isConfirmed: form.get(CONFIRMED) === '1' && (form.get(COUNTED) ?? count) === count,
    hidden: [
      [ACTION, action],
      ...(isAcross ? [[ACROSS, '1'] as const] : ids.map((id) => [TICKED, String(id)] as const)),
      [CONFIRMED, '1'],
      [COUNTED, count],
    ],
  };
}

/** Everything a list finds, but no more than is needed to see that it is too much. */
async function idsFound<Row extends { id: number }>(
  db: Database,
  list: List<Row>,
  query: URLSearchParams,
): Promise<number[]> {
  const conditions = await listConditions(db, list, query);
  const ids: number[] = [];
  for await (const some of findAllIds(db, { table: list.table, conditions, order: [] })) {
    ids.push(...some);
    if (ids.length > REACH) break;
  }
  return ids;
}

function idsTicked(values: readonly string[]): number[] {
  const ids = values.filter((value) => /^[1-9]\d{0,14}$/.test(value)).map(Number);
  return [...new Set(ids)];
}
