import type { Database } from '../../db/statement.ts';
import { AppError, type Json } from '../errors.ts';
import type { Bearer } from '../http/authenticate.ts';
import type { Call, Endpoint } from '../http/endpoint.ts';
import { originOf } from '../http/origin.ts';
import { deviceName } from '../sessions/device.ts';
import { findSession, type SessionView, sessionsOf } from '../sessions/session-list.ts';
import type { TokenContext } from '../tokens/context.ts';
import { SESSION_CLAIM } from '../tokens/issue.ts';
import { type Ending, endSessions } from '../tokens/session-end.ts';
import { clientOf } from './client.ts';

const SESSIONS_PATH = '/api/sessions/';

/** /api/sessions/: the bearer's own sessions, and the end of all but the one that the request comes from. */
export function sessionsEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: SESSIONS_PATH,
    isListed: false,
    name: 'sessions',
    title: 'Sessions',
    description: '',
    notes:
      'Where you are logged in. GET lists your sessions; DELETE ends all of them but the one you ask from. Which one ' +
      'that is, tokens say only under CHECK_SESSION: without it, DELETE ends every one.',
    access: 'bearer',
    actions: {
      GET: {
        fields: [],
        handle: async (call) => {
          const sessions = await sessionsOf(db, userOf(call), nowOf(context), { aliveOnly: true });
          return { body: sessions.map((session) => jsonOf(session, call)) };
        },
      },
      DELETE: {
        fields: [],
        handle: async (call) => {
          const sessions = await sessionsOf(db, userOf(call), nowOf(context), { aliveOnly: true });
          const others = sessions.filter(({ sid }) => sid !== sidOf(call)).map(({ id }) => id);
          return { body: { ended: await endSessions(db, others, endingBy(call), nowOf(context)) } };
        },
      },
    },
  };
}

/** /api/sessions/SID/: one of the bearer's own sessions. Another's is not there. */
export function sessionEndpoint(db: Database, context: TokenContext): Endpoint {
  const find = async (call: Call): Promise<SessionView> => {
    const session = await findSession(db, call.params.sid ?? '', nowOf(context));
    if (session === null || session.userId !== userOf(call)) throw new AppError('not_found');
    return session;
  };
  return {
    path: `${SESSIONS_PATH}:sid/`,
    isListed: false,
    name: 'session',
    title: 'Session',
    description: '',
    notes: 'One of your sessions. DELETE ends it: its refresh tokens are refused from then on.',
    access: 'bearer',
    actions: {
      GET: {
        fields: [],
        handle: async (call) => ({ body: jsonOf(await find(call), call) }),
      },
      DELETE: {
        fields: [],
        handle: async (call) => {
          const { id } = await find(call);
          return { body: { ended: await endSessions(db, [id], endingBy(call), nowOf(context)) } };
        },
      },
    },
  };
}

function jsonOf(session: SessionView, call: Call): Json {
  return {
    url: `${originOf(call.request)}${SESSIONS_PATH}${session.sid}/`,
    sid: session.sid,
    started_at: session.startedAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt?.toISOString() ?? null,
    address: session.address,
    device: deviceName(session.userAgent),
    alive: session.isAlive,
    current: session.sid === sidOf(call),
  };
}

function userOf({ bearer }: Call): number {
  return (bearer as Bearer).user.id;
}

function endingBy({ bearer, request }: Call): Ending {
  const { id, username } = (bearer as Bearer).user;
  return {
    reason: 'revoked',
    origin: { via: 'api', actor: { id, name: username }, ...clientOf(request) },
  };
}

/** The session that the request comes from, where its token says so. */
function sidOf({ bearer }: Call): string | null {
  const sid = (bearer as Bearer).claims[SESSION_CLAIM];
  return typeof sid === 'string' ? sid : null;
}

function nowOf(context: TokenContext): Date {
  return new Date(context.now() * 1000);
}
