import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readOrMakeSecretKey, SecretKeyError } from './secret-key.ts';

const base = mkdtempSync(join(tmpdir(), 'jotgate-key-'));
after(() => rmSync(base, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test('a key is made of 64 random bytes, for the owner alone, in a folder for the owner alone', () => {
  const folder = join(base, 'new', 'data');
  const key = readOrMakeSecretKey(folder);
  assert.match(key, /^[\w-]{86}$/);
  assert.equal(Buffer.from(key, 'base64url').length, 64);
  assert.equal(modeOf(folder), 0o700);
  assert.equal(modeOf(join(folder, 'secret_key')), 0o600);
  assert.deepEqual(readdirSync(folder), ['secret_key']);
  assert.notEqual(readOrMakeSecretKey(join(base, 'other')), key);
});

test('the key is kept', () => {
  const folder = join(base, 'kept');
  const key = readOrMakeSecretKey(folder);
  const content = readFileSync(join(folder, 'secret_key'), 'utf8');
  assert.equal(readOrMakeSecretKey(folder), key);
  assert.equal(readFileSync(join(folder, 'secret_key'), 'utf8'), content);
});

test('a folder that is there is used as it is', () => {
  const folder = join(base, 'there');
  mkdirSync(folder, { mode: 0o755 });
  readOrMakeSecretKey(folder);
  assert.equal(modeOf(folder), 0o755);
});

test('processes that start together end up with one key', { timeout: 60_000 }, async () => {
  const folder = join(base, 'together');
  const source = `
    import { readOrMakeSecretKey } from ${JSON.stringify(new URL('secret-key.ts', import.meta.url).href)};
    process.stdout.write('ready');
    process.stdin.once('data', (folders) => {
      const keys = JSON.parse(folders).map((folder) => readOrMakeSecretKey(folder));
      process.stdout.write(JSON.stringify(keys), () => process.exit());
    });`;
  const makers = [1, 2].map(() =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
      cwd: new URL('..', import.meta.url),
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  await Promise.all(makers.map(({ stdout }) => once(stdout, 'data')));
  const folders = Array.from({ length: 50 }, (_, index) => join(folder, String(index)));
  const answers = makers.map(async ({ stdout }) => {
    let text = '';
    for await (const chunk of stdout) text += chunk;
    return JSON.parse(text) as string[];
  });
  for (const { stdin } of makers) stdin.write(JSON.stringify(folders));
  const [first, second] = await Promise.all(answers);
  assert.equal(new Set(first).size, folders.length);
  assert.deepEqual(first, second);
  for (const made of folders) assert.deepEqual(readdirSync(made), ['secret_key']);
});

test('a folder that cannot be made is named in one line', () => {
  writeFileSync(join(base, 'file'), '');
  for (const folder of [join(base, 'file', 'data'), '/dev/null/data']) {
    assert.throws(
      () => readOrMakeSecretKey(folder),
      (error) => {
        assert.ok(error instanceof SecretKeyError);
        assert.match(
          error.message,
          /^The folder \S+ is not writable \(ENOTDIR\), so no secret key can be kept there$/,
        );
        assert.ok(error.message.includes(folder));
        return true;
      },
    );
  }
});

test('a key that cannot be read is not replaced', () => {
  const folder = join(base, 'unreadable');
  mkdirSync(join(folder, 'secret_key'), { recursive: true });
  assert.throws(() => readOrMakeSecretKey(folder), {
    name: 'SecretKeyError',
    message: `The secret key ${join(folder, 'secret_key')} cannot be read (EISDIR)`,
  });
});

test('a key that is empty or cut off is refused, unseen and not replaced', () => {
  const folder = join(base, 'short');
  const path = join(folder, 'secret_key');
  mkdirSync(folder);
  for (const content of ['', '\n', 'h'.repeat(63)]) {
    writeFileSync(path, content);
    assert.throws(() => readOrMakeSecretKey(folder), {
      name: 'SecretKeyError',
      message: `${path} holds no key of 64 bytes or more. Delete it to have a new one made: tokens made with the old one end`,
    });
    assert.equal(readFileSync(path, 'utf8'), content);
  }
});
