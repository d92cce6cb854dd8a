import type { Database } from '../../../db/statement.ts';
import { makeSetupKey } from '../../sessions/setup-keys.ts';
import { countSuperusers } from '../../users/users.ts';

/** What a newcomer does next. */
export async function welcome(db: Database, url: string): Promise<string> {
  const firstSteps = (await countSuperusers(db)) === 0 ? await setupHint(db, url) : '';
  return `Jotgate is ready at ${url}\n${firstSteps}Quit the server with CONTROL-C.\n`;
}

async function setupHint(db: Database, url: string): Promise<string> {
  const key = await makeSetupKey(db, new Date());
  return (
    '\nThere is no superuser yet. Create the first one in the browser, within 30 minutes:\n\n' +
    `    ${url}admin/setup/?key=${key}\n\nor in another terminal: npm run createsuperuser\n` +
    `Then log in at ${url}api/token/ or ${url}admin/\n`
  );
}
