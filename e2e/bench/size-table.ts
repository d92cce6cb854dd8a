/** How long an answer may take, in milliseconds. */
export const MOST = 150;

/** How often each case is timed. */
export const ROUNDS = 5;

/** One case on the empty database and on the full one, in milliseconds. */
export interface Timing {
  readonly name: string;
  /** NaN where an empty database has nothing of the kind. */
  readonly empty: number;
  readonly full: number;
  readonly found: string;
  /** What came instead of what should. */
  readonly wrong?: string;
}

export function sizeTable(title: string, timings: readonly Timing[]): string {
  const width = Math.max(title.length, ...timings.map(({ name }) => name.length));
  const cells = (name: string, ...rest: readonly string[]) =>
    `${name.padEnd(width)}${rest.map((cell) => cell.padStart(10)).join('')}`;
  const lines = timings.map(({ name, empty, full, found, wrong }) => {
    const isGood = full <= MOST && wrong === undefined;
    const [onEmpty, ratio] = Number.isNaN(empty) ? ['–', '–'] : [empty.toFixed(1), (full / empty).toFixed(1)];
    return `${cells(name, onEmpty, full.toFixed(1), ratio, isGood ? 'yes' : 'NO')}   ${wrong ?? found}`;
  });
  return [`${cells(title, 'empty ms', 'full ms', 'ratio', `< ${MOST} ms`)}   found`, ...lines].join('\n');
}
