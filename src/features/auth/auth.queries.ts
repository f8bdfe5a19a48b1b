import type { AccountRow } from '#identity/credentials.ts';
import { sql } from '#platform/postgres/query.ts';

export const END_SESSION = sql('auth.endSession')`
  select app.end_session()`;

/** A link proves one address, so it only works while that is still the address of the account. */
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

/**
 * Whose mail is put into the outbox: the account that was asked for, or the system user in its place, to whom no mail goes.
 * So the same rows are read, locked (against deletion before the commit) and written for everybody.
 */
interface MailOwnerRow {
  id: string;
  is_account: boolean;
}

/** The unverified account with this address; $1 lower-cased, $2: the system user. No row: there is no system user. */
export const FIND_UNVERIFIED_BY_EMAIL = sql<MailOwnerRow>('auth.findUnverifiedByEmail')`
  select u.id, u.id <> $2 as is_account
  from users u
  where u.id = coalesce(
    (select x.id from users x where lower(trim(x.email)) = $1 and not x.is_verified),
    $2
  )
  for key share`;

/** Account $1, if a reset link can be mailed to it; $2: the system user. No row: there is no system user. */
export const FIND_RESET_OWNER = sql<MailOwnerRow>('auth.findResetOwner')`
  select u.id, u.id <> $2 as is_account
  from users u
  where u.id = coalesce(
    (select x.id from users x where x.id = $1 and x.password is not null and x.email is not null and x.role <> 'System'),
    $2
  )
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

/** The account for a reset link, if it has a password and an address; locked against deletion until the commit. */
export const FIND_RESETTABLE = sql<ResettableRow>('auth.findResettable')`
  select u.id, u.username, u.name, u.email, u.password
  from users u
  where u.id = $1
    and u.password is not null
    and u.email is not null
    and u.role <> 'System'
  for key share`;

/** Sets a password and ends the session. No row: password or address are not those that the link was made for. */
export const SET_PASSWORD = sql<{ id: string }>('auth.setPassword')`
  update users u
  set password = $2,
      token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false,
      phone_session_since = null,
      phone_session_used_on = null
  where u.id = $1
    and u.password = $3
    and lower(trim(u.email)) = $4
  returning u.id`;

/**
 * The tickets of the phone and the console's cookie die; $4: whether its tokens do, too. $3: the hash that was compared, or
 * null. No row: the password has changed meanwhile.
 */
export const CHANGE_PASSWORD = sql<{ id: string }>('auth.changePassword')`
  update users u
  set password = $2,
      token_version = u.token_version + $4::boolean::integer,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = case when not $4 then u.refresh_rotated_at end,
      token_version_used = u.token_version_used and not $4,
      phone_session_since = case when not $4 then u.phone_session_since end,
      phone_session_used_on = case when not $4 then u.phone_session_used_on end
  where u.id = $1
    and u.password is not distinct from $3
  returning u.id`;

/** Whether a session has not ended: the phone's with epoch $2, or $3 beside it. Locks the person's row. */
export const IS_GOING_ON = sql<{ is_going_on: boolean }>('auth.isGoingOn')`
  select
    u.session_epoch = $2 or exists (select from other_sessions s where s.user_id = u.id and s.id = $3) as is_going_on
  from users u
  where u.id = $1
  for no key update`;

export interface RegisteredRow {
  id: string;
  username: string;
  name: string | null;
  email: string | null;
  gender: string;
  role: string;
  created_at: Date;
}

/** A trigger adds the reminder settings. */
export const CREATE_USER = sql<RegisteredRow>('auth.createUser')`
  insert into users (username, name, email, password, gender)
  values ($1, $2, $3, $4, $5)
  returning id, username, name, email, gender, role, created_at`;

/** Name and address for the notice of a changed password. */
export const FIND_ADDRESSEE = sql<{ username: string; name: string | null; email: string | null }>(
  'auth.findAddressee',
)`
  select u.username, u.name, u.email
  from users u
  where u.id = $1`;
