/**
 * The name that a mistyped one most likely means: the one fewest edits away, and no more of them than half its letters.
 */
export function nearestName(mistyped: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.floor(mistyped.length / 2);
  for (const name of names) {
    const edits = countEdits(mistyped, name);
    if (edits < fewest || (edits === fewest && nearest === undefined)) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (letter === to[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
