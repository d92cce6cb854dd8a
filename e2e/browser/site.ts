import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { launchChromium } from '../chromium.ts';
import { type Account, type ServerProcess, startServer } from '../server-process.ts';
import { watch } from './watch.ts';

/** How long one step may take in the browser, in milliseconds. */
const PATIENCE = 15_000;

export const ADA: Account = {
  username: 'ada',
  email: 'ada@example.com',
  password: 'Correct-horse-7-battery',
  is_staff: true,
  is_superuser: true,
};

export interface Site {
  readonly server: ServerProcess;
  /**
   * Lends a page, and fails if it did anything that a page of ours must not do.
   *
   * @param options call for a browser profile of its own; without them all visits share one, as starting one takes time
   */
  visit<T>(task: (page: Page) => Promise<T>, options?: BrowserContextOptions): Promise<T>;
  close(): Promise<void>;
}

/** A page of a browser profile of its own, and what it did wrong since that was last asked. */
interface Visitor {
  readonly page: Page;
  faults(): string[];
}

/** A server of its own and a Chromium, both to be closed by {@link Site.close}. */
export async function openSite(settings: Readonly<Record<string, string>> = {}): Promise<Site> {
  const [server, browser] = await Promise.all([startServer({ settings }), launchChromium()]);
  let shared: Promise<Visitor> | undefined;
  return {
    server,
    async visit(task, options) {
      if (options === undefined) {
        shared ??= newVisitor(browser, server.url, {});
        return await attend(await shared, task).catch(blame(server));
      }
      const visitor = await newVisitor(browser, server.url, options);
      return await attend(visitor, task)
        .catch(blame(server))
        .finally(() => visitor.page.context().close());
    },
    close: async () => {
      await browser.close();
      await server.stop();
    },
  };
}

async function newVisitor(browser: Browser, url: string, options: BrowserContextOptions): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'en-US',
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const faults = watch(context, url);
  return { page: await context.newPage(), faults };
}

/** Puts what the server had to say to a failure, which is not to be seen in the browser. */
function blame(server: ServerProcess): (failure: unknown) => never {
  return (failure) => {
    const said = server.stderr();
    if (said === '' || !(failure instanceof Error)) throw failure;
    throw new Error(`${failure.message}\nThe server wrote:\n${said}`, { cause: failure });
  };
}

async function attend<T>({ page, faults }: Visitor, task: (page: Page) => Promise<T>): Promise<T> {
  // What came late is the fault of the visit before.
  faults();
  const result = await task(page);
  assert.deepEqual(faults(), []);
  return result;
}

/** Does what loads another page, and waits until that is there. */
export async function loading(page: Page, action: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('load'), action()]);
}
