import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { BrokenFileError, type FileRecord, LONGEST_RECORD } from './file-record.ts';

/** What csv-parse gives with `info`: the cells, and where it is when it has read them. */
interface ParsedLine {
  record: string[];
  info: { lines: number };
}

/**
 * Records of CSV (RFC 4180), each as an object by the names in the first one. Empty cells are left out. Cells may be
 * separated by commas, semicolons or tabs, as spreadsheets do it in different countries.
 *
 * @throws BrokenFileError when quotes do not match, or there is no column `username`
 */
export async function* readCsvRecords(text: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let names: readonly string[] | null = null;
  for await (const { record, info } of parsedLines(text)) {
    const place = `line ${info.lines}`;
    if (names === null) names = columnNames(record);
    else yield recordOf(place, names, record);
  }
  if (names === null) throw new BrokenFileError('The file is empty: its first line should name the columns');
}

async function* parsedLines(text: AsyncIterable<string>): AsyncGenerator<ParsedLine> {
  const { first, whole } = await peek(text);
  const parser = parse({
    delimiter: /^"?\w+"?([;\t])/.exec(first)?.[1] ?? ',',
    info: true,
    max_record_size: LONGEST_RECORD,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // Errors of both come out of the loop.
  pipeline(Readable.from(whole), parser, () => {});
  try {
    yield* parser as AsyncIterable<ParsedLine>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Its message repeats what it found, which may be a part of a hash.
    const { lines } = error as CsvError & { lines?: number };
    throw new BrokenFileError(
      `The file is no CSV from line ${lines ?? 1} on: is there a quote too many, or one that is missing?`,
    );
  }
}

/** The first piece of a text that is not empty, and the whole of it. */
async function peek(text: AsyncIterable<string>): Promise<{ first: string; whole: AsyncIterable<string> }> {
  const iterator = text[Symbol.asyncIterator]();
  let first = '';
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    first += next.value;
    if (first.trim() !== '') break;
  }
  async function* whole() {
    yield first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { first: first.trimStart(), whole: whole() };
}

/** @throws BrokenFileError */
function columnNames(cells: readonly string[]): string[] {
  const names = cells.map((cell) => cell.trim());
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new BrokenFileError(`Two columns have the same name, "${repeated}"`);
  if (!names.includes('username')) {
    throw new BrokenFileError('The first line should name the columns, and one of them be "username"');
  }
  return names;
}

function recordOf(place: string, names: readonly string[], cells: readonly string[]): FileRecord {
  if (cells.length !== names.length) {
    return { place, problem: `has ${cells.length} in place of ${names.length} cells` };
  }
  const entries = names.map((name, index) => [name, cells[index] ?? ''] as const);
  const filled = entries.filter(([, cell]) => cell !== '').map(([name, cell]) => [name, bare(cell)]);
  return { place, value: Object.fromEntries(filled) };
}

/** Without the apostrophe that keeps a spreadsheet from running what begins like a formula. */
function bare(cell: string): string {
  return /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}
