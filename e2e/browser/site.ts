import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright';
import { type Account, type ServerProcess, startServer } from '../server-process.ts';
import type { Profile, Visitor } from './profiles.ts';
import { BROWSER } from './shared-browser.ts';

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
   * @param options call for a browser profile with nothing in it; without them all visits share one, as starting one takes time
   */
  visit<T>(task: (page: Page) => Promise<T>, options?: BrowserContextOptions): Promise<T>;
  close(): Promise<void>;
}

/** A server of its own, to be closed by {@link Site.close}, and the Chromium of this process. */
export async function openSite(settings: Readonly<Record<string, string>> = {}): Promise<Site> {
  const [server, profiles] = await Promise.all([startServer({ settings }), BROWSER.borrow()]);
  let shared: Promise<Profile> | undefined;
  return {
    server,
    async visit(task, options) {
      if (options === undefined) {
        shared ??= profiles.take(server.url, {});
        return await attend(await shared, task).catch(blame(server));
      }
      const profile = await profiles.take(server.url, options);
      const result = await attend(profile, task).catch(blame(server));
      await profiles.giveBack(profile);
      return result;
    },
    async close() {
      if (shared !== undefined) await profiles.giveBack(await shared);
      await profiles.leave(server.url);
      await server.stop();
      BROWSER.giveBack();
    },
  };
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
