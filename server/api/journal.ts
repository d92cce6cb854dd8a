import type { FastifyRequest } from 'fastify';
import type { Journal } from '../audit/journal.ts';
import type { EventKind } from '../audit/kinds.ts';
import type { AccountClue, NotedEvent } from '../audit/notes.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { headerName } from '../http/authenticate.ts';
import { actionFor } from '../http/endpoint.ts';
import type { OutcomeListener } from '../http/respond.ts';
import type { Settings } from '../settings.ts';
import { bearerToken } from '../tokens/bearer.ts';
import { type Claims, parseCompact } from '../tokens/compact.ts';
import type { TokenContext } from '../tokens/context.ts';
import { own } from '../tokens/rules.ts';
import { normalizeUsername } from '../users/fields.ts';

/** As what kinds of event the answers of an endpoint are recorded: its `journal` satisfies this. */
export interface EndpointJournal {
  done?: EventKind;
  /** Of credentials or a token that were brought and not taken. */
  refused?: EventKind;
}

/** The longest username there is. What is longer is no name, and is not kept for a moment. */
const USERNAME_MAX_LENGTH = 150;

/** Notes what endpoints did and refused, as each of them says. Nothing is asked of the database here. */
export function journalOutcomes(journal: Journal, { settings }: TokenContext): OutcomeListener {
  return (request, { refusal }) => {
    const { endpoint, method } = request.exchange;
    const kinds = endpoint?.journal as EndpointJournal | undefined;
    if (kinds === undefined) return;
    if (refusal !== null) {
      if (kinds.refused !== undefined && isOfCredentials(refusal)) {
        journal.note(refusedEvent(settings, kinds.refused, request, refusal));
      }
    } else if (kinds.done !== undefined && method !== 'OPTIONS') {
      journal.note(doneEvent(settings, kinds.done, request));
    }
  };
}

/** Other refusals are about the form of a request, or this server's own trouble. Bringing no token is no event. */
function isOfCredentials({ code, status }: AppError): boolean {
  return (
    (status === 401 && code !== 'not_authenticated') ||
    code === 'token_blacklisted_at_verify' ||
    code === 'throttled'
  );
}

function doneEvent(settings: Settings, kind: EventKind, request: FastifyRequest): NotedEvent {
  const token = sentToken(settings, request);
  const claims = token === null ? null : claimsOf(token);
  const clue = claims === null ? typedName(request) : ownerOf(settings, claims);
  const jti = claims === null ? undefined : own(claims, settings.JTI_CLAIM);
  return {
    kind,
    origin: originOf(request),
    ...(clue !== null && { account: { as: 'actor', clue } }),
    ...(kind === 'token_blacklisted' && typeof jti === 'string' && { token: jti }),
  };
}

function refusedEvent(
  settings: Settings,
  kind: EventKind,
  request: FastifyRequest,
  refusal: AppError,
): NotedEvent {
  const reason = codeBehind(refusal);
  const clue = clueOfRefused(settings, request, reason);
  return {
    kind,
    origin: originOf(request),
    reason,
    ...(clue !== null && { account: { as: 'object', clue } }),
  };
}

/** Whom a refusal is about. What a token says counts only where the signature is this server's. */
function clueOfRefused(settings: Settings, request: FastifyRequest, reason: ErrorCode): AccountClue | null {
  if (reason === 'no_active_account' || reason === 'throttled') return typedName(request);
  if (reason === 'token_invalid' || reason === 'bad_authorization_header') return null;
  const token = sentToken(settings, request);
  const claims = token === null ? null : claimsOf(token);
  return claims === null ? null : ownerOf(settings, claims);
}

/** A bearer token that is refused says why in the refusal behind it. */
function codeBehind({ code, cause }: AppError): ErrorCode {
  return cause instanceof AppError ? cause.code : code;
}

function originOf({ ip, headers }: FastifyRequest): NotedEvent['origin'] {
  return { via: 'api', actor: null, address: ip, userAgent: headers['user-agent']?.slice(0, 255) ?? '' };
}

/** A username as it was typed, to be looked up; what nobody is called is forgotten there. */
function typedName({ exchange }: FastifyRequest): AccountClue | null {
  const username = normalizeUsername(exchange.values?.username ?? '');
  return username === '' || username.length > USERNAME_MAX_LENGTH ? null : { username };
}

/** The token that a request brought: in the field for it, or as the bearer's. */
function sentToken(
  { AUTH_HEADER_NAME, AUTH_HEADER_TYPES }: Settings,
  request: FastifyRequest,
): string | null {
  const { endpoint, values, pageToken, method } = request.exchange;
  if (endpoint?.access === 'bearer') {
    const header = request.headers[headerName(AUTH_HEADER_NAME)];
    return pageToken ?? bearerToken(AUTH_HEADER_TYPES, typeof header === 'string' ? header : '');
  }
  const fields = endpoint === null ? undefined : actionFor(endpoint, method)?.fields;
  const field = fields?.find(({ kind, readOnly }) => kind === 'token' && !readOnly);
  return field === undefined ? null : (values?.[field.name] ?? null);
}

function claimsOf(token: string): Claims | null {
  try {
    return parseCompact(token).payload;
  } catch {
    return null;
  }
}

/** The account that a genuine token names, as `findOwner` reads it. */
function ownerOf(settings: Settings, claims: Claims): AccountClue | null {
  const id = own(claims, settings.USER_ID_CLAIM);
  if (typeof id !== 'string' && typeof id !== 'number') return null;
  if (settings.USER_ID_FIELD === 'username') return { username: normalizeUsername(String(id)) };
  return /^\d+$/.test(String(id)) && Number.isSafeInteger(Number(id)) ? { id: Number(id) } : null;
}
