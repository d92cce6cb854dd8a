import { RefusedValue, type SettingType, splitAtCommas, text } from './types.ts';

/** What of a user can be copied into a token. */
export const USER_FIELDS = [
  'id',
  'username',
  'email',
  'first_name',
  'last_name',
  'is_staff',
  'is_superuser',
  'date_joined',
  'last_login',
  'groups',
] as const;

export type UserField = (typeof USER_FIELDS)[number];

/** A claim put into every new pair: a copy of a user's field, or a constant text. It has exactly one of the two. */
export interface TokenClaim {
  readonly claim: string;
  readonly field?: UserField;
  readonly constant?: string;
}

/** RFC 7519, section 4.1, and `sid` of OpenID Connect, which names a login. */
const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid'];

// The last one would set a prototype, not a claim, wherever claims are assigned to an object.
const NO_NAME = /[\p{C}\p{Zl}\p{Zp}]|^$|^__proto__$/u;

/**
 * The name of a claim that a setting renames.
 *
 * @param own the one registered claim that means the same, if there is one
 */
export function claimName(own?: string): SettingType<string> {
  const others = REGISTERED.filter((registered) => registered !== own);
  const type = text(`the name of a claim, but none of ${others.join(', ')}`, /./);
  return {
    ...type,
    parse(name) {
      if (NO_NAME.test(name) || others.includes(name)) throw new RefusedValue();
      return name;
    },
  };
}

/**
 * Comma-separated claims: `email=$email` copies a user's field, `tenant=acme` is a constant, and `price=$$5` the
 * constant `$5`. Every item that is wrong gives a reason.
 */
export const tokenClaims: SettingType<readonly TokenClaim[]> = {
  takes: 'a comma-separated list of claim=$field and claim=text, or nothing',
  parse(value) {
    const items = value === '' ? [] : splitAtCommas(value).map(parseTokenClaim);
    const seen = new Set<string>();
    const reasons: string[] = [];
    for (const item of items) {
      const reason =
        item instanceof RefusedValue
          ? item.message
          : seen.has(item.claim) && `It has the claim ${item.claim} more than once`;
      if (reason) reasons.push(reason);
      if ('claim' in item) seen.add(item.claim);
    }
    if (reasons.length > 0) throw new RefusedValue(...new Set(reasons));
    return items.filter((item) => 'claim' in item);
  },
  show: (claims) =>
    claims
      .map(
        ({ claim, field, constant }) => `${claim}=${field ? `$${field}` : constant?.replace(/^\$/, '$$$$')}`,
      )
      .join(','),
};

function parseTokenClaim(item: string): TokenClaim | RefusedValue {
  const [, claim = '', source = ''] = /^([^=]*?)\s*=\s*(.*)$/s.exec(item) ?? [];
  if (source === '' || NO_NAME.test(claim)) {
    return new RefusedValue(`It takes claim=$field or claim=text, not ${JSON.stringify(item)}`);
  }
  if (REGISTERED.includes(claim)) {
    return new RefusedValue(`It never sets ${claim}, as the server itself gives that claim its meaning`);
  }
  if (source.startsWith('$$')) return { claim, constant: source.slice(1) };
  if (!source.startsWith('$')) return { claim, constant: source };
  const field = USER_FIELDS.find((name) => name === source.slice(1));
  if (field) return { claim, field };
  return new RefusedValue(
    `A user has no field ${JSON.stringify(source)}; the fields are ${USER_FIELDS.map((name) => `$${name}`).join(', ')}`,
  );
}
