import { median } from './table.ts';

/** By so much an operation may be slower on the full database, as its median says. */
export const FLAT = 1.5;

/** How long answers took on each database, in milliseconds. */
export interface Race {
  readonly name: string;
  readonly full: readonly number[];
  readonly empty: readonly number[];
  /** What else there is to say. */
  readonly note?: string;
}

/**
 * Does the same on both databases by turns, and each of them first every other time: what else the machine does then
 * hits both alike. What is done before the code is warm does not count.
 */
export async function race(
  name: string,
  rounds: number,
  work: (which: 'full' | 'empty', round: number) => Promise<number>,
): Promise<Race> {
  const times = { full: [] as number[], empty: [] as number[] };
  const warmUp = Math.ceil(rounds / 10);
  for (let round = 0; round < rounds; round += 1) {
    const turns = round % 2 === 0 ? (['full', 'empty'] as const) : (['empty', 'full'] as const);
    for (const which of turns) {
      const took = await work(which, round);
      if (round >= warmUp) times[which].push(took);
    }
  }
  return { name, ...times };
}

/** Whether it takes about as long however much there is. */
export function isFlat({ full, empty }: Race): boolean {
  return median(full) <= FLAT * median(empty);
}

export function raceTable(title: string, races: readonly Race[]): string {
  const width = Math.max(title.length, ...races.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[], note: string) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join('')}   ${note}`.trimEnd();
  const rows = races.map((one) => {
    const [empty, full] = [one.empty, one.full].map((times) => [median(times), percentile(times, 0.95)]) as [
      [number, number],
      [number, number],
    ];
    const ratios = [full[0] / empty[0], full[1] / empty[1]].map((ratio) => ratio.toFixed(2));
    const cells = [...[...empty, ...full].map((took) => took.toFixed(2)), ...ratios];
    return line(one.name, cells, [isFlat(one) ? '' : 'NOT FLAT', one.note ?? ''].join(' ').trim());
  });
  const heads = ['empty p50', 'empty p95', 'full p50', 'full p95', 'ratio p50', 'ratio p95'];
  return [line(title, heads, ''), ...rows].join('\n');
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
