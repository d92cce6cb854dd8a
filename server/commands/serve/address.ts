import { createServer } from 'node:net';
import { CommandError, UsageError } from '../command.ts';

/** Where to listen. */
export interface Address {
  host: string;
  port: number;
}

/** What is said of an address that cannot be listened on, in Django's words. */
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "You don't have permission to access that port.",
  EADDRINUSE: 'That port is already in use.',
  EADDRNOTAVAIL: "That IP address can't be assigned to.",
  ENOTFOUND: "That host name can't be resolved.",
};

/**
 * `8080`, `0.0.0.0:8080`, `localhost:8080` or `[::1]:8080`, as `runserver` takes it.
 *
 * @throws UsageError
 */
export function parseAddress(text: string | undefined, fallback: Address): Address {
  if (text === undefined) return fallback;
  const match = /^(?:(\[[\da-f:.]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UsageError(`"${text}" is not a valid port number or address:port pair.`);
  }
  return { host: match[1]?.replace(/^\[|\]$/g, '') ?? fallback.host, port };
}

/** An address as `parseAddress` takes it. */
export function addressText({ host, port }: Address): string {
  return `${bracketed(host)}:${port}`;
}

/** Where a person on this machine opens the server. */
export function urlOf({ host, port }: Address): string {
  return `http://${bracketed(host === '0.0.0.0' || host === '::' ? 'localhost' : host)}:${port}/`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Does what listens on an address, and says in words why it cannot. @throws CommandError, or what `listen` threw */
export async function explainListening<Result>(
  { host, port }: Address,
  listen: () => Promise<Result>,
): Promise<Result> {
  try {
    return await listen();
  } catch (error) {
    const text = LISTEN_ERRORS[(error as NodeJS.ErrnoException).code ?? ''];
    if (text === undefined) throw error;
    throw new CommandError(
      `${text} (${host}:${port}; the settings HOST and PORT, or \`serve addr:port\`, choose another)`,
    );
  }
}

/**
 * Makes sure that an address can be listened on, and gives it with the port that port 0 came to.
 *
 * @throws CommandError, or what listening threw
 */
export function tryAddress(address: Address): Promise<Address> {
  return explainListening(
    address,
    () =>
      new Promise((resolve, reject) => {
        const server = createServer().once('error', reject);
        server.listen(address, () => {
          const bound = server.address();
          const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
          server.close(() => resolve({ host: address.host, port }));
        });
      }),
  );
}
