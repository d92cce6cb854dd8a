/**
 * How alike two texts are at most, from 0 to 1: twice the number of characters they have in common, whatever their
 * order, by their lengths together. It is `quick_ratio()` of Python's `difflib.SequenceMatcher`, in code points.
 */
export function quickRatio(one: string, other: string): number {
  const characters = [...one];
  const available = new Map<string, number>();
  let length = characters.length;
  for (const character of other) {
    available.set(character, (available.get(character) ?? 0) + 1);
    length += 1;
  }
  let common = 0;
  for (const character of characters) {
    const left = available.get(character) ?? 0;
    if (left > 0) common += 1;
    available.set(character, left - 1);
  }
  return length === 0 ? 1 : (2 * common) / length;
}
