/** What became, or would become, of a record. */
export type Outcome = 'new' | 'changed' | 'unchanged' | 'conflict' | 'refused';

/** How many records came to which outcome. */
export type Tally = Readonly<Record<Outcome, number>>;

export const NO_TALLY: Tally = { new: 0, changed: 0, unchanged: 0, conflict: 0, refused: 0 };

export function tallied(tally: Tally, outcomes: readonly Outcome[]): Tally {
  const sums = { ...tally };
  for (const outcome of outcomes) sums[outcome] += 1;
  return sums;
}

/** A record of which nothing was taken, and why. */
export interface Problem {
  outcome: 'conflict' | 'refused';
  place: string;
  /** The username or the group's name; empty where there is none. */
  name: string;
  reason: string;
}
