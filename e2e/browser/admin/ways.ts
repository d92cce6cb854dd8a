import type { BrowserContextOptions, Page } from 'playwright';
import { type Hands, keyboard, mouse } from '../hands.ts';

interface Way {
  handsOf(page: Page): Hands;
  /** Of the browser's profile. */
  options: BrowserContextOptions;
}

/** In how many ways people come through the admin: what matters must work in each. */
export const WAYS: Readonly<Record<string, Way>> = {
  'by mouse': { handsOf: mouse, options: {} },
  'by keyboard alone': { handsOf: keyboard, options: {} },
  'with JavaScript off': { handsOf: mouse, options: { javaScriptEnabled: false } },
  'on a phone': { handsOf: mouse, options: { viewport: { width: 360, height: 740 }, hasTouch: true } },
};
