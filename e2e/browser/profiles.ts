import type { APIRequestContext, Browser, BrowserContextOptions, Page } from 'playwright';
import { watch } from './watch.ts';

/** How long one step may take in the browser, in milliseconds. */
const PATIENCE = 15_000;

const VIEWPORT = { width: 1280, height: 900 };

/** A page of a browser profile, and what it did wrong since that was last asked. */
export interface Visitor {
  readonly page: Page;
  faults(): string[];
}

/**
 * The profiles of a browser. One that is given back is emptied and goes to the next who wants one of the same options,
 * of whichever site: to make a profile takes as long as to open five pages.
 */
export class Profiles {
  readonly #browser: Browser;
  readonly #idle = new Map<string, Profile[]>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /**
   * A profile with nothing in it, that nobody else has.
   *
   * @param origin what relative addresses are of, and the only one that may be asked for anything
   */
  async take(origin: string, options: BrowserContextOptions): Promise<Profile> {
    const idle = this.#idle.get(JSON.stringify(options));
    const profile = idle?.pop() ?? (await Profile.make(this.#browser, options));
    profile.aim(origin);
    return profile;
  }

  /** Not after a failure: then it is not known what state it is in. */
  async giveBack(profile: Profile): Promise<void> {
    await profile.empty();
    const key = JSON.stringify(profile.options);
    this.#idle.set(key, [...(this.#idle.get(key) ?? []), profile]);
  }

  /** Closes what is open of a site that nobody visits any more: its pages would go on counting the seconds. */
  async leave(origin: string): Promise<void> {
    const left = [...this.#idle.values()].flat().filter((profile) => profile.isAimedAt(origin));
    await Promise.all(left.map(({ page }) => page.goto('about:blank')));
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

export class Profile implements Visitor {
  readonly page: Page;
  readonly options: BrowserContextOptions;
  readonly faults: () => string[];
  #origin = '';

  private constructor(page: Page, options: BrowserContextOptions) {
    this.page = page;
    this.options = options;
    this.faults = watch(page.context(), () => this.#origin);
    const absolute = (url: string) => new URL(url, this.#origin).href;
    completeAddresses(page, absolute);
    completeRequests(page.request, absolute);
  }

  static async make(browser: Browser, options: BrowserContextOptions): Promise<Profile> {
    const context = await browser.newContext({ locale: 'en-US', viewport: VIEWPORT, ...options });
    context.setDefaultTimeout(PATIENCE);
    return new Profile(await context.newPage(), options);
  }

  aim(origin: string): void {
    this.#origin = origin;
  }

  isAimedAt(origin: string): boolean {
    return this.#origin === origin;
  }

  /** Puts it back to how it was made: no cookie, and a page of the first size and look, though of the last address. */
  async empty(): Promise<void> {
    const { page, options } = this;
    await page.context().clearCookies();
    await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light', reducedMotion: 'no-preference' });
    const { width, height } = options.viewport ?? VIEWPORT;
    const now = page.viewportSize();
    if (now?.width !== width || now.height !== height) await page.setViewportSize({ width, height });
  }
}

/** In place of the base address that Playwright gives a profile once and for all. */
function completeAddresses(page: Page, absolute: (url: string) => string): void {
  const goto = page.goto.bind(page);
  page.goto = (url, options) => goto(absolute(url), options);
}

/** As {@link completeAddresses}: every method of requests comes down to `fetch`. */
function completeRequests(request: APIRequestContext, absolute: (url: string) => string): void {
  const fetch = request.fetch.bind(request);
  request.fetch = (target, options) => fetch(typeof target === 'string' ? absolute(target) : target, options);
}
