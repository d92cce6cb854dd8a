import assert from 'node:assert/strict';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { PASSWORD, startSite, type TestSite } from '../app.fixture.ts';
import type { SettingName } from '../settings.ts';

export { PASSWORD };

const FORM = 'application/x-www-form-urlencoded';

/** A form's fields; a list stands for a name that comes more than once. */
export type Form = Readonly<Record<string, string | readonly string[]>>;

export interface TestAdmin extends TestSite {
  /** Gives a user permissions by their keys: `auth.view_user`. */
  grant(user: UserRow, ...keys: string[]): Promise<void>;
  /** A visitor of his own; logged in where a username is given. */
  visitor(username?: string): Promise<Visitor>;
}

/** A site whose admin is visited. */
export async function startAdmin(env: Partial<Record<SettingName, string>> = {}): Promise<TestAdmin> {
  const site = await startSite(env);
  return {
    ...site,
    grant: (user, ...keys) => grant(site.db, user, keys),
    async visitor(username) {
      const visitor = new Visitor(site.app);
      if (username !== undefined) await visitor.logIn(username);
      return visitor;
    },
  };
}

async function grant(db: Database, user: UserRow, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const [appLabel = '', codename = ''] = key.split('.');
    const permission = await db
      .selectFrom('auth_permission')
      .innerJoin('django_content_type', 'django_content_type.id', 'auth_permission.content_type_id')
      .select('auth_permission.id')
      .where('app_label', '=', appLabel)
      .where('codename', '=', codename)
      .executeTakeFirstOrThrow();
    await db
      .insertInto('auth_user_user_permissions')
      .values({ user_id: user.id, permission_id: permission.id })
      .execute();
  }
}

/** A browser without a face: it keeps cookies, and sends forms with the token that pages carry. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #app: FastifyInstance;
  #token = '';

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  async logIn(username: string, password = PASSWORD): Promise<void> {
    await this.get('/admin/login/');
    const answer = await this.post('/admin/login/', { username, password });
    assert.equal(answer.statusCode, 303, `${username} is not let in: ${answer.body.slice(0, 2000)}`);
  }

  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<LightMyRequestResponse> {
    return this.#keep(
      await this.#app.inject({ method: 'GET', url, headers: { ...this.#headers(), ...headers } }),
    );
  }

  /** Sends a form, with the token of the page that was opened last. */
  async post(
    url: string,
    form: Form = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LightMyRequestResponse> {
    // Every page for those who are logged in has the form of the log-out.
    if (this.#token === '') await this.get('/admin/');
    if (this.#token === '') await this.get('/admin/login/');
    const pairs = Object.entries({ csrfmiddlewaretoken: this.#token, ...form }).flatMap(([name, value]) =>
      [value].flat().map((one) => [name, one] as [string, string]),
    );
    return this.#keep(
      await this.#app.inject({
        method: 'POST',
        url,
        headers: { ...this.#headers(), 'content-type': FORM, ...headers },
        payload: new URLSearchParams(pairs).toString(),
      }),
    );
  }

  #headers(): Record<string, string> {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    return pairs.length === 0 ? {} : { cookie: pairs.join('; ') };
  }

  #keep(answer: LightMyRequestResponse): LightMyRequestResponse {
    for (const { name, value, maxAge, expires } of answer.cookies) {
      if (value === '' || maxAge === 0 || (expires !== undefined && expires.getTime() === 0))
        this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    // A log-in changes the secret, so the token of a page before it is worth nothing.
    if (answer.statusCode === 303 && answer.cookies.some(({ name }) => name.endsWith('jotgate_csrf')))
      this.#token = '';
    this.#token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(answer.body)?.[1] ?? this.#token;
    return answer;
  }
}

/** The message at the top of a page; null where there is none. */
export function shownMessage(page: string): string | null {
  const text = /<p class="message[^>]*>([\s\S]*?)<\/p>/.exec(page)?.[1];
  return text === undefined ? null : text.replace(/<[^>]*>/g, '').trim();
}
