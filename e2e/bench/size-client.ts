import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  body: string;
  /** From the first byte that was sent to the last that came, in milliseconds. */
  took: number;
}

/** Somebody who is logged in to the admin, and opens one page after the other on one connection. */
export class AdminClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
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

  send(method: string, path: string, form?: string): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      accept: 'text/html',
      cookie,
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const outgoing = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (incoming) => {
        for (const line of incoming.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          this.#cookies.set(name, value);
        }
        text(incoming).then((body) => {
          resolve({ status: incoming.statusCode ?? 0, body, took: performance.now() - started });
        }, reject);
      });
      outgoing.on('error', reject);
      outgoing.end(form);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
