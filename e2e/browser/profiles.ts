import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright';
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
 * The browser profiles of one site. One that is given back is emptied and lent again to whoever wants one of the same
 * options: to make a profile takes as long as to open five pages.
 */
export class Profiles {
  readonly #browser: Browser;
  readonly #url: string;
  readonly #idle = new Map<string, Visitor[]>();
  #shared: Promise<Visitor> | undefined;

  constructor(browser: Browser, url: string) {
    this.#browser = browser;
    this.#url = url;
  }

  /** One that everybody shares, with all that is kept in it. */
  shared(): Promise<Visitor> {
    this.#shared ??= this.#make({});
    return this.#shared;
  }

  /** Lends one that nobody else has meanwhile, with nothing in it. */
  async lend<T>(options: BrowserContextOptions, task: (visitor: Visitor) => Promise<T>): Promise<T> {
    const key = JSON.stringify(options);
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const visitor = idle.pop() ?? (await this.#make(options));
    const result = await task(visitor);
    // After a failure it is not known what state it is in: then it is lent no more.
    await empty(visitor.page, this.#url, options);
    idle.push(visitor);
    return result;
  }

  async close(): Promise<void> {
    const contexts = this.#browser.contexts().filter((context) => OWNERS.get(context) === this);
    await Promise.all(contexts.map((context) => context.close()));
  }

  async #make(options: BrowserContextOptions): Promise<Visitor> {
    const context = await this.#browser.newContext({
      baseURL: this.#url,
      locale: 'en-US',
      viewport: VIEWPORT,
      ...options,
    });
    OWNERS.set(context, this);
    context.setDefaultTimeout(PATIENCE);
    const faults = watch(context, this.#url);
    return { page: await context.newPage(), faults };
  }
}

const OWNERS = new WeakMap<BrowserContext, Profiles>();

/** Puts a profile back to how it was made, but for the style and the scripts in its cache. */
async function empty(page: Page, origin: string, options: BrowserContextOptions): Promise<void> {
  const context = page.context();
  await context.clearCookies();
  const session = await context.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  await session.detach();
  await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light', reducedMotion: 'no-preference' });
  const { width, height } = options.viewport ?? VIEWPORT;
  const now = page.viewportSize();
  if (now?.width !== width || now.height !== height) await page.setViewportSize({ width, height });
}
