/**
 * Runs several test files in this one process, one after another: what they have in common is loaded once, which is
 * most of what a small test file takes. Each is a suite of the file's name, so that its hooks are its own.
 *
 * Called as `node --import tsx e2e/batch.ts FILE…`, with paths from the project's folder.
 */
import { join } from 'node:path';
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PROJECT_FOLDER } from './server-process.ts';

for (const file of process.argv.slice(2)) {
  describe(file, async () => {
    await import(pathToFileURL(join(PROJECT_FOLDER, file)).href);
  });
}
