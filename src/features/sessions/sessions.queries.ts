import { sql } from '#platform/postgres/query.ts';

export interface OtherSessionRow {
  id: string;
  name: string | null;
  created_at: Date;
  last_used_on: string;
}

/** Locks the person's row: sessions of one person start and end one after the other. $2: the hash that was compared. */
export const HOLD_ACCOUNT = sql<{ id: string; role: string }>('sessions.holdAccount')`
  select u.id, u.role
  from users u
  where u.id = $1
    and ($2::text is null or u.password = $2)
    and u.is_verified
  for no key update`;

interface StartedSessionRow extends OtherSessionRow {
  token_version: number;
}

/** $3: lifetime of its tokens in seconds. */
export const START_OTHER_SESSION = sql<StartedSessionRow>('sessions.startOther')`
  insert into other_sessions (user_id, name, expires_at)
  values ($1, $2, now() + make_interval(secs => $3))
  returning id, name, created_at, last_used_on::text, token_version`;

/** Ends all but the newest $2; those whose tokens have expired go first. */
export const END_OLDEST = sql('sessions.endOldest')`
  delete from other_sessions s
  where s.id = any (array(
    select o.id
    from other_sessions o
    where o.user_id = $1
    order by o.expires_at > now() desc, o.created_at desc, o.id
    offset $2
  ))`;

/**
 * The account that a code may be mailed to, or the system user in its place, to whom no mail goes: the same rows are read,
 * locked (against deletion before the commit) and written for everybody. $1: address, lower-cased; $2: the system user. No
 * row: there is none.
 */
export const FIND_MAILABLE = sql<{ id: string; is_account: boolean }>('sessions.findMailable')`
  select u.id, u.id <> $2 as is_account
  from users u
  where u.id = coalesce(
    (select x.id from users x where lower(trim(x.email)) = $1 and x.is_verified and x.role <> 'System'),
    $2
  )
  for key share`;

/** Removes the codes of address $1, asked for from network $2, but for the newest $3: one more is to come. */
export const REPLACE_CODES = sql('sessions.replaceCodes')`
  delete from mailed_codes c
  where c.nonce = any (array(
    select o.nonce
    from mailed_codes o
    where o.email = $1
      and o.asked_from = $2
    order by o.created_at desc
    offset $3
  ))`;

/** $1: address, lower-cased; $2: its account, or null; $3: network that asks; $4: lifetime in seconds. */
export const MAKE_CODE = sql<{ nonce: string }>('sessions.makeCode')`
  insert into mailed_codes (email, user_id, asked_from, expires_at)
  values ($1, $2, $3, now() + make_interval(secs => $4))
  returning nonce`;

/** Name and address for a code that still works; none for that of an address without an account. */
export const FIND_CODE_ADDRESSEE = sql<{ username: string; name: string | null; email: string }>(
  'sessions.findCodeAddressee',
)`
  select u.username, u.name, c.email
  from mailed_codes c
  join users u on u.id = c.user_id
  where c.user_id = $1
    and c.nonce = $2
    and c.expires_at > now()`;

/** $2: lifetime of its tokens in seconds. No row: it has none, or one that nobody has used for so long. */
export const FIND_PHONE_SESSION = sql<{ since: Date | null; used_on: string | null }>('sessions.findPhone')`
  select u.phone_session_since as since, u.phone_session_used_on::text as used_on
  from users u
  where u.id = $1
    and greatest(u.phone_session_since, u.phone_session_used_on + interval '1 day') > now() - make_interval(secs => $2)`;

export const LIST_OTHER_SESSIONS = sql<OtherSessionRow>('sessions.listOthers')`
  select s.id, s.name, s.created_at, s.last_used_on::text
  from other_sessions s
  where s.user_id = $1
    and s.expires_at > now()
  order by s.created_at desc, s.id`;

export const END_PHONE_SESSION = sql('sessions.endPhone')`
  select app.end_session()`;

/** $1: only this one, or null for all; $2: never this one. */
export const END_OTHER_SESSIONS = sql<{ ended: number }>('sessions.endOthers')`
  select app.end_other_sessions($1, $2) as ended`;
