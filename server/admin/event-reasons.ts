import type { ErrorCode } from '../errors.ts';

/** What the codes of refusals mean to whoever reads the history. */
const REFUSALS: Partial<Record<ErrorCode, string>> = {
  no_active_account: 'wrong name or password, or switched off',
  token_user_inactive: 'account gone or switched off',
  token_password_changed: 'password changed since',
  token_invalid: 'not a genuine token',
  token_expired: 'token expired',
  token_blacklisted: 'token revoked before',
  token_blacklisted_at_verify: 'token revoked before',
  token_without_claim: 'token lacks a claim',
  token_claim_expired: 'refresh period over',
  token_without_id: 'token without an id',
  token_without_type: 'token without a type',
  token_wrong_type: 'token of the wrong type',
  bad_authorization_header: 'malformed Authorization header',
  bearer_not_valid: 'token not valid',
  bearer_without_user: 'token names no user',
  bearer_user_not_found: 'account gone',
  bearer_user_inactive: 'account switched off',
  bearer_password_changed: 'password changed since',
  token_session_ended: 'session ended before',
  token_reused: 'token used twice, session ended',
  throttled: 'too many failures before',
};

const OTHERS: Readonly<Record<string, string>> = {
  not_staff: 'not a staff account',
  setup: 'on the set-up page',
  reuse: 'a rotated token came again, session ended',
  revoked: 'by hand',
};

/** A reason in words; one that is no code is in words already. */
export function reasonText(reason: string): string {
  const known: Readonly<Record<string, string>> = { ...REFUSALS, ...OTHERS };
  return Object.hasOwn(known, reason) ? (known[reason] ?? reason) : reason;
}
