import { Lending } from './lending.ts';
import { ADA, openSite, type Site } from './site.ts';

/** What the shared site signs its tokens with, for tests that sign some as well. */
export const KEY = 'a key that the test knows, and long enough for HS256';

/** A site with ADA on it for all tests that need no other settings and change nothing that others look at. */
export const SHARED_SITE = new Lending<Site>(
  async () => {
    const site = await openSite({ SIGNING_KEY: KEY });
    await site.server.createUser(ADA);
    return site;
  },
  (site) => site.close(),
);
