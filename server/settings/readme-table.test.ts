import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SETTING_NAMES } from '../settings.ts';
import { insertSettingsTable, renderSettingsTable } from './readme-table.ts';

test('the README has the settings as they are (else run: node --import tsx e2e/write-settings-table.ts)', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  assert.equal(readme, insertSettingsTable(readme));
});

test('the table has a line of four cells for every setting', () => {
  const lines = renderSettingsTable().trimEnd().split('\n');
  assert.equal(lines.length, SETTING_NAMES.length + 2);
  for (const line of lines) assert.equal(line.split(/(?<!\\)\|/).length, 6, line);
  const line = (name: string) => lines.find((candidate) => candidate.startsWith(`| \`${name}\``));
  assert.equal(
    line('PORT'),
    '| `PORT` | a whole number from 0 to 65535 | `8000` | The port to listen on. 0 is any that is free. |',
  );
  assert.match(line('ISSUER') ?? '', /\| none \|/);
  assert.match(line('SIGNING_KEY') ?? '', /\| from `SECRET_KEY` \|/);
});

test('the table goes between its markers and leaves the rest alone', () => {
  const begin = '<!-- settings:begin -->';
  const end = '<!-- settings:end -->';
  const readme = insertSettingsTable(`before ${begin}old${end} after`);
  assert.equal(readme, `before ${begin}\n${renderSettingsTable()}${end} after`);
  assert.equal(insertSettingsTable(readme), readme);
  for (const text of ['', begin, end, `${end}${begin}`])
    assert.throws(() => insertSettingsTable(text), /settings:end/);
});
