import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import { isSessionAlive } from '../sessions/sessions.ts';
import { type TokenClass, UntypedToken } from './classes.ts';
import { type Claims, parseCompact } from './compact.ts';
import type { TokenContext, VerifyingKey } from './context.ts';
import { CLAIM_RULES, CLASS_RULES, HEADER_RULES, own, type Rule, type RuleContext } from './rules.ts';
import { isBlacklisted } from './store.ts';

/**
 * The claims of a genuine token of this server that is in its time. What it is for and whether it was revoked is
 * not asked. The order of the checks is the original's: signature, algorithm, exp, nbf, iat, aud, iss.
 *
 * @throws AppError `token_invalid` or `token_expired`
 */
export async function decodeToken(context: TokenContext, token: string): Promise<Claims> {
  const { header, payload } = parseCompact(token);
  const found = context.signer.keyFor(header);
  // Where the key is known there is nothing to wait for, and nothing is waited for.
  const key = found instanceof Promise ? await found : found;
  const ruleContext = { settings: context.settings, now: context.now(), key };
  obey(HEADER_RULES, header, ruleContext);
  try {
    requireKey(key).verifySignature(token);
  } catch (cause) {
    throw new AppError('token_invalid', { cause });
  }
  obey(CLAIM_RULES, payload, ruleContext);
  return payload;
}

function requireKey(key: VerifyingKey | undefined): VerifyingKey {
  if (key === undefined) throw new Error('There is no such key');
  return key;
}

/**
 * Lets a token pass whose key still counts: asked once more in the transaction that is about to give it a successor.
 *
 * @throws AppError `token_invalid`
 */
export async function requireLivingKey(trx: Database, context: TokenContext, token: string): Promise<void> {
  if (!(await context.signer.stillCounts(trx, parseCompact(token).header)))
    throw new AppError('token_invalid');
}

/**
 * The claims of a token that is genuine, in its time, not revoked and of the class that is asked for.
 * Follows SimpleJWT's `Token.verify` and `BlacklistMixin.verify`.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function verifyToken(
  db: Database,
  context: TokenContext,
  token: string,
  tokenClass: TokenClass,
): Promise<Claims> {
  const claims = await decodeToken(context, token);
  await requireClass(db, context, claims, tokenClass);
  return claims;
}

/**
 * Lets the claims of a genuine token pass if it is not revoked and of the class that is asked for: what
 * `verifyToken` asks after `decodeToken`.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function requireClass(
  db: Database,
  context: TokenContext,
  claims: Claims,
  tokenClass: TokenClass,
): Promise<void> {
  if (tokenClass.listed && (await isBlacklisted(db, jtiOf(context, claims)))) {
    throw new AppError('token_blacklisted');
  }
  obey(CLASS_RULES, claims, { settings: context.settings, now: context.now(), tokenClass });
  await requireSession(db, context, claims);
}

/**
 * Lets a token pass whose session goes on. One that names no session passes as well: it was made before
 * CHECK_SESSION was switched on, or by another program with the same key.
 *
 * @throws AppError `token_session_ended`, 401
 */
async function requireSession(db: Database, { settings }: TokenContext, claims: Claims): Promise<void> {
  const sid = settings.CHECK_SESSION ? own(claims, 'sid') : undefined;
  if (typeof sid === 'string' && !(await isSessionAlive(db, sid))) throw new AppError('token_session_ended');
}

/**
 * Says that a token of any class is genuine, in its time and not revoked, by returning.
 * Follows SimpleJWT's TokenVerifySerializer, which answers a revoked token with 400.
 *
 * @throws AppError of a `token_…` code, 401, or `token_blacklisted_at_verify`, 400
 */
export async function verifyAnyToken(db: Database, context: TokenContext, token: string): Promise<Claims> {
  const claims = await verifyToken(db, context, token, UntypedToken);
  if (await isBlacklisted(db, jtiOf(context, claims))) throw new AppError('token_blacklisted_at_verify');
  return claims;
}

/** @throws AppError `token_without_id` */
export function jtiOf(context: TokenContext, claims: Claims): string {
  const jti = own(claims, context.settings.JTI_CLAIM);
  if (typeof jti !== 'string') throw new AppError('token_without_id');
  return jti;
}

function obey<Context extends RuleContext>(
  rules: readonly Rule<Context>[],
  claims: Claims,
  context: Context,
): void {
  for (const rule of rules) {
    const refusal = rule.refuse(claims, context);
    if (refusal !== undefined) throw new AppError(refusal, { values: { claim: 'exp' } });
  }
}
