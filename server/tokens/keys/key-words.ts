import type { KeyView } from './key-list.ts';
import type { LiveTokens } from './token-keys.ts';

/** A key as people call it. */
export function keyName({ kid }: Pick<KeyView, 'kid'>): string {
  return kid === '' ? 'the key without a kid' : `the key ${kid}`;
}

/** "1,234", "more than 10,000". */
export function countText({ total, isMore }: LiveTokens): string {
  const number = total.toLocaleString('en-US');
  return isMore ? `more than ${number}` : number;
}

/** `2026-03-04 05:06 UTC`; `-` for none. */
export function timeText(time: Date | null): string {
  if (time === null) return '-';
  const iso = time.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
