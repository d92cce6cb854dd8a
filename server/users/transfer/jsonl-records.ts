import { type FileRecord, LONGEST_RECORD, tooLong } from './file-record.ts';

/**
 * A value of JSON a line. Empty lines are passed over.
 *
 * @throws BrokenFileError when a line has no end
 */
export async function* readJsonLines(text: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let number = 0;
  for await (const line of linesOf(text)) {
    number += 1;
    if (line.trim() !== '') yield recordOf(`line ${number}`, line);
  }
}

/** What JSON.parse complains of repeats a part of the line, and that may be a hash. */
function recordOf(place: string, line: string): FileRecord {
  try {
    return { place, value: JSON.parse(line) };
  } catch {
    return { place, problem: 'is no JSON' };
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  let count = 0;
  for await (const piece of text) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      count += 1;
      yield line;
    }
    if (rest.length > LONGEST_RECORD) throw tooLong(`Line ${count + 1}`);
  }
  if (rest !== '') yield rest;
}
