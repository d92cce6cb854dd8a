import { type Browser, chromium } from 'playwright';
import { findChromium } from '../chromium.ts';
import { Lending } from './lending.ts';
import { Profiles } from './profiles.ts';

/** The profiles of the one Chromium of this process: to start one takes longer than most tests. */
export const BROWSER = new Lending(
  async () => new Profiles(await launch()),
  (profiles) => profiles.close(),
);

async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? (await findChromium()),
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
