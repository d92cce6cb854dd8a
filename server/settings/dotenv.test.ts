import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDotenv } from './dotenv.ts';

const known = ['SECRET_KEY', 'PORT', 'ISSUER', 'ROTATE_REFRESH_TOKENS'];

const idle = (name: string) =>
  `${name} stands in the .env file on a line that does not set it: write ${name}=value`;
const noLine = 'The .env file has a line that is no NAME=value; it is not shown, as it may be secret';

const files: { what: string; file: string; values?: Record<string, string>; problems?: string[] }[] = [
  { what: 'an empty file', file: '' },
  { what: 'a comment and blank lines', file: '# PORT 1\n\n  \n# more\n' },
  { what: 'a value', file: 'PORT=1\n', values: { PORT: '1' } },
  { what: 'blanks, a comment and export', file: 'export PORT = 1 # one\n', values: { PORT: '1' } },
  {
    what: 'Windows line ends and byte order mark',
    file: '\uFEFFPORT=1\r\nISSUER=x\r\n',
    values: { PORT: '1', ISSUER: 'x' },
  },
  { what: 'quotes around a #', file: 'SECRET_KEY="a#b"', values: { SECRET_KEY: 'a#b' } },
  { what: 'a dollar as it is', file: 'ISSUER=$PORT', values: { ISSUER: '$PORT' } },
  {
    what: 'a nearly known name',
    file: 'ROTATE_REFRESH_TOKEN=1',
    problems: ['ROTATE_REFRESH_TOKEN in the .env file is no setting: is ROTATE_REFRESH_TOKENS meant?'],
  },
  {
    what: 'a name in small letters',
    file: 'port=1',
    problems: ['port in the .env file is no setting: is PORT meant?'],
  },
  {
    what: 'a name like no other',
    file: 'EMAIL_BACKEND=1',
    problems: ['EMAIL_BACKEND in the .env file is no setting'],
  },
  {
    what: 'a name of Object.prototype',
    file: 'constructor=1',
    problems: ['constructor in the .env file is no setting'],
  },
  { what: 'a line without =', file: 'SECRET_KEY hush\nPORT=1', problems: [idle('SECRET_KEY')] },
  {
    what: 'a last line without =',
    file: 'PORT=1\nSECRET_KEY: hush',
    values: { PORT: '1' },
    problems: [idle('SECRET_KEY')],
  },
  { what: 'a quote left open', file: 'SECRET_KEY="hush', problems: [idle('SECRET_KEY')] },
  { what: 'another line without =', file: 'some hush words\nPORT=1', problems: [noLine] },
  {
    what: 'a value in several lines',
    file: `PORT=1\n${'hush'.repeat(16)}\n${'hush'.repeat(15)}==\n`,
    values: { PORT: '1' },
    problems: [noLine],
  },
];

for (const { what, file, values = {}, problems = [] } of files) {
  test(`.env: ${what}`, () => {
    const read = readDotenv(file, known);
    assert.deepEqual(read.problems, problems);
    assert.deepEqual(Object.fromEntries([...read.values].filter(([name]) => known.includes(name))), values);
    assert.doesNotMatch(read.problems.join(), /hush/);
  });
}
