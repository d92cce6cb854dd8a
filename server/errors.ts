/** What a body of JSON is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface ErrorRow {
  status: number;
  /** The body, word for word the original's where it has one; `{name}` stands for a detail. */
  body: Json;
  /** For people: what it means and what to do about it. */
  advice: string;
}

const tokenNotValid = (detail: string) => ({ detail, code: 'token_not_valid' });

/**
 * Every refusal there is: its HTTP status, its body and what a person should know. The texts are those of DRF's
 * `exceptions.py`, SimpleJWT's `exceptions.py`, `tokens.py` and `serializers.py`, and of PyJWT through SimpleJWT's
 * backend.
 */
const ERRORS = {
  no_active_account: {
    status: 401,
    body: { detail: 'No active account found with the given credentials' },
    advice:
      'No account has this username and password, or the account is switched off. ' +
      'Check both for typing errors (capitals count). To make an account, run: npm run createsuperuser',
  },
  token_user_inactive: {
    status: 401,
    body: { detail: 'No active account found for the given token.' },
    advice:
      'The token is genuine, but the account it was made for is gone or switched off. Log in with an active account at /api/token/.',
  },
  token_password_changed: {
    status: 401,
    body: { detail: "The user's password has been changed." },
    advice:
      'The password was changed after this token was made, so the token is dead. Log in again at /api/token/.',
  },
  token_invalid: {
    status: 401,
    body: tokenNotValid('Token is invalid'),
    advice:
      'This is not a token that this server signed, or it was altered or cut on the way. ' +
      'Copy the whole token, all three parts with both dots, and try again.',
  },
  token_expired: {
    status: 401,
    body: tokenNotValid('Token is expired'),
    advice:
      'The time this token was good for is over. If it is an access token, get a new one with your refresh token at ' +
      '/api/token/refresh/. If it is the refresh token, log in again at /api/token/.',
  },
  token_blacklisted: {
    status: 401,
    body: tokenNotValid('Token is blacklisted'),
    advice:
      'This token was revoked, or it was already exchanged for a newer one. Use the newer one, or log in again at /api/token/.',
  },
  token_session_ended: {
    status: 401,
    body: tokenNotValid('Session has ended'),
    advice:
      'The token is genuine, but the session it belongs to was ended: by a log-out, by its owner, or by an ' +
      'administrator. Log in again at /api/token/.',
  },
  token_reused: {
    status: 401,
    body: tokenNotValid('Token is blacklisted'),
    advice:
      'This refresh token was exchanged for a newer one before, and came again. Whoever sent it first may have ' +
      'stolen it, so the whole session was ended. Log in again at /api/token/.',
  },
  token_blacklisted_at_verify: {
    status: 400,
    body: { non_field_errors: ['Token is blacklisted'] },
    advice:
      'The token is genuine, but it was revoked or exchanged for a newer one: nothing will accept it. Log in again at /api/token/.',
  },
  token_without_claim: {
    status: 401,
    body: tokenNotValid("Token has no '{claim}' claim"),
    advice:
      'The token is signed with the right key, but a claim that every token here must have is missing. Log in again at /api/token/.',
  },
  token_claim_expired: {
    status: 401,
    body: tokenNotValid("Token '{claim}' claim has expired"),
    advice: 'The time in which this token could be refreshed is over. Log in again at /api/token/sliding/.',
  },
  token_without_id: {
    status: 401,
    body: tokenNotValid('Token has no id'),
    advice: 'The token names no id of its own, so it could never be revoked. Log in again at /api/token/.',
  },
  token_without_type: {
    status: 401,
    body: tokenNotValid('Token has no type'),
    advice: 'The token does not say whether it is an access or a refresh token. Log in again at /api/token/.',
  },
  token_wrong_type: {
    status: 401,
    body: tokenNotValid('Token has wrong type'),
    advice:
      'The token is genuine but of another kind than this endpoint takes. A refresh token goes to /api/token/refresh/ and ' +
      '/api/token/blacklist/, an access token into the Authorization header (try /api/me/), a sliding token to ' +
      '/api/token/sliding/refresh/. Any kind can be checked at /api/token/verify/.',
  },
  no_signing_key: {
    status: 403,
    body: { detail: 'This server verifies tokens and issues none.' },
    advice:
      'It has no key to sign with: get the token from the server that issues them. Whoever runs this one can set ' +
      'SIGNING_KEY, or KEY_RING.',
  },
  not_authenticated: {
    status: 401,
    body: { detail: 'Authentication credentials were not provided.' },
    advice:
      'This endpoint wants an access token in the Authorization header. Get one at /api/token/, then paste it into the form below.',
  },
  bad_authorization_header: {
    status: 401,
    body: {
      detail: 'Authorization header must contain two space-delimited values',
      code: 'bad_authorization_header',
    },
    advice:
      'The Authorization header must be one word such as Bearer, a space and the token, and nothing else.',
  },
  bearer_not_valid: {
    status: 401,
    body: tokenNotValid('Given token not valid for any token type'),
    advice: '',
  },
  bearer_without_user: {
    status: 401,
    body: tokenNotValid('Token contained no recognizable user identification'),
    advice: 'The token is genuine but does not say whom it belongs to. Log in again at /api/token/.',
  },
  bearer_user_not_found: {
    status: 401,
    body: { detail: 'User not found', code: 'user_not_found' },
    advice:
      'The token is genuine, but its account has been deleted. Log in with another account at /api/token/.',
  },
  bearer_user_inactive: {
    status: 401,
    body: { detail: 'User is inactive', code: 'user_inactive' },
    advice: 'The token is genuine, but its account has been switched off.',
  },
  bearer_password_changed: {
    status: 401,
    body: { detail: "The user's password has been changed.", code: 'password_changed' },
    advice:
      'The password was changed after this token was made, so the token is dead. Log in again at /api/token/.',
  },
  csrf_failed: {
    status: 403,
    body: { detail: 'CSRF verification failed. Request aborted.' },
    advice:
      'The form was not sent from a page of this server, or the page was open since before you logged in. ' +
      'Open the page again and send the form anew. Your browser must take cookies from this server.',
  },
  forbidden: {
    status: 403,
    body: { detail: '{reason}' },
    advice: 'Your account may not do this, and nothing was changed.',
  },
  throttled: {
    status: 429,
    body: { detail: 'Request was throttled. Expected available in {seconds}.' },
    advice:
      'Too many log-ins failed for this username or from this address. Wait as long as it says, and try again with ' +
      'the right password; an administrator can lift the lock.',
  },
  invalid: {
    status: 400,
    body: {},
    advice:
      'Something that was sent is missing or not as it should be: the answer names each field and what is wrong with it.',
  },
  parse_error: {
    status: 400,
    body: { detail: '{reason}' },
    advice: 'The body of the request could not be read. Compare it with the example in the raw data form.',
  },
  method_not_allowed: {
    status: 405,
    body: { detail: 'Method "{method}" not allowed.' },
    advice:
      'This endpoint does not answer to that method. Those it answers to stand in the Allow line above.',
  },
  not_found: {
    status: 404,
    body: { detail: 'Not found.' },
    advice: 'There is nothing at this address. The list of all endpoints is at /api/.',
  },
  not_acceptable: {
    status: 406,
    body: { detail: 'Could not satisfy the request Accept header.' },
    advice: 'The Accept header asks for a format there is none of. Ask for application/json or text/html.',
  },
  unsupported_media_type: {
    status: 415,
    body: { detail: 'Unsupported media type "{mediaType}" in request.' },
    advice:
      'Bodies are read as application/json, application/x-www-form-urlencoded or multipart/form-data. Set the Content-Type header to the one you sent.',
  },
  bad_request: {
    status: 400,
    body: { detail: '{reason}' },
    advice: 'The request is not well formed.',
  },
  too_large: {
    status: 413,
    body: { detail: 'Request body is larger than 1 MiB.' },
    advice: 'No request to this server needs more than a few kilobytes.',
  },
  busy: {
    status: 503,
    body: { detail: 'The server is busy. Try again in a moment.' },
    advice: 'The server has more to do than it can at the moment. Nothing was changed: try again.',
  },
  storage_unavailable: {
    status: 503,
    body: { detail: 'The database is not available. Try again in a moment.' },
    advice:
      'The database is locked, full or away. Nothing was changed: try again, or ask whoever runs this server.',
  },
  server_error: {
    status: 500,
    body: { detail: 'A server error occurred.' },
    advice: 'Something went wrong on this server that is not your doing. Its log says more.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** How a refusal differs from its row of the table. */
export interface ErrorDetails {
  /** Values for the `{name}` of the row's body. */
  values?: Readonly<Record<string, string>>;
  /** Members that go into the body after those of the row, such as the messages of each field. */
  members?: Readonly<Record<string, Json>>;
  /** Another advice than the row's. */
  advice?: string;
  /** Seconds until it is worth another try: the Retry-After header. */
  retryAfter?: number;
  cause?: unknown;
}

/** A refusal, thrown anywhere and answered in one place. It carries nothing that must not be seen. */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly body: { readonly [key: string]: Json };
  readonly advice: string;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const row: ErrorRow = ERRORS[code];
    // A refusal is an answer, not a fault: where it was thrown is of no interest, and a stack costs more than the rest.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code, details.cause === undefined ? undefined : { cause: details.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = row.status;
    const body = row.body as Record<string, Json>;
    this.body = {
      ...(details.values === undefined ? body : filled(body, details.values)),
      ...details.members,
    };
    this.advice = details.advice ?? row.advice;
    this.retryAfter = details.retryAfter;
  }
}

function filled(body: Readonly<Record<string, Json>>, values: Readonly<Record<string, string>>) {
  const entries = Object.entries(body).map(([key, value]) => [
    key,
    typeof value === 'string' ? value.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '') : value,
  ]);
  return Object.fromEntries(entries) as Record<string, Json>;
}
