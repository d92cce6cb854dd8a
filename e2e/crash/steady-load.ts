import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request that is made again and again, and how it must be answered. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
}

export interface LoadResult {
  readonly answered: number;
  /** What went wrong, in words: the code of an error, or a status that was not wanted. */
  readonly failures: readonly string[];
}

export interface Load {
  /** How many were answered rightly so far. */
  answered(): number;
  failures(): readonly string[];
  /** Lets what is on its way be answered, and ends. */
  stop(): Promise<LoadResult>;
}

/** How long one answer may take, in milliseconds. */
const PATIENCE = 15_000;

/**
 * Sends requests to a server on connections that are kept, one after the other on each, as busy clients do. Nothing
 * is tried again: whatever is not answered as it must be counts as a failure.
 *
 * @param pause between an answer and the next request on a connection, in milliseconds
 */
export function startLoad(
  url: string,
  requests: readonly LoadRequest[],
  { connections = 8, pause = 0 } = {},
): Load {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const client = async (offset: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = offset; !isOver; turn += 1) {
      const wanted = requests[turn % requests.length] as LoadRequest;
      const failure = await ask(url, wanted, agent);
      if (failure === null) answered += 1;
      else failures.push(`${wanted.path}: ${failure}`);
      // Who is refused at once would ask thousands of times a second.
      await new Promise((resolve) => setTimeout(resolve, failure === null ? pause : 20));
    }
    agent.destroy();
  };
  const clients = Array.from({ length: connections }, (_, index) => client(index));
  return {
    answered: () => answered,
    failures: () => failures,
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return { answered, failures };
    },
  };
}

/** What went wrong; null when nothing did. */
function ask(url: string, wanted: LoadRequest, agent: Agent): Promise<string | null> {
  const { method, path, headers = {}, body = '', status } = wanted;
  return new Promise((resolve) => {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = { agent, method, headers: { ...headers, ...length }, timeout: PATIENCE };
    const outgoing = request(new URL(path, url), options, (incoming) => {
      text(incoming).then(
        (answer) => {
          const isRight = incoming.statusCode === status;
          resolve(isRight ? null : `${incoming.statusCode} ${answer.slice(0, 200)}`);
        },
        (error) => resolve(`answer cut off: ${(error as NodeJS.ErrnoException).code}`),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('late'), { code: 'LATE' })));
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end(body);
  });
}
