import { type Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { CaseCount } from '../case-table.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What was parsed from JSON; the text where it is none. */
  readonly body: Readonly<Record<string, string>>;
}

let requests = 0;
let serverErrors = 0;

/** What was asked in this process so far. */
export function askedSoFar(): CaseCount {
  return { requests, serverErrors };
}

/** How long one answer may take, in milliseconds. */
const PATIENCE = 20_000;

/**
 * Sends fields as JSON and gives the answer once all of it has come: what was cut off was not acknowledged. Without
 * fields it is a GET.
 *
 * @throws the error of the connection
 */
export function ask(
  url: string,
  path: string,
  fields?: Readonly<Record<string, string>>,
  agent?: Agent,
): Promise<Answer> {
  const payload = fields === undefined ? undefined : JSON.stringify(fields);
  const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
  requests += 1;
  return new Promise((resolve, reject) => {
    const options = {
      ...(agent && { agent }),
      method: payload === undefined ? 'GET' : 'POST',
      headers: payload === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(payload) },
      timeout: PATIENCE,
    };
    const outgoing = request(new URL(path, url), options, (incoming) => {
      const { statusCode = 0, headers } = incoming;
      if (statusCode >= 500) serverErrors += 1;
      text(incoming).then(
        (content) => resolve({ status: statusCode, headers, body: parsed(content) }),
        reject,
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${path} was not answered`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function parsed(content: string): Record<string, string> {
  try {
    return JSON.parse(content) as Record<string, string>;
  } catch {
    return { text: content };
  }
}
