/** What a file holds at one place, before anybody looked what it means. */
export type FileRecord =
  | { place: string; value: unknown }
  /** What is there is no record at all; the rest of the file can be read all the same. */
  | { place: string; problem: string };

/** As much of a file as is ever kept for one record, in characters. A user takes some hundred. */
export const LONGEST_RECORD = 2 ** 20;

/** A file that cannot be read to its end. The message is for people, and repeats nothing of what the file holds. */
export class BrokenFileError extends Error {
  override name = 'BrokenFileError';
}

export function tooLong(place: string): BrokenFileError {
  return new BrokenFileError(`${place} is longer than 1 MiB: that is no record of a user`);
}
