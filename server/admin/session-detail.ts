import type { Database } from '../../db/statement.ts';
import { deviceName } from '../sessions/device.ts';
import { type Point, sessionLine } from '../sessions/session-line.ts';
import { type SessionView, sessionsByIds } from '../sessions/session-list.ts';
import type { Settings } from '../settings.ts';
import { accessUntil } from '../tokens/mass-revocation.ts';
import { endSessions } from '../tokens/session-end.ts';
import { findUserById } from '../users/users.ts';
import type { GuardedPage, PageCall } from './page.ts';
import { revocationData } from './revocation-view.ts';
import {
  mayEndSessions,
  noSuchSession,
  SESSION_ENDER,
  SESSION_VIEWERS,
  SESSIONS_HREF,
  sessionHref,
  sessionsOfHref,
} from './session-links.ts';
import { stateCell } from './sessions-list.ts';
import { userCell } from './tokens-list.ts';

/** What a point of a session's life is called. */
const POINTS: Readonly<Record<Point['kind'], { label: string; tone: 'good' | 'bad' | 'neutral' }>> = {
  issued: { label: 'Logged in', tone: 'good' },
  rotated: { label: 'Refresh token rotated', tone: 'neutral' },
  grace: { label: 'The same successor given again, within the grace period', tone: 'neutral' },
  reuse: { label: 'A token that was rotated before came again', tone: 'bad' },
  ended: { label: 'Ended', tone: 'bad' },
};

const END_REASONS: Readonly<Record<string, string>> = {
  logout: 'by a log-out',
  reuse: 'because a token came twice: somebody may have stolen it',
  revoked: 'by hand',
  password: 'with a new password',
};

/** /admin/sessions/1/change/: a session and its line of life. */
export function sessionDetailPage(db: Database): GuardedPage {
  return {
    path: `${SESSIONS_HREF}:id/change/`,
    access: SESSION_VIEWERS,
    async get(call) {
      const session = await sessionOf(db, call);
      const user = await findUserById(db, session.userId);
      const line = await sessionLine(db, session.id);
      return {
        view: 'session',
        title: 'Session',
        breadcrumbs: [{ label: 'Sessions', href: SESSIONS_HREF }, { label: session.sid.slice(0, 8) }],
        data: {
          session,
          device: deviceName(session.userAgent),
          state: stateCell(session),
          user: userCell(user, call.viewer),
          line: line.map((point) => ({
            ...point,
            ...POINTS[point.kind],
            reason: END_REASONS[point.reason] ?? point.reason,
            device: deviceName(point.userAgent),
          })),
          endHref: session.isAlive && mayEndSessions(call.viewer) ? sessionHref(session.id, 'end') : null,
          othersHref: sessionsOfHref(session.userId),
        },
      };
    },
  };
}

/** /admin/sessions/1/end/: asks, and says what happens. */
export function sessionEndPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${SESSIONS_HREF}:id/end/`,
    access: [SESSION_ENDER],
    async get(call) {
      const session = await sessionOf(db, call);
      const user = await findUserById(db, session.userId);
      const where = [deviceName(session.userAgent), session.address].filter((text) => text !== '');
      const preview = {
        refreshTokens: session.isAlive ? 1 : 0,
        slidingTokens: 0,
        accessUntil: accessUntil(settings, call.now, 'revocation'),
      };
      return {
        view: 'confirm',
        title: 'End session',
        breadcrumbs: [{ label: 'Sessions', href: SESSIONS_HREF }, { label: 'End' }],
        data: {
          paragraphs: [
            session.isAlive
              ? `Are you sure you want to end the session of “${user?.username}”${where.map((text) => `, ${text}`).join('')}? ` +
                'Whoever goes on with it must log in again.'
              : 'This session is over already.',
          ],
          ...(session.isAlive && { revocation: revocationData(preview) }),
          hidden: [],
          submit: session.isAlive ? { label: 'Yes, end it', tone: 'danger' } : null,
          backHref: sessionHref(session.id),
        },
      };
    },
    async post(call) {
      const session = await sessionOf(db, call);
      const ending = { reason: 'revoked', origin: call.origin } as const;
      const count = await endSessions(db, [session.id], ending, call.now);
      return {
        redirect: sessionHref(session.id),
        message:
          count === 1
            ? { level: 'success', text: 'The session was ended.' }
            : { level: 'warning', text: 'The session was over already. Nothing was changed.' },
      };
    },
  };
}

/** @throws AppError `not_found` */
async function sessionOf(db: Database, { params, now }: PageCall): Promise<SessionView> {
  const [session] = await sessionsByIds(db, [Number(params.id)], now);
  if (session === undefined) throw noSuchSession();
  return session;
}
