import { startPostgres } from './postgres.ts';
import { makeTemplate } from './postgres-template.ts';

// Starts the server of the tests on Postgres, for whoever wants to run some of them by hand. Ends with CONTROL-C.
const server = await startPostgres();
process.once('SIGINT', async () => {
  await server.remove();
  process.exit(0);
});
console.log(`Postgres ${server.version} is ready. To run tests on it:\n`);
console.log(
  `  TEST_DATABASE=${await makeTemplate(server.url)} node --import tsx --test db/migrate.test.ts\n`,
);
