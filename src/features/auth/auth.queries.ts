import { sql } from '#platform/postgres/query.ts';

export interface AccountRow {
  id: string;
  password: string | null;
  is_verified: boolean;
}

export interface SessionRow {
  id: string;
  role: string;
  token_version: number;
}

/** $1: username or e-mail, trimmed and lower-cased. */
export const FIND_ACCOUNT = sql<AccountRow>('auth.findAccount')`
  select u.id, u.password, u.is_verified
  from users u
  where lower(trim(u.username)) = $1
     or lower(trim(u.email)) = $1`;

/**
 * $2: the password hash that was checked, or null where no password was used. $3: the epoch of the session that asks
 * for this one, or null where none does. No row: it changed meanwhile.
 */
export const START_SESSION = sql<SessionRow>('auth.startSession')`
  update users u
  set token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false
  where u.id = $1
    and ($2::text is null or u.password = $2)
    and ($3::bigint is null or u.session_epoch = $3)
  returning u.id, u.role, u.token_version`;

/**
 * Compare-and-set and the grace of contract 0.7 in one statement. $2: version of the token, $3: grace in
 * seconds. A token of the current version raises it; one of the version before is answered with the
 * current version while the rotation is fresh or its answer has not been used. No row: the session ended.
 */
export const ROTATE_SESSION = sql<SessionRow>('auth.rotateSession')`
  update users u
  set token_version = case when u.token_version = $2 then u.token_version + 1 else u.token_version end,
      refresh_rotated_at = case when u.token_version = $2 then now() else u.refresh_rotated_at end,
      token_version_used = case when u.token_version = $2 then false else u.token_version_used end
  where u.id = $1
    and (
      u.token_version = $2
      or (
        u.token_version = $2 + 1
        and u.refresh_rotated_at is not null
        and (u.refresh_rotated_at >= now() - make_interval(secs => $3) or not u.token_version_used)
      )
    )
  returning u.id, u.role, u.token_version`;

export const SEND_WELCOME = sql<{ id: string | null }>('auth.sendWelcome')`
  select app.send_welcome_message($1) as id`;

export const END_SESSION = sql('auth.endSession')`
  select app.end_session()`;

/** A link proves one address: it counts only while that is still the account's. */
export const VERIFY_EMAIL = sql<{ id: string }>('auth.verifyEmail')`
  update users u
  set is_verified = true
  where u.id = $1
    and lower(trim(u.email)) = $2
    and (u.is_verified or $3::bigint is null or u.verification_epoch = $3)
  returning u.id`;

export const FIND_UNVERIFIED = sql<{ name: string | null; username: string; verification_epoch: number }>(
  'auth.findUnverified',
)`
  select u.name, u.username, u.verification_epoch
  from users u
  where u.id = $1
    and lower(trim(u.email)) = $2
    and not u.is_verified`;

/** $1: username, lower-cased. */
export const FIND_BY_USERNAME = sql<AccountRow>('auth.findByUsername')`
  select u.id, u.password, u.is_verified
  from users u
  where lower(trim(u.username)) = $1`;

/** The unverified account with this address; $1 lower-cased. It is not deleted before the commit. */
export const FIND_UNVERIFIED_BY_EMAIL = sql<{ id: string }>('auth.findUnverifiedByEmail')`
  select u.id
  from users u
  where lower(trim(u.email)) = $1
    and not u.is_verified
  for key share`;

/** No row: the account was verified meanwhile, or its password changed. */
export const CORRECT_EMAIL = sql<{ id: string }>('auth.correctEmail')`
  update users u
  set email = $2,
      verification_epoch = u.verification_epoch + 1
  where u.id = $1
    and u.password = $3
    and not u.is_verified
  returning u.id`;

export interface ResettableRow {
  id: string;
  username: string;
  name: string | null;
  email: string;
  password: string;
}

/** The account that a reset link would be for: it has a password and an address. It is not deleted before the commit. */
export const FIND_RESETTABLE = sql<ResettableRow>('auth.findResettable')`
  select u.id, u.username, u.name, u.email, u.password
  from users u
  where u.id = $1
    and u.password is not null
    and u.email is not null
  for key share`;

/** Ends the session with the old password. No row: the password or the address is not the link's any more. */
export const SET_PASSWORD = sql<{ id: string }>('auth.setPassword')`
  update users u
  set password = $2,
      token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false
  where u.id = $1
    and u.password = $3
    and lower(trim(u.email)) = $4
  returning u.id`;

/** Role service. */
export const VOID_EVERYTHING_BEGUN = sql('auth.voidEverythingBegun')`
  select app.void_everything_begun($1)`;
