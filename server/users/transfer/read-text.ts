import { createReadStream } from 'node:fs';
import { BrokenFileError } from './file-record.ts';

/**
 * A file as pieces of text, without the mark that some programs begin UTF-8 with.
 *
 * @param onRead is told how many bytes were read since it was last told
 * @throws BrokenFileError when it is not UTF-8; else the error of the system
 */
export async function* readText(path: string, onRead: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
    onRead(bytes.length);
    yield decode(() => decoder.decode(bytes, { stream: true }));
  }
  yield decode(() => decoder.decode());
}

function decode(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new BrokenFileError('The file is not UTF-8; save it as UTF-8 and try again');
  }
}
