import { readCsvRecords } from './csv-records.ts';
import type { FileRecord } from './file-record.ts';
import { readJsonRecords } from './json-records.ts';
import { readJsonLines } from './jsonl-records.ts';

/** Django's `dumpdata` as an array or line by line, and CSV. */
export const TRANSFER_FORMATS = ['json', 'jsonl', 'csv'] as const;

export type TransferFormat = (typeof TRANSFER_FORMATS)[number];

/** How a file of each format is read. */
export const READERS: Readonly<
  Record<TransferFormat, (text: AsyncIterable<string>) => AsyncGenerator<FileRecord>>
> = { json: readJsonRecords, jsonl: readJsonLines, csv: readCsvRecords };

const ENDINGS: Readonly<Record<string, TransferFormat>> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
};

/** The format that a file's name tells; null where it tells none. */
export function formatOfName(name: string): TransferFormat | null {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(ENDINGS, ending) ? (ENDINGS[ending] ?? null) : null;
}
