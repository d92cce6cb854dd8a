/** What an event is to whoever filters or counts them. */
export type EventGroup = 'login' | 'refusal' | 'token' | 'change';

export interface EventKindRow {
  /** For people, in the past tense. */
  label: string;
  tone: 'good' | 'bad' | 'neutral';
  group: EventGroup;
  /** What it is to Django's own log, where it is something that this knows: LogEntry's three action flags. */
  action?: 'added' | 'changed' | 'deleted';
}

/** Everything that can happen and is recorded. */
export const EVENT_KINDS = {
  login: { label: 'Logged in', tone: 'good', group: 'login' },
  login_refused: { label: 'Login refused', tone: 'bad', group: 'refusal' },
  refreshed: { label: 'Token refreshed', tone: 'neutral', group: 'token' },
  refresh_refused: { label: 'Refresh refused', tone: 'bad', group: 'refusal' },
  verify_refused: { label: 'Verification failed', tone: 'bad', group: 'refusal' },
  bearer_refused: { label: 'Access refused', tone: 'bad', group: 'refusal' },
  blacklist_refused: { label: 'Revocation refused', tone: 'bad', group: 'refusal' },
  token_blacklisted: { label: 'Token revoked', tone: 'neutral', group: 'token', action: 'added' },
  tokens_revoked: { label: 'All tokens revoked', tone: 'neutral', group: 'token' },
  token_restored: { label: 'Token restored', tone: 'neutral', group: 'token', action: 'deleted' },
  session_ended: { label: 'Session ended', tone: 'neutral', group: 'token' },
  session_reused: { label: 'Stolen token noticed', tone: 'bad', group: 'refusal' },
  lock_lifted: { label: 'Lock lifted', tone: 'neutral', group: 'change' },
  tokens_flushed: { label: 'Expired tokens flushed', tone: 'neutral', group: 'token' },
  admin_login: { label: 'Logged in to the admin', tone: 'good', group: 'login' },
  admin_login_refused: { label: 'Admin login refused', tone: 'bad', group: 'refusal' },
  admin_logout: { label: 'Logged out of the admin', tone: 'neutral', group: 'login' },
  superuser_created: { label: 'Superuser created', tone: 'good', group: 'change', action: 'added' },
  user_added: { label: 'User added', tone: 'good', group: 'change', action: 'added' },
  user_changed: { label: 'User changed', tone: 'neutral', group: 'change', action: 'changed' },
  user_deleted: { label: 'User deleted', tone: 'neutral', group: 'change', action: 'deleted' },
  password_changed: { label: 'Password changed', tone: 'neutral', group: 'change', action: 'changed' },
  group_added: { label: 'Group added', tone: 'good', group: 'change', action: 'added' },
  group_changed: { label: 'Group changed', tone: 'neutral', group: 'change', action: 'changed' },
  group_deleted: { label: 'Group deleted', tone: 'neutral', group: 'change', action: 'deleted' },
  key_added: { label: 'Signing key added', tone: 'neutral', group: 'change' },
  key_rotated: { label: 'Signing key rotated', tone: 'neutral', group: 'change' },
  key_retired: { label: 'Signing key retired', tone: 'neutral', group: 'change' },
  key_restored: { label: 'Signing key restored', tone: 'neutral', group: 'change' },
  key_withdrawn: { label: 'Signing key withdrawn', tone: 'bad', group: 'change' },
  users_imported: { label: 'Users imported', tone: 'neutral', group: 'change' },
  exported: { label: 'Data exported', tone: 'neutral', group: 'change' },
  restored: { label: 'Backup restored', tone: 'neutral', group: 'change' },
} as const satisfies Record<string, EventKindRow>;

export type EventKind = keyof typeof EVENT_KINDS;

/** The row of a kind. Of one that only a later version knows, its name is all there is to show. */
export function kindRow(kind: string): EventKindRow {
  if (Object.hasOwn(EVENT_KINDS, kind)) return EVENT_KINDS[kind as EventKind];
  return { label: kind.replaceAll('_', ' '), tone: 'neutral', group: 'change' };
}

/** The kinds of a group, in the order of the table. */
export function kindsOf(group: EventGroup): EventKind[] {
  return (Object.keys(EVENT_KINDS) as EventKind[]).filter((kind) => EVENT_KINDS[kind].group === group);
}

/** The kinds that come from the API alone, and there by the million. */
export const API_KINDS: readonly EventKind[] = [
  'login',
  'login_refused',
  'refreshed',
  'refresh_refused',
  'verify_refused',
  'bearer_refused',
  'blacklist_refused',
];

/** The kinds by which somebody came in, over the API or into the admin. */
export const LOGIN_KINDS: readonly EventKind[] = ['login', 'admin_login'];

/** The kinds by which somebody who wanted to log in did not get in. */
export const REFUSED_LOGIN_KINDS: readonly EventKind[] = ['login_refused', 'admin_login_refused'];
