import type { Tally } from './outcomes.ts';

const NUMBER = new Intl.NumberFormat('en');

/** `3 new, 1 conflict`; of nothing at all `nothing`. */
export function showTally(tally: Tally): string {
  const words = {
    new: 'new',
    changed: 'changed',
    unchanged: 'unchanged',
    conflict: tally.conflict === 1 ? 'conflict' : 'conflicts',
    refused: 'not taken',
  };
  const parts = (Object.keys(words) as (keyof Tally)[]).filter((outcome) => tally[outcome] > 0);
  const texts = parts.map((outcome) => `${NUMBER.format(tally[outcome])} ${words[outcome]}`);
  return texts.join(', ') || 'nothing';
}
