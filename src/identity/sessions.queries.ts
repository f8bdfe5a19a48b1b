import { sql } from '#platform/postgres/query.ts';

export interface SessionRow {
  id: string;
  role: string;
  token_version: number;
}

/**
 * $2: the password hash that was checked, or null where no password was used. $3: the epoch of the session that asks
 * for this one, or null where none does. No row: password or session have changed meanwhile.
 */
export const START_SESSION = sql<SessionRow>('sessions.startSession')`
  update users u
  set token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false,
      phone_session_since = now(),
      phone_session_used_on = (now() at time zone 'UTC')::date
  where u.id = $1
    and ($2::text is null or u.password = $2)
    and ($3::bigint is null or u.session_epoch = $3)
  returning u.id, u.role, u.token_version`;

/**
 * Rotates the session of a refresh token: compare-and-set and the grace period of behaviour 0.7 in one statement.
 * $2: version of the token, $3: grace period in seconds. A token of the current version raises it. A token of the
 * version before gets the current version, during the grace period or while nobody has used the current one. No row:
 * the session has ended.
 */
export const ROTATE_SESSION = sql<SessionRow>('sessions.rotateSession')`
  select s.* from app.rotate_session($1, $2, $3) s`;

/** The same for session $1 beside the phone; $4: lifetime of its tokens in seconds. */
export const ROTATE_OTHER_SESSION = sql<SessionRow>('sessions.rotateOtherSession')`
  select s.* from app.rotate_other_session($1, $2, $3, $4) s`;

/** Locks the person's row, as whatever ends a session does. */
export const HOLD_PERSON = sql<{ id: string }>('sessions.holdPerson')`
  select u.id
  from users u
  where u.id = $1
  for no key update`;

/** Whether version $2 of session $1 beside the phone was replaced, and the grace of $3 seconds has ended. */
export const IS_REUSE = sql<{ id: string }>('sessions.isReuse')`
  select s.id
  from other_sessions s
  where s.id = $1
    and s.token_version > $2
    and s.refresh_rotated_at < now() - make_interval(secs => $3)`;

/** Ends it then. No row: it has ended before. */
export const END_REUSED_SESSION = sql<{ id: string }>('sessions.endReused')`
  delete from other_sessions s
  where s.id = $1
    and s.token_version > $2
    and s.refresh_rotated_at < now() - make_interval(secs => $3)
  returning s.id`;

/** Whether version $2 is the one that the last refresh of the phone replaced, more than $3 seconds ago. */
export const IS_REUSE_ON_PHONE = sql<{ id: string }>('sessions.isReuseOnPhone')`
  select u.id
  from users u
  where u.id = $1
    and u.token_version = $2 + 1
    and u.refresh_rotated_at < now() - make_interval(secs => $3)`;

export const SEND_WELCOME = sql<{ id: string | null }>('sessions.sendWelcome')`
  select app.send_welcome_message($1) as id`;

/** Needs the service role. $2: a session beside the phone that goes on, or null; $3: whether the phone's does. */
export const VOID_EVERYTHING_BEGUN = sql('sessions.voidEverythingBegun')`
  select app.void_everything_begun($1, $2, $3)`;
