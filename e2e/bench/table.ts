export interface Row {
  readonly name: string;
  readonly requestsPerSecond?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** The share of the echo's throughput, and what it should be at least. */
  readonly ratio?: number;
  readonly target?: number;
  readonly wrong?: number;
}

interface Column {
  readonly title: string;
  show(row: Row): string;
}

const fixed = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '';

const COLUMNS: readonly Column[] = [
  { title: '', show: (row) => row.name },
  { title: 'requests/s', show: (row) => fixed(row.requestsPerSecond, 0) },
  { title: 'p50 ms', show: (row) => fixed(row.p50, 2) },
  { title: 'p99 ms', show: (row) => fixed(row.p99, 2) },
  { title: 'ratio to echo', show: (row) => fixed(row.ratio, 2) },
  { title: 'target', show: (row) => fixed(row.target, 2) },
  { title: 'wrong', show: (row) => fixed(row.wrong, 0) },
  { title: '', show: (row) => (isBelow(row) ? '<- below the target' : '') },
];

function isBelow({ ratio, target }: Row): boolean {
  return ratio !== undefined && target !== undefined && ratio < target;
}

/** The rows as text for a terminal, numbers to the right. */
export function table(rows: readonly Row[]): string {
  const lines = [
    COLUMNS.map(({ title }) => title),
    ...rows.map((row) => COLUMNS.map(({ show }) => show(row))),
  ];
  const widths = COLUMNS.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const padded = (cell: string, index: number) =>
    index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
  return lines.map((line) => line.map(padded).join('  ').trimEnd()).join('\n');
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
