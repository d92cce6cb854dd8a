import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { PROJECT_FOLDER } from './server-process.ts';

/** How long Playwright's download and a system's package manager may take, in milliseconds. */
const INSTALL_LIMIT = 300_000;

/** The first is a Chromium that is nothing but headless, for which a page is half the work. */
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

const isRoot = () => process.getuid?.() === 0;

/** One way to come by a Chromium. */
interface Source {
  readonly name: string;
  /** Makes it available first, where that takes time. Throws when it cannot. */
  install?(): void;
  paths(): readonly (string | undefined)[];
}

/** In this order: what is there already, then what can be fetched. */
const SOURCES: readonly Source[] = [
  { name: 'CHROMIUM_PATH', paths: () => [process.env.CHROMIUM_PATH] },
  { name: `${NAMES.join(', ')} on the PATH`, paths: onPath },
  { name: "Playwright's own", paths: () => [chromium.executablePath()] },
  {
    name: 'npx playwright install chromium',
    install: () => run('npx', ['--no-install', 'playwright', 'install', 'chromium']),
    paths: () => [chromium.executablePath()],
  },
  ...['chromium-headless-shell', 'chromium'].map((name) => ({
    name: `apt-get install ${name}`,
    install: () => installWithApt(name),
    paths: onPath,
  })),
];

/**
 * The path of a Chromium that was seen to start; installs one where there is none. Given on as CHROMIUM_PATH it spares
 * every process the search.
 *
 * @throws Error that says what was tried and what to install
 */
export async function findChromium(): Promise<string> {
  const tried: string[] = [];
  for (const source of SOURCES) {
    try {
      source.install?.();
    } catch (error) {
      tried.push(`${source.name}: ${firstLine(error)}`);
      continue;
    }
    const candidates = source.paths().filter((path) => path !== undefined && existsSync(path)) as string[];
    if (candidates.length === 0) tried.push(`${source.name}: none there`);
    for (const path of candidates) {
      try {
        await (await launchChromium(path)).close();
        return path;
      } catch (error) {
        tried.push(`${source.name}: ${path} does not start: ${firstLine(error)}`);
      }
    }
  }
  throw new Error(
    `The browser tests need a Chromium and there is none that starts. Tried:\n  ${tried.join('\n  ')}\n` +
      'Install one (Debian: apt-get install chromium; anywhere: npx playwright install --with-deps chromium), ' +
      'or name one in CHROMIUM_PATH.',
  );
}

/**
 * Starts a headless Chromium that talks to nobody but the pages it is sent to.
 *
 * @param executablePath as {@link findChromium} finds it
 */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // With its sandbox it starts neither as root nor in most containers, and it opens none but our own pages.
    chromiumSandbox: false,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // No page lives long enough for its scripts, which are axe most of all, to be worth more than the first compiler.
      '--js-flags=--no-opt,--no-maglev,--no-flush-bytecode',
    ],
  });
}

function onPath(): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}

function installWithApt(name: string): void {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('no apt-get here');
  const prefix = isRoot() ? [] : ['sudo', '-n'];
  run('env', [...prefix, 'apt-get', 'update']);
  run('env', [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', name]);
}

function run(command: string, parameters: readonly string[]): void {
  console.log(`Installing Chromium: ${command} ${parameters.join(' ')}`);
  execFileSync(command, parameters, {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_LIMIT,
  });
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n').find((line) => line.trim() !== '') ?? 'no reason given';
}
