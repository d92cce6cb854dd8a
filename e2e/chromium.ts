import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { PROJECT_FOLDER } from './server-process.ts';

/** How long Playwright's download and a system's package manager may take, in milliseconds. */
const INSTALL_LIMIT = 300_000;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

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
  { name: 'apt-get install chromium', install: installWithApt, paths: onPath },
];

/** Starts a headless Chromium that talks to nobody but the pages it is sent to; installs one where there is none. */
export async function launchChromium(): Promise<Browser> {
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
        return await launch(path);
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
 * The path of a Chromium that was seen to start. Given on as CHROMIUM_PATH it spares every test file the search.
 *
 * @throws Error that says what was tried and what to install
 */
export async function findChromium(): Promise<string> {
  const browser = await launchChromium();
  await browser.close();
  return STARTED.get(browser) as string;
}

const STARTED = new WeakMap<Browser, string>();

async function launch(executablePath: string): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    // With its sandbox it starts neither as root nor in most containers, and it opens none but our own pages.
    chromiumSandbox: false,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  STARTED.set(browser, executablePath);
  return browser;
}

function onPath(): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}

function installWithApt(): void {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('no apt-get here');
  const prefix = isRoot() ? [] : ['sudo', '-n'];
  run('env', [...prefix, 'apt-get', 'update']);
  run('env', [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', 'chromium']);
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
