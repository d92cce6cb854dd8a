import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimName, type TokenClaim, tokenClaims, USER_FIELDS } from './claim-types.ts';
import { RefusedValue } from './types.ts';

const names: { own?: string; takes: string[]; refuses: string[] }[] = [
  {
    takes: ['user_id', 'typ', 'https://example.com/type', 'user id', 'größe', '用户'],
    refuses: [
      'iss',
      'sub',
      'aud',
      'exp',
      'nbf',
      'iat',
      'jti',
      'sid',
      '',
      '__proto__',
      'a\nb',
      'a\u0000',
      'a\u2028b',
      '\ud800',
    ],
  },
  { own: 'sub', takes: ['sub', 'id'], refuses: ['exp', 'jti', 'iat'] },
  { own: 'jti', takes: ['jti', 'id'], refuses: ['exp', 'sub', 'aud'] },
];

for (const { own, takes, refuses } of names) {
  test(`a claim's name${own ? `, which may be ${own}` : ''}`, () => {
    const type = claimName(own);
    for (const name of takes) assert.equal(type.parse(name), name);
    for (const name of refuses) assert.throws(() => type.parse(name), RefusedValue, name);
  });
}

const taken: [text: string, claims: TokenClaim[], shown?: string][] = [
  ['', []],
  ['email=$email', [{ claim: 'email', field: 'email' }]],
  [
    ' email = $email , groups=$groups, tenant=acme',
    [
      { claim: 'email', field: 'email' },
      { claim: 'groups', field: 'groups' },
      { claim: 'tenant', constant: 'acme' },
    ],
    'email=$email,groups=$groups,tenant=acme',
  ],
  ['price=$$5', [{ claim: 'price', constant: '$5' }]],
  ['price=$$$5', [{ claim: 'price', constant: '$$5' }]],
  ['sum=5$', [{ claim: 'sum', constant: '5$' }]],
  ['only=$$', [{ claim: 'only', constant: '$' }]],
  ['a=b=c', [{ claim: 'a', constant: 'b=c' }]],
  [
    USER_FIELDS.map((field) => `x_${field}=$${field}`).join(),
    USER_FIELDS.map((field) => ({ claim: `x_${field}`, field })),
  ],
];

for (const [text, claims, shown = text] of taken) {
  test(`token claims: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(tokenClaims.parse(text), claims);
    assert.equal(tokenClaims.show(claims), shown);
    assert.deepEqual(tokenClaims.parse(shown), claims);
  });
}

const fields =
  'the fields are $id, $username, $email, $first_name, $last_name, $is_staff, $is_superuser, $date_joined, $last_login, $groups';
const never = (claim: string) => `It never sets ${claim}, as the server itself gives that claim its meaning`;
const shape = (item: string) => `It takes claim=$field or claim=text, not ${JSON.stringify(item)}`;

const refused: [text: string, reasons: string[]][] = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid'].map((claim): [string, string[]] => [
    `${claim}=x`,
    [never(claim)],
  ]),
  ['a=$password', [`A user has no field "$password"; ${fields}`]],
  ['a=$', [`A user has no field "$"; ${fields}`]],
  ['a=$Email', [`A user has no field "$Email"; ${fields}`]],
  ['a=1,a=$email', ['It has the claim a more than once']],
  ['a', [shape('a')]],
  ['a=', [shape('a=')]],
  ['=a', [shape('=a')]],
  ['$email', [shape('$email')]],
  ['__proto__=a', [shape('__proto__=a')]],
  ['a=1,,b=2', []],
  [
    'exp=1,a=$x,b,c=1,c=2,c=3',
    [never('exp'), `A user has no field "$x"; ${fields}`, shape('b'), 'It has the claim c more than once'],
  ],
];

for (const [text, reasons] of refused) {
  test(`token claims never: ${JSON.stringify(text)}`, () => {
    assert.throws(() => tokenClaims.parse(text), { name: 'RefusedValue', reasons });
  });
}
