import { findChromium, launchChromium } from '../chromium.ts';
import { Lending } from './lending.ts';
import { Profiles } from './profiles.ts';

/** The profiles of the one Chromium of this process: to start one takes longer than most tests. */
export const BROWSER = new Lending(
  async () => new Profiles(await launchChromium(process.env.CHROMIUM_PATH ?? (await findChromium()))),
  (profiles) => profiles.close(),
);
