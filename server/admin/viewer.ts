import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../../db/statement.ts';
import { clearCookie, readCookie, setCookie } from '../http/cookies.ts';
import { renewCsrfSecret } from '../http/csrf.ts';
import {
  endAdminSession,
  findAdminSession,
  isSessionOf,
  type SessionLimits,
} from '../sessions/admin-sessions.ts';
import type { Settings } from '../settings.ts';
import { permissionKeysOf } from '../users/permissions.ts';
import { findUserById } from '../users/users.ts';
import type { Viewer } from './page.ts';

const COOKIE = 'jotgate_admin';

/** How long sessions of the admin live, by the settings. */
export function sessionLimits(settings: Settings): SessionLimits {
  return { idle: settings.ADMIN_SESSION_IDLE_TIMEOUT, lifetime: settings.ADMIN_SESSION_LIFETIME };
}

/**
 * Who makes a request, by the session that its cookie names; null where nobody is logged in. Who was demoted,
 * deactivated or given another password meanwhile loses the session here, whichever program did it.
 */
export async function findViewer(
  db: Database,
  settings: Settings,
  request: FastifyRequest,
  now: Date,
): Promise<Viewer | null> {
  const key = readCookie(request, COOKIE);
  const session = key ? await findAdminSession(db, key, sessionLimits(settings), now) : null;
  if (session === null) return null;
  const user = await findUserById(db, session.user_id);
  if (user === null || !isSessionOf(session, user)) {
    await endAdminSession(db, session.id);
    return null;
  }
  return { user, session, permissions: await permissionKeysOf(db, user) };
}

/** Gives the visitor the key of a session that began, or takes the key of one that ended. */
export function handOverSession(reply: FastifyReply, key: string | null): void {
  if (key === null) clearCookie(reply, COOKIE);
  else setCookie(reply, COOKIE, key);
  renewCsrfSecret(reply);
}
