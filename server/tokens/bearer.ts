import type { Database } from '../../db/statement.ts';
import { AppError, type Json } from '../errors.ts';
import type { TokenOwner } from '../users/users.ts';
import { NAMED_CLASSES } from './classes.ts';
import type { Claims } from './compact.ts';
import type { TokenContext } from './context.ts';
import { requireOwner } from './owner.ts';
import { verifyToken } from './verify.ts';

/** Who makes a request, and by which token. */
export interface Bearer {
  user: TokenOwner;
  claims: Claims;
  token: string;
}

const OWNER_REFUSALS = {
  missing: 'bearer_user_not_found',
  inactive: 'bearer_user_inactive',
  passwordChanged: 'bearer_password_changed',
} as const;

/**
 * The token in an Authorization header, or null when the header speaks of something else: SimpleJWT's
 * `JWTAuthentication.get_raw_token`. The scheme is case-sensitive.
 *
 * @throws AppError `bad_authorization_header`
 */
export function bearerToken(headerTypes: readonly string[], header: string): string | null {
  const parts = header.split(/[ \t\n\v\f\r]+/).filter((part) => part !== '');
  if (parts[0] === undefined || !headerTypes.includes(parts[0])) return null;
  if (parts.length !== 2) throw new AppError('bad_authorization_header');
  return parts[1] as string;
}

/**
 * The user whose token this is: SimpleJWT's `JWTAuthentication.authenticate`.
 *
 * @throws AppError of a `bearer_…` code, 401
 */
export async function authenticateBearer(
  db: Database,
  context: TokenContext,
  token: string,
): Promise<Bearer> {
  const claims = await verifyForUse(db, context, token);
  if (!Object.hasOwn(claims, context.settings.USER_ID_CLAIM)) throw new AppError('bearer_without_user');
  const user = await requireOwner(db, context.settings, claims, OWNER_REFUSALS);
  return { user, claims, token };
}

/** Tries the token as each class of AUTH_TOKEN_CLASSES and gathers why it is none of them. */
async function verifyForUse(db: Database, context: TokenContext, token: string): Promise<Claims> {
  const messages: Json[] = [];
  let first: AppError | undefined;
  for (const name of context.settings.AUTH_TOKEN_CLASSES) {
    const tokenClass = NAMED_CLASSES[name];
    try {
      return await verifyToken(db, context, token, tokenClass);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      messages.push({ token_class: name, token_type: tokenClass.type, message: error.body.detail ?? null });
      first ??= error;
    }
  }
  throw new AppError('bearer_not_valid', {
    members: { messages },
    advice: first?.advice ?? '',
    cause: first,
  });
}
