/** Rows as lines whose cells stand below one another, two blanks apart. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    [],
  );
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

const NUMBER = new Intl.NumberFormat('en');

/** `1,234`. */
export function formatCount(count: number): string {
  return NUMBER.format(count);
}
