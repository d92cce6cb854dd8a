import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inFolder } from '../../../db/folder.fixture.ts';
import { BrokenFileError } from './file-record.ts';
import { formatOfName, READERS, type TransferFormat } from './formats.ts';
import { readText } from './read-text.ts';
import { collected, inPieces } from './transfer.fixture.ts';

/** What nothing that is said of a broken file may repeat. */
const SECRET = 'pbkdf2_sha256$1$salt$c2VjcmV0';

function read(format: TransferFormat, text: string, length?: number) {
  return collected(READERS[format](inPieces(text, length)));
}

function refusal(format: TransferFormat, text: string, expected: RegExp) {
  return assert.rejects(read(format, text), (error) => {
    assert.ok(error instanceof BrokenFileError, String(error));
    assert.match(error.message, expected);
    assert.ok(!error.message.includes(SECRET.slice(0, 5)), error.message);
    return true;
  });
}

describe('JSON', () => {
  test('the items of an array come one by one, however the file is cut', async () => {
    const items = [{ a: 'x"]},[é🔑' }, [1, { b: [] }], 'text', null, -1.5e3, true];
    const expected = items.map((value, index) => ({ place: `record ${index + 1}`, value }));
    for (const text of [
      JSON.stringify(items),
      JSON.stringify(items, null, 2),
      `\n ${JSON.stringify(items)}\n`,
    ]) {
      for (const length of [1, 7, undefined]) assert.deepEqual(await read('json', text, length), expected);
    }
    assert.deepEqual(await read('json', '[]'), []);
  });

  test('what is no array of JSON, or not the whole of it, is refused', async () => {
    await refusal('json', '', /ends too early/);
    await refusal('json', '{"a": 1}', /no array/);
    await refusal('json', `"${SECRET}"`, /no array/);
    await refusal('json', `[{"password": "${SECRET}"}, {"pass`, /ends too early, behind record 1/);
    await refusal('json', `[{"password": "${SECRET}"}, ${SECRET}]`, /no JSON from record 2 on/);
    await refusal('json', `[1] "${SECRET}"`, /no JSON/);
    await refusal('json', `[1, "${SECRET}\n"]`, /no JSON/);
  });

  test('a record without an end, or without a bottom, does not fill the memory', async () => {
    async function* endless(piece: string) {
      yield '[';
      for (;;) yield piece;
    }
    for (const piece of ['"x'.padEnd(65_536, 'x'), '['.repeat(65_536), '{"a":'.repeat(13_000)]) {
      const records = READERS.json(piece.startsWith('"') ? endlessText() : endless(piece));
      await assert.rejects(collected(records), /Record 1 is longer than 1 MiB/);
    }
    async function* endlessText() {
      yield '["';
      for (;;) yield 'x'.repeat(65_536);
    }
  });
});

describe('JSON Lines', () => {
  test('a record a line, empty lines passed over, the last with or without an end', async () => {
    const expected = [
      { place: 'line 1', value: { a: 'é🔑' } },
      { place: 'line 4', value: 2 },
    ];
    for (const text of ['{"a": "é🔑"}\n\n \n2', '{"a": "é🔑"}\r\n\r\n\r\n2\r\n']) {
      for (const length of [1, 3, undefined]) assert.deepEqual(await read('jsonl', text, length), expected);
    }
    assert.deepEqual(await read('jsonl', ''), []);
  });

  test('a line that is no JSON is one record that cannot be taken', async () => {
    assert.deepEqual(await read('jsonl', `1\n{"password": "${SECRET}\n3`), [
      { place: 'line 1', value: 1 },
      { place: 'line 2', problem: 'is no JSON' },
      { place: 'line 3', value: 3 },
    ]);
  });

  test('a line without an end does not fill the memory', async () => {
    await refusal('jsonl', `1\n${SECRET}${'x'.repeat(2 ** 20)}`, /Line 2 is longer than 1 MiB/);
  });
});

describe('CSV', () => {
  test('cells go by the names in the first line, and empty ones are left out', async () => {
    const expected = [
      { place: 'line 2', value: { username: 'ada', first_name: 'A, "da"\n', email: 'a@b.example' } },
      { place: 'line 5', value: { username: 'bob' } },
    ];
    const lines = ['username,first_name,email', 'ada,"A, ""da""\n",a@b.example', '', 'bob,,'];
    for (const text of [lines.join('\n'), `${lines.join('\r\n')}\r\n`]) {
      for (const length of [1, 5, undefined]) {
        const records = await read('csv', text, length);
        assert.deepEqual(
          records.map((record) => ('value' in record ? record.value : null)),
          expected.map(({ value }) => value),
        );
      }
    }
    const [first, second] = await read('csv', lines.join('\n'));
    assert.deepEqual([first?.place, second?.place], ['line 3', 'line 5']);
  });

  test('cells are separated as spreadsheets do it elsewhere, too', async () => {
    for (const separator of [';', '\t']) {
      const text = ['username', 'groups'].join(separator).concat('\n', 'ada', separator, '"a;b"\n');
      assert.deepEqual(await read('csv', text), [
        { place: 'line 2', value: { username: 'ada', groups: 'a;b' } },
      ]);
    }
    assert.deepEqual(await read('csv', '"username"\nada\n'), [
      { place: 'line 2', value: { username: 'ada' } },
    ]);
  });

  test('an apostrophe that keeps a formula from being run is taken off, no other', async () => {
    const names = ["'=1+1", "'@ada", "''=x", "'t Hooft", "'"];
    const records = await read('csv', ['username', ...names].join('\n'));
    assert.deepEqual(
      records.map((record) => ('value' in record ? (record.value as { username: string }).username : null)),
      ['=1+1', '@ada', "'=x", "'t Hooft", "'"],
    );
  });

  test('a line with more or fewer cells is one record that cannot be taken', async () => {
    assert.deepEqual(await read('csv', `username,password\nada\nbob,x,${SECRET}\neve,y`), [
      { place: 'line 2', problem: 'has 1 in place of 2 cells' },
      { place: 'line 3', problem: 'has 3 in place of 2 cells' },
      { place: 'line 4', value: { username: 'eve', password: 'y' } },
    ]);
  });

  test('what is no CSV of users is refused', async () => {
    await refusal('csv', '', /is empty/);
    await refusal('csv', `${SECRET},x\n`, /name the columns/);
    await refusal('csv', 'username,password,username\n', /same name/);
    await refusal('csv', `username,password\nada,"${SECRET}\n`, /no CSV from line \d+ on/);
    await refusal('csv', `username,password\nada,${SECRET}"x"\n`, /no CSV from line 2 on/);
    await refusal('csv', `username,password\nada,"${'x'.repeat(2 ** 20)}"`, /no CSV/);
  });
});

test('a file is UTF-8, with the mark of it or without', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'file');
    let bytes = 0;
    const text = async () => {
      let all = '';
      for await (const piece of readText(path, (count) => {
        bytes += count;
      }))
        all += piece;
      return all;
    };
    writeFileSync(path, '\ufeffé🔑');
    assert.equal(await text(), 'é🔑');
    assert.equal(bytes, 9);
    for (const wrong of [
      Buffer.from('caf\xe9', 'latin1'),
      Buffer.from('\ufeffa', 'utf16le'),
      Buffer.from([0xf0, 0x9f]),
    ]) {
      writeFileSync(path, wrong);
      await assert.rejects(text(), /The file is not UTF-8/);
    }
  }));

test('a format is told by the end of a name', () => {
  for (const [name, format] of [
    ['users.json', 'json'],
    ['a.b/users.JSONL', 'jsonl'],
    ['users.ndjson', 'jsonl'],
    ['users.csv', 'csv'],
    ['users', null],
    ['users.xml', null],
    ['users.constructor', null],
  ] as const) {
    assert.equal(formatOfName(name), format, name);
  }
});
