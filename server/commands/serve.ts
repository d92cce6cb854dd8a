import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import { buildApp } from '../app.ts';
import { watchConnections } from '../http/connections.ts';
import { makeLogger } from '../http/log.ts';
import { makeSetupKey } from '../sessions/setup-keys.ts';
import { countSuperusers } from '../users/users.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';

/** Django's `runserver`, which here is no development server but the server. */
export const serve: Command = {
  name: 'serve',
  aliases: ['runserver'],
  summary: 'Serves until it is told to stop.',
  usage: `usage: jotgate serve [--migrate] [addrport]

Serves until SIGINT or SIGTERM; then it finishes what is in flight and exits with 0.

positional arguments:
  addrport              Optional port number, or ipaddr:port. Default: the settings HOST and PORT.

options:
  --migrate             Apply unapplied migrations first.${COMMON_FLAGS_HELP}`,
  run,
};

/** What is said of an address that cannot be listened on, in Django's words. */
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "You don't have permission to access that port.",
  EADDRINUSE: 'That port is already in use.',
  EADDRNOTAVAIL: "That IP address can't be assigned to.",
  ENOTFOUND: "That host name can't be resolved.",
};

interface Address {
  host: string;
  port: number;
}

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument } = parseFlags(args, { migrate: { type: 'boolean' } }, 'addrport');
  const { settings } = await context.loadSettings();
  const address = parseAddress(argument, { host: settings.HOST, port: settings.PORT });
  if (flags.migrate) await bringUpToDate(context);
  const db = await openMigratedDatabase(context);
  const logger = makeLogger(settings.LOG_LEVEL, context.stderr);
  const app = await buildApp({ db, settings, logger });
  const stopped = stopSignal();
  const letConnectionsGo = watchConnections(app.server);
  await listen(app, address);
  context.stdout.write(await welcome(db, urlOf(app, address.host)));
  await stopped;
  const haveGone = letConnectionsGo();
  await app.close();
  haveGone();
  return 0;
}

async function bringUpToDate(context: CommandContext): Promise<void> {
  const db = await context.openDatabase();
  await migrate(db, (name) => context.stdout.write(`Applied migration ${name}\n`));
}

async function listen(app: FastifyInstance, { host, port }: Address): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const text = LISTEN_ERRORS[(error as NodeJS.ErrnoException).code ?? ''];
    if (text === undefined) throw error;
    throw new CommandError(
      `${text} (${host}:${port}; the settings HOST and PORT, or \`serve addr:port\`, choose another)`,
    );
  }
}

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once, as signals do by default. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}

/** `8080`, `0.0.0.0:8080`, `localhost:8080` or `[::1]:8080`, as `runserver` takes it. */
function parseAddress(text: string | undefined, fallback: Address): Address {
  if (text === undefined) return fallback;
  const match = /^(?:(\[[\da-f:.]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UsageError(`"${text}" is not a valid port number or address:port pair.`);
  }
  return { host: match[1]?.replace(/^\[|\]$/g, '') ?? fallback.host, port };
}

function urlOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/`;
}

/** What a newcomer does next. */
async function welcome(db: Database, url: string): Promise<string> {
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
