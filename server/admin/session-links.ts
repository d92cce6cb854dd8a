import { AppError } from '../errors.ts';
import { type Actor, may } from '../users/permissions.ts';

export const SESSIONS_HREF = '/admin/sessions/';

/** Who may look at sessions: they are what outstanding tokens are of. */
export const SESSION_VIEWERS = [
  'token_blacklist.view_outstandingtoken',
  'token_blacklist.change_outstandingtoken',
] as const;

/** Who may end sessions: it puts their tokens on the blacklist. */
export const SESSION_ENDER = 'token_blacklist.add_blacklistedtoken';

export function sessionHref(id: number, page: 'change' | 'end' = 'change'): string {
  return `${SESSIONS_HREF}${id}/${page}/`;
}

/** The list of one user's sessions. */
export function sessionsOfHref(userId: number): string {
  return `${SESSIONS_HREF}?user=${userId}`;
}

export function mayEndSessions(actor: Actor): boolean {
  return may(actor, SESSION_ENDER);
}

export function noSuchSession(): AppError {
  return new AppError('not_found', {
    advice: 'There is no session with this id. Perhaps its tokens expired, and it was forgotten.',
  });
}
