import { sql } from '#platform/postgres/query.ts';

/** Makes first sign-ins of one person wait for each other, whichever provider they are by. */
export const LOCK_IDENTITY = sql('oauth.lockIdentity')`
  select pg_advisory_xact_lock(hashtextextended($1, 0))`;

/** The account is locked, so that it is not deleted before this sign-in is done. */
export const FIND_LINK = sql<{ user_id: string }>('oauth.findLink')`
  select oa.user_id
  from oauth_accounts oa
  join users u on u.id = oa.user_id
  where oa.provider = $1
    and oa.provider_user_id = $2
  for no key update of u`;

export interface OwnerRow {
  id: string;
  username: string;
  email: string | null;
  name: string | null;
  is_verified: boolean;
}

/** The account is locked: its verification and other sign-ins to it wait. */
export const FIND_BY_EMAIL = sql<OwnerRow>('oauth.findByEmail')`
  select u.id, u.username, u.email, u.name, u.is_verified
  from users u
  where lower(trim(u.email)) = $1
  for update`;

export const ADD_LINK = sql('oauth.addLink')`
  insert into oauth_accounts (user_id, provider, provider_user_id, provider_email, missing_fields)
  values ($1, $2, $3, $4, $5)`;

/** Gives the account to the proven owner of its address: a password that somebody else has set works no more. */
export const TAKE_OVER = sql('oauth.takeOver')`
  update users u
  set password = null,
      name = $2,
      is_verified = true,
      auth_provider = $3
  where u.id = $1`;

export const REMOVE_LINKS = sql('oauth.removeLinks')`
  delete from oauth_accounts oa
  where oa.user_id = $1`;

/** A trigger adds the reminder settings. No row: the username or the address was taken meanwhile. */
export const CREATE_OWNER = sql<{ id: string }>('oauth.createOwner')`
  insert into users (username, email, name, is_verified, auth_provider)
  values ($1, $2, $3, true, $4)
  on conflict do nothing
  returning id`;

/** How many linked sign-ins a user has, and which fields are missing over all of them. */
export const FIND_MISSING = sql<{ links: number; missing: string[] }>('oauth.findMissing')`
  select
    count(distinct oa.id) as links,
    coalesce(array_agg(distinct m.field) filter (where m.field <> ''), '{}') as missing
  from oauth_accounts oa
  left join lateral unnest(string_to_array(oa.missing_fields, ',')) as m (field) on true
  where oa.user_id = $1`;
