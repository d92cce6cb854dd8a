import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix, sep } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  /** A path from the project's root for a file of ours, else a package's name. */
  readonly target: string;
  /** `import type`, of which nothing is left when the program runs. */
  readonly typeOnly: boolean;
}

/** What the files of one room may import of the project's own, and which packages they may not. */
interface Room {
  readonly files: RegExp;
  readonly may: RegExp;
  /** What may be imported for its types alone. */
  readonly mayAsTypes?: RegExp;
  readonly mayNotPackages?: RegExp;
}

const HTTP_PACKAGES = /^(fastify|@fastify\/.+|node:https?2?)$/;
const SETTINGS_TYPES = /^server\/settings\.ts$/;

/** Where the project lies: a leaf that knows nothing and that whoever reads files of ours may import. */
const ROOT_FILE = /^server\/root\.ts$/;

/** A domain: its own folder, db, errors, audit, and the domains it may build upon. */
function domain(name: string, ...others: readonly string[]): Room {
  return {
    files: new RegExp(`^server/${name}/`),
    may: new RegExp(`^(db/|server/errors\\.ts$|server/(${[name, 'audit', ...others].join('|')})/)`),
    mayAsTypes: SETTINGS_TYPES,
    mayNotPackages: HTTP_PACKAGES,
  };
}

/** Pages and endpoints: http, the domains, the settings, and their own folder, never one another's. */
function outside(name: string): Room {
  return {
    files: new RegExp(`^server/${name}/`),
    may: new RegExp(
      `^(db/|server/(errors|settings|settings/weaknesses|root)\\.ts$|server/(${name}|http|tokens|users|sessions|audit)/)`,
    ),
  };
}

/** DESIGN: who may import whom. The first room that a file is in counts; a file in none breaks the rules. */
const ROOMS: readonly Room[] = [
  { files: /^db\//, may: /^db\//, mayNotPackages: HTTP_PACKAGES },
  domain('audit'),
  domain('users'),
  domain('sessions'),
  domain('tokens', 'users', 'sessions'),
  {
    files: /^server\/http\/auth/,
    may: /^(db\/|server\/(errors|settings)\.ts$|server\/(http|tokens|users|sessions|audit)\/)/,
  },
  {
    files: /^server\/http\//,
    may: /^(db\/|server\/(errors|root)\.ts$|server\/http\/)/,
    mayAsTypes: SETTINGS_TYPES,
  },
  outside('api'),
  outside('admin'),
  outside('console'),
  { files: /^server\/commands\//, may: /^(db\/|server\/(?!main\.ts$))/ },
  { files: /^server\/main\.ts$/, may: /^server\/(commands\/|errors\.ts$|settings\.ts$)/ },
  { files: /^server\/app(\.(test|fixture))?\.ts$/, may: /^(db\/|server\/(?!commands\/|main\.ts$|app\.ts$))/ },
  { files: /^server\/errors\.ts$/, may: /^$/ },
  { files: ROOT_FILE, may: /^$/ },
  {
    files: /^server\/settings(\.test)?\.ts$|^server\/settings\//,
    may: /^server\/(settings\.ts$|settings\/|errors\.ts$)/,
  },
];

/** Tests may do what the file beside them may, build an app or run a command, and use the tests' own helpers. */
const TESTS_MAY =
  /^(e2e\/|db\/|server\/(app|app\.fixture|settings|errors)\.ts$|server\/(commands|settings)\/)/;

const isTest = (file: string) => /\.(test|fixture)\.ts$/.test(file);

function importsOf(file: string, source: string): Import[] {
  const pattern =
    /\b(?:import|export)\s+(type\s)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...withoutComments(source).matchAll(pattern)].map(([, typeOnly, from, bare]) => ({
    target: resolved(file, from ?? bare ?? ''),
    typeOnly: typeOnly !== undefined,
  }));
}

function resolved(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** Whether a file reads the environment or the arguments, by whatever way to `process`. */
function readsProcess(source: string): boolean {
  return /\bprocess\s*(\?\.|\.|\[\s*['"])\s*(env|argv)\b|\b(env|argv)\b[^{}]*\}\s*(=\s*process\b|from\s*['"](node:)?process)/.test(
    withoutComments(source),
  );
}

/** In which ways a file breaks the rules of the house. */
function breaches(file: string, source: string): string[] {
  const room = ROOMS.find(({ files }) => files.test(file));
  if (room === undefined) return [`${file} is in no room of the house`];
  const bad = importsOf(file, source).filter((imported) => !isAllowed(room, file, imported));
  const found = bad.map(({ target, typeOnly }) => `${file} imports ${typeOnly ? 'types of ' : ''}${target}`);
  if (readsProcess(source) && file !== 'server/main.ts' && !isTest(file)) {
    found.push(`${file} reads process.env or process.argv`);
  }
  return found;
}

function isAllowed(room: Room, file: string, { target, typeOnly }: Import): boolean {
  if (!/^(server|db|e2e|dist)\//.test(target))
    return isTest(file) || room.mayNotPackages?.test(target) !== true;
  // What the tests have in common lies in e2e/.
  if (isTest(file) && target.startsWith('e2e/')) return true;
  if (isTest(file) && !file.startsWith('db/') && TESTS_MAY.test(target)) return true;
  return room.may.test(target) || (typeOnly && room.mayAsTypes?.test(target) === true);
}

function sourceFiles(): string[] {
  return ['db', 'server'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${folder}/${path.split(sep).join('/')}`),
  );
}

test('every import keeps to the rules of the house', () => {
  const files = sourceFiles().filter((file) => file !== 'server/imports.test.ts');
  assert.ok(files.length > 10, 'too few files were found');
  const found = files.flatMap((file) => breaches(file, readFileSync(`${ROOT}${file}`, 'utf8')));
  assert.deepEqual(found, []);
});

const BREACHES: Readonly<Record<string, string>> = {
  'db/tables.ts': "import { AppError } from '../server/errors.ts';",
  'db/migrations/0001.ts': "import type { Settings } from '../../server/settings.ts';",
  'db/connect.test.ts': "import { buildApp } from '../server/app.ts';",
  'server/tokens/issue.ts': "import { x } from '../http/endpoint.ts';",
  'server/tokens/keys.ts': "import type { FastifyInstance } from 'fastify';",
  'server/tokens/rules.ts': "import { SETTING_ROWS } from '../settings.ts';",
  'server/tokens/claims.ts': "import {\n  a,\n  b,\n} from '../api/token.ts';",
  'server/users/users.ts': "import { revoke } from '../tokens/revoke.ts';",
  'server/users/groups.ts': "export { revoke } from '../tokens/revoke.ts';",
  'server/sessions/sessions.ts': "import type { Claims } from '../tokens/claims.ts';",
  'server/audit/record.ts': "import { findUserById } from '../users/users.ts';",
  'server/http/pages.ts': "import { issue } from '../tokens/issue.ts';",
  'server/http/errors.ts': "import '../api/token.ts';",
  'server/api/token.ts': "const page = await import('../console/home.ts');",
  'server/admin/users.ts': "import { me } from '../api/me.ts';",
  'server/console/home.ts': "import { serve } from '../commands/serve.ts';",
  'server/console/guide.ts': "import { buildApp } from '../app.ts';",
  'server/app.ts': "import { serve } from './commands/serve.ts';",
  'server/commands/serve.ts': "import { main } from '../main.ts';",
  'server/main.ts': "import { buildApp } from './app.ts';",
  'server/errors.ts': "import type { Settings } from './settings.ts';",
  'server/settings.ts': "import { connect } from '../db/connect.ts';",
  'server/settings/types.ts': "import { loginForm } from '../http/forms.ts';",
  'server/api/root.ts': "import { dotenv } from '../settings/dotenv.ts';",
  'server/utils.ts': '',
  'server/users/hashers.ts': 'const rounds = process.env.ROUNDS;',
  'server/users/validators.ts': "const rounds = process['env'].ROUNDS;",
  'server/commands/check.ts': 'const { argv, env } = process;',
  'server/commands/help.ts': "import { argv } from 'node:process';",
};

describe('a breach is seen:', () => {
  for (const [file, source] of Object.entries(BREACHES)) {
    test(`${file}: ${source.replaceAll('\n', '') || 'a file in no room'}`, () => {
      assert.equal(breaches(file, source).length, 1);
    });
  }
});

const FINE: Readonly<Record<string, string>> = {
  'server/tokens/issue.ts':
    "import type { Settings } from '../settings.ts';\nimport { find } from '../users/users.ts';",
  'server/tokens/issue.test.ts':
    "import { loadSettings } from '../settings.ts';\nimport Fastify from 'fastify';",
  'server/api/token.ts':
    "import { issue } from '../tokens/issue.ts';\nimport { endpoint } from '../http/endpoint.ts';",
  'server/api/token.test.ts': "import { buildApp } from '../app.ts';",
  'server/admin/admin.fixture.ts': "import { buildApp } from '../app.ts';",
  'server/http/authenticate.ts': "import { find } from '../users/users.ts';",
  'server/main.ts': "import { COMMANDS } from './commands/index.ts';\nrun(process.argv, process.env);",
  'server/http/headers.ts': '// Not process.env: settings.\n/* import x from "../api/me.ts" */',
};

describe('no breach is seen where there is none:', () => {
  for (const [file, source] of Object.entries(FINE)) {
    test(file, () => assert.deepEqual(breaches(file, source), []));
  }
});
