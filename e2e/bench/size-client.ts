import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  body: string;
  /** Of the cookies that it sets, the `Set-Cookie` headers. */
  cookies: readonly string[];
  /** From the first byte that was sent to the last that came, in milliseconds. */
  took: number;
}

interface Sent {
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  agent: Agent;
}

function send(url: string, { method, headers, body, agent }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const outgoing = request(url, { method, headers, agent }, (incoming) => {
      const { statusCode: status = 0, headers: received } = incoming;
      text(incoming).then((content) => {
        const took = performance.now() - started;
        resolve({ status, body: content, cookies: received['set-cookie'] ?? [], took });
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** One connection, as of one visitor. */
function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** Somebody who is logged in to the admin, and opens one page after the other on one connection. */
export class AdminClient {
  readonly #url: string;
  readonly #agent = oneConnection();
  readonly #cookies = new Map<string, string>();

  private constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error when the account is not let in */
  static async logIn(url: string, username: string, password: string): Promise<AdminClient> {
    const client = new AdminClient(url);
    const { body } = await client.send('GET', '/admin/login/');
    const csrfmiddlewaretoken = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1] ?? '';
    const form = new URLSearchParams({ csrfmiddlewaretoken, username, password });
    const { status } = await client.send('POST', '/admin/login/', form.toString());
    if (status !== 303) throw new Error(`${username} is not let in: ${status}`);
    return client;
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  async send(method: string, path: string, form?: string): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      accept: 'text/html',
      cookie,
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    const answer = await send(`${this.#url}${path}`, { method, headers, body: form, agent: this.#agent });
    for (const line of answer.cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A program that sends JSON to the API, one request after the other on one connection. */
export class ApiClient {
  readonly #url: string;
  readonly #agent = oneConnection();

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error when the answer is no 200 */
  async post(path: string, content: Readonly<Record<string, string>>): Promise<Answer> {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const body = JSON.stringify(content);
    const answer = await send(`${this.#url}${path}`, { method: 'POST', headers, body, agent: this.#agent });
    if (answer.status !== 200) throw new Error(`${path} answers ${answer.status}: ${answer.body}`);
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}
