import { parseCompact, withoutSignature } from '../../server/tokens/compact.ts';
import { queryDatabase } from '../database-query.ts';

/** One thing that the server said it has done. The ids are those of tokens, their jti. */
type Fact =
  | { readonly kind: 'issued'; readonly jti: string; readonly stored: string }
  | { readonly kind: 'rotated'; readonly jti: string; readonly successor: string }
  | { readonly kind: 'revoked'; readonly jti: string };

interface TokenState {
  jti: string;
  token: string;
  blacklisted_at: string | null;
  rotated_at: string | null;
  successor_jti: string | null;
}

/** Everything that was acknowledged, to be held against what the database says. */
export class Ledger {
  readonly #facts: Fact[] = [];
  #settled = 0;

  issued(token: string): void {
    this.#facts.push({ kind: 'issued', jti: jtiOf(token), stored: withoutSignature(token) });
  }

  rotated(token: string, successor: string): void {
    this.issued(successor);
    this.#facts.push({ kind: 'rotated', jti: jtiOf(token), successor: jtiOf(successor) });
  }

  revoked(token: string): void {
    this.#facts.push({ kind: 'revoked', jti: jtiOf(token) });
  }

  count(kind: Fact['kind']): number {
    return this.#facts.filter((fact) => fact.kind === kind).length;
  }

  /**
   * What the database does not hold of what was acknowledged since the last time, or of all of it.
   *
   * @returns a line each; none where every fact holds
   */
  async breaches(url: string, { all = false } = {}): Promise<string[]> {
    const states = new Map((await tokenStates(url)).map((state) => [state.jti, state]));
    const facts = all ? this.#facts : this.#facts.slice(this.#settled);
    this.#settled = this.#facts.length;
    return facts.flatMap((fact) => breachOf(fact, states.get(fact.jti)) ?? []);
  }
}

function breachOf(fact: Fact, state: TokenState | undefined): string | undefined {
  if (state === undefined) return `${fact.jti} was ${fact.kind} and is not recorded`;
  if (fact.kind === 'issued')
    return state.token === fact.stored ? undefined : `${fact.jti} is recorded as another`;
  if (state.blacklisted_at === null) return `${fact.jti} was ${fact.kind} and lives`;
  if (fact.kind === 'revoked' || state.successor_jti === fact.successor) return undefined;
  return `${fact.jti} was followed by ${fact.successor}, and ${state.successor_jti} is recorded`;
}

function tokenStates(url: string): Promise<TokenState[]> {
  return queryDatabase<TokenState>(
    url,
    `select outstanding.jti, outstanding.token, blacklisted.blacklisted_at, place.rotated_at, place.successor_jti
    from token_blacklist_outstandingtoken as outstanding
    left join token_blacklist_blacklistedtoken as blacklisted on blacklisted.token_id = outstanding.id
    left join jotgate_session_token as place on place.jti = outstanding.jti`,
  );
}

export function jtiOf(token: string): string {
  return String(parseCompact(token).payload.jti);
}

/** What must never be, with no regard to what was acknowledged: each gives the tokens or sessions for which it is. */
const NEVER: Readonly<Record<string, string>> = {
  'has two successors': `select predecessor_jti as id from jotgate_session_token
    where predecessor_jti is not null group by predecessor_jti having count(*) > 1`,
  'was rotated and lives': `select place.jti as id from jotgate_session_token as place
    join token_blacklist_outstandingtoken as outstanding on outstanding.jti = place.jti
    left join token_blacklist_blacklistedtoken as blacklisted on blacklisted.token_id = outstanding.id
    where place.rotated_at is not null and blacklisted.id is null`,
  'was rotated and has no successor': `select place.jti as id from jotgate_session_token as place
    left join token_blacklist_outstandingtoken as successor on successor.jti = place.successor_jti
    left join jotgate_session_token as next on next.jti = place.successor_jti
    where place.rotated_at is not null and (successor.id is null or next.jti is null)`,
  'is a session with two live tokens': `select place.session_id as id from jotgate_session_token as place
    join token_blacklist_outstandingtoken as outstanding on outstanding.jti = place.jti
    left join token_blacklist_blacklistedtoken as blacklisted on blacklisted.token_id = outstanding.id
    where blacklisted.id is null group by place.session_id having count(*) > 1`,
  'was recorded and is in no session': `select outstanding.jti as id from token_blacklist_outstandingtoken as outstanding
    left join jotgate_session_token as place on place.jti = outstanding.jti where place.jti is null`,
};

/** What is wrong with a database of SQLite after a crash, whoever was told what. A line each. */
export async function damages(url: string): Promise<string[]> {
  const found: string[] = [];
  const [integrity] = await queryDatabase<{ integrity_check: string }>(url, 'PRAGMA integrity_check');
  if (integrity?.integrity_check !== 'ok') found.push(`integrity_check: ${integrity?.integrity_check}`);
  if ((await queryDatabase(url, 'PRAGMA foreign_key_check')).length > 0)
    found.push('a foreign key is broken');
  for (const [what, query] of Object.entries(NEVER)) {
    for (const { id } of await queryDatabase<{ id: string | number }>(url, query))
      found.push(`${id} ${what}`);
  }
  return found;
}
