import cluster from 'node:cluster';
import { migrate } from '../../db/migrate.ts';
import { makeLogger } from '../http/log.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { parseAddress } from './serve/address.ts';

/** Django's `runserver`, which here is no development server but the server. */
export const serve: Command = {
  name: 'serve',
  aliases: ['runserver'],
  summary: 'Serves until it is told to stop.',
  usage: `usage: jotgate serve [--migrate] [addrport]

Serves until SIGINT or SIGTERM; then it finishes what is in flight and exits with 0. With WORKERS above 1
several processes serve, and SIGHUP replaces them one by one without losing a request: they take a new
.env file and a new version of the program, but for HOST, PORT and WORKERS.

positional arguments:
  addrport              Optional port number, or ipaddr:port. Default: the settings HOST and PORT.

options:
  --migrate             Apply unapplied migrations first.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  try {
    return await serveAs(context, args);
  } finally {
    // Where this is a worker, its line to the process above would keep it alive.
    cluster.worker?.disconnect();
  }
}

/** Serves as what this process is: a worker, one that looks after workers, or the only one. */
async function serveAs(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument } = parseFlags(args, { migrate: { type: 'boolean' } }, 'addrport');
  const { settings } = await context.loadSettings();
  const address = parseAddress(argument, { host: settings.HOST, port: settings.PORT });
  if (flags.migrate) await bringUpToDate(context);
  const db = await openMigratedDatabase(context);
  const logger = makeLogger(settings.LOG_LEVEL, context.stderr);
  const say = (text: string) => void context.stdout.write(text);
  // Each loads only what it needs: who looks after workers does not serve.
  if (cluster.isWorker) {
    const { serveAsWorker } = await import('./serve/worker.ts');
    await serveAsWorker(db, settings, { logger, address });
  } else if (settings.WORKERS > 1) {
    const { serveWithWorkers } = await import('./serve/workers.ts');
    return serveWithWorkers(db, settings, { logger, address, say, stdin: context.stdin });
  } else {
    const { serveAlone } = await import('./serve/alone.ts');
    await serveAlone(db, settings, { logger, address, say });
  }
  return 0;
}

async function bringUpToDate(context: CommandContext): Promise<void> {
  const db = await context.openDatabase();
  await migrate(db, (name) => context.stdout.write(`Applied migration ${name}\n`));
}
