import assert from 'node:assert/strict';
import { formOn } from '../../server/admin/page-form.fixture.ts';
import { type Attack, FORM, PASSWORD, type Reply } from './attack.ts';

/** A form's fields; a list stands for a name that comes more than once. */
export type Form = Readonly<Record<string, string | readonly string[]>>;

export interface Posting {
  readonly headers?: Readonly<Record<string, string>>;
  /** Another token against forgeries than the page's own; null for none. */
  readonly token?: string | null;
}

/** A browser without a face that attacks: it keeps cookies, and the token that pages carry. */
export class AdminVisitor {
  readonly cookies = new Map<string, string>();
  /** The token of the page that was opened last. */
  token = '';
  readonly #attack: Attack;

  constructor(attack: Attack) {
    this.#attack = attack;
  }

  /** Logs in, or is refused; ask `isIn` which. */
  async logIn(username: string, password = PASSWORD): Promise<Reply> {
    await this.get('/admin/login/');
    const reply = await this.post('/admin/login/', { username, password });
    // A log-in changes what tokens have to fit.
    if (reply.status === 303) await this.get('/admin/');
    return reply;
  }

  async isIn(): Promise<boolean> {
    const { status, headers } = await this.get('/admin/');
    assert.ok(status === 200 || status === 303, String(status));
    if (status === 303) assert.match(String(headers.location), /^\/admin\/login\/\?next=/);
    return status === 200;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.send('GET', path, { headers });
  }

  /** Sends a form with the token of the page that was opened last, unless it is to be another. */
  async post(
    path: string,
    form: Form = {},
    { headers = {}, token = this.token }: Posting = {},
  ): Promise<Reply> {
    const fields = token === null ? form : { csrfmiddlewaretoken: token, ...form };
    const pairs = Object.entries(fields).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    );
    const body = new URLSearchParams(pairs).toString();
    return this.send('POST', path, { headers: { 'content-type': FORM, ...headers }, body });
  }

  /** The form on a page as it is filled there, to be sent again with some fields changed. */
  async formOn(path: string): Promise<Record<string, string[]>> {
    const { status, body } = await this.get(path);
    assert.equal(status, 200, path);
    return formOn(body);
  }

  async send(
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Readonly<Record<string, string>>; body?: string },
  ): Promise<Reply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await this.#attack.send(path, {
      method,
      headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) this.#keep(line);
    this.token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(reply.body)?.[1] ?? this.token;
    return reply;
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
