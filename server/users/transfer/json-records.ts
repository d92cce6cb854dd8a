import { JSONParser } from '@streamparser/json';
import { BrokenFileError, type FileRecord, LONGEST_RECORD, tooLong } from './file-record.ts';

/**
 * The items of an array of JSON, as `dumpdata` writes it, one after the other.
 *
 * @throws BrokenFileError when it is no array of JSON, or ends before its end
 */
export async function* readJsonRecords(text: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  let found: unknown[] = [];
  parser.onValue = ({ value }) => found.push(value);
  let isBegun = false;
  let count = 0;
  let length = 0;
  for await (const piece of text) {
    if (!isBegun) isBegun = beginsArray(piece);
    feed(parser, piece, () => count + found.length + 1);
    length = found.length > 0 ? 0 : length + piece.length;
    if (length > LONGEST_RECORD) throw tooLong(`Record ${count + 1}`);
    for (const value of found) {
      count += 1;
      yield { place: `record ${count}`, value };
    }
    found = [];
  }
  if (!parser.isEnded) throw new BrokenFileError(`The file ends too early, behind record ${count}`);
}

/** Whether a piece of text is more than blanks. @throws BrokenFileError when it begins otherwise than an array */
function beginsArray(piece: string): boolean {
  const [first] = piece.trimStart();
  if (first === undefined) return false;
  if (first !== '[') throw new BrokenFileError('The file is no array of JSON, as dumpdata writes it');
  return true;
}

/** The parser's own messages repeat what it found, which may be a part of a hash. */
function feed(parser: JSONParser, piece: string, record: () => number): void {
  try {
    parser.write(piece);
  } catch {
    throw new BrokenFileError(`The file is no JSON from record ${record()} on`);
  }
}
