import fastifyJwt from '@fastify/jwt';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Database } from '../db/statement.ts';
import type { AdminPage } from './admin/page.ts';
import { adminPages } from './admin/pages.ts';
import { PREFIX as ADMIN_PREFIX, registerAdmin } from './admin/register.ts';
import { authCheckEndpoint } from './api/auth-check.ts';
import { blacklistEndpoint } from './api/blacklist.ts';
import { journalOutcomes } from './api/journal.ts';
import { registerJwks } from './api/jwks.ts';
import { meEndpoint } from './api/me.ts';
import { obtainPairEndpoint, obtainSlidingEndpoint } from './api/obtain.ts';
import { refreshPairEndpoint, refreshSlidingEndpoint } from './api/refresh.ts';
import { rootEndpoint } from './api/root.ts';
import { sessionEndpoint, sessionsEndpoint } from './api/sessions.ts';
import { verifyEndpoint } from './api/verify.ts';
import { type Journal, openJournal } from './audit/journal.ts';
import { registerGuide } from './console/guide.ts';
import { registerHealth } from './console/health.ts';
import { registerHome } from './console/home.ts';
import { makeAuthenticator } from './http/authenticate.ts';
import { answerBrokenRequest } from './http/connections.ts';
import type { Endpoint } from './http/endpoint.ts';
import { registerRequestLog } from './http/log.ts';
import { makePageRenderer } from './http/page.ts';
import { BODY_LIMIT } from './http/parsers.ts';
import {
  answerMalformed,
  type EndpointsOptions,
  registerEndpoints,
  registerFallbacks,
} from './http/register.ts';
import { registerViews } from './http/views.ts';
import { openLastUses } from './sessions/last-uses.ts';
import type { Client } from './sessions/sessions.ts';
import type { Settings } from './settings.ts';
import type { TokenContext } from './tokens/context.ts';
import { inspectToken } from './tokens/inspect.ts';
import { openSigner, type SettingsKey } from './tokens/keys/signer.ts';

export interface AppDependencies {
  db: Database;
  settings: Settings;
  logger?: FastifyBaseLogger;
  /** Seconds since the epoch; the system's clock where nothing is given. */
  now?: () => number;
  /** Whether the server was told to stop: it is not ready any more. */
  isStopping?: () => boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** What happens over the API is noted here, and written a moment later. */
    journal: Journal;
    /** Every page of /admin/, for whoever goes through all of them. */
    adminPages: readonly AdminPage[];
  }
}

/** How long a request may take to arrive, in milliseconds: a body that never comes is not waited for. */
const REQUEST_DEADLINE = 30_000;

/** How often connections are looked through for requests that are late, in milliseconds. */
const DEADLINE_CHECK_INTERVAL = 5_000;

/** Builds the whole server, not yet listening: the one list of all that is registered, in order. */
export async function buildApp({
  db,
  settings,
  logger,
  now = systemClock,
  isStopping = () => false,
}: AppDependencies): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_DEADLINE,
    http: { headersTimeout: REQUEST_DEADLINE, connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL },
    forceCloseConnections: 'idle',
    trustProxy: settings.TRUST_PROXY.length > 0 ? [...settings.TRUST_PROXY] : false,
    frameworkErrors: answerMalformed,
    clientErrorHandler: answerBrokenRequest,
    logController: new LogController({ disableRequestLogging: true }),
    ...(logger === undefined ? {} : { loggerInstance: logger }),
  });
  if (['info', 'debug', 'trace'].includes(settings.LOG_LEVEL)) registerRequestLog(app);
  // No logger of its own for each request: what is logged of one names its method and path.
  app.setChildLoggerFactory((parent) => parent);
  const settingsKey = await registerSettingsKey(app, settings);
  const onKeyError = (error: unknown, what: string) => app.log.error({ err: error }, what);
  const signer = await openSigner({ db, settings, settingsKey, now, onError: onKeyError });
  app.addHook('onClose', () => signer.close());
  await registerViews(app);

  const journal = openJournal(db, {
    now,
    lifetime: settings.HISTORY_LIFETIME,
    onError: (error) => app.log.error({ err: error }, 'history'),
  });
  app.decorate('journal', journal);
  app.addHook('onClose', () => journal.close());

  const lastUses = openLastUses(db, { now, onError: (error) => app.log.error({ err: error }, 'sessions') });
  app.addHook('onClose', () => lastUses.close());

  const noteUse = (jti: string, client: Client) => lastUses.note(jti, client);
  const context: TokenContext = { settings, now, signer, noteUse };
  const endpoints = endpointsOf(db, context);
  const options: EndpointsOptions = {
    settings,
    endpoints,
    authenticate: makeAuthenticator(db, context),
    renderPage: makePageRenderer({
      settings,
      endpoints,
      inspect: (token) => inspectToken(settings, token, now()),
    }),
    onOutcome: journalOutcomes(journal, context),
  };
  registerFallbacks(app, options);
  await app.register((scope) => registerEndpoints(scope, options));
  await app.register((scope) => registerJwks(scope, signer));
  await app.register((scope) => registerHealth(scope, db, isStopping));
  await app.register((scope) => registerHome(scope, db, settings));
  await app.register((scope) => registerGuide(scope, context));
  const pages = adminPages({ db, settings, context });
  app.decorate('adminPages', pages);
  await app.register((scope) => registerAdmin(scope, { db, settings, now, pages }), { prefix: ADMIN_PREFIX });
  return app;
}

/** Every endpoint of /api/, in the order in which the root lists them. */
function endpointsOf(db: Database, context: TokenContext): Endpoint[] {
  const endpoints = [
    obtainPairEndpoint(db, context),
    refreshPairEndpoint(db, context),
    verifyEndpoint(db, context),
    blacklistEndpoint(db, context),
    obtainSlidingEndpoint(db, context),
    refreshSlidingEndpoint(db, context),
    meEndpoint(context.settings),
    sessionsEndpoint(db, context),
    sessionEndpoint(db, context),
    authCheckEndpoint(),
  ];
  return [rootEndpoint(endpoints), ...endpoints];
}

/**
 * The key that the settings give, through @fastify/jwt; null where they give none. One algorithm, one key, no cache.
 * Claims are checked by the token rules, not here: fast-jwt's own checks differ from the original's, and some of its
 * errors would surface as 500. Keys of a ring come and go while the server runs, so they use fast-jwt by themselves.
 */
async function registerSettingsKey(app: FastifyInstance, settings: Settings): Promise<SettingsKey | null> {
  const { ALGORITHM: algorithm, SIGNING_KEY, VERIFYING_KEY } = settings;
  const pair = VERIFYING_KEY === null ? null : { public: VERIFYING_KEY, private: SIGNING_KEY ?? '' };
  const secret = pair ?? SIGNING_KEY;
  if (secret === null) return null;
  await app.register(fastifyJwt, {
    secret,
    sign: { algorithm },
    verify: { algorithms: [algorithm], cache: false, ignoreExpiration: true, ignoreNotBefore: true },
  });
  return {
    algorithm,
    sign: SIGNING_KEY === null ? null : (claims) => app.jwt.sign(claims),
    verifySignature: (token) => void app.jwt.verify(token),
  };
}

function systemClock(): number {
  return Date.now() / 1000;
}
