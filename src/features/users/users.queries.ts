import { sql } from '#platform/postgres/query.ts';

export interface ProfileRow {
  id: string;
  username: string;
  email: string | null;
  name: string | null;
  gender: string;
  role: string;
  created_at: Date;
  profile_image_url: string | null;
  is_first_login: boolean;
  is_verified: boolean;
  auth_provider: string;
}

export const FIND_PROFILE = sql<ProfileRow>('users.findProfile')`
  select
    u.id, u.username, u.email, u.name, u.gender, u.role, u.created_at, u.profile_image_url,
    u.is_first_login, u.is_verified, u.auth_provider
  from users u
  where u.id = $1`;

/** What an update must know: the profile's pending state and what its linked sign-ins still miss. */
export interface ChangeableRow {
  username: string;
  name: string | null;
  email: string | null;
  missing: string[];
}

export const FIND_CHANGEABLE = sql<ChangeableRow>('users.findChangeable')`
  select
    u.username,
    u.name,
    u.email,
    array(
      select distinct m.field
      from oauth_accounts oa
      cross join lateral unnest(string_to_array(oa.missing_fields, ',')) as m (field)
      where oa.user_id = u.id
    ) as missing
  from users u
  where u.id = $1`;

/** $1 user; null keeps a value: $2 username, $3 name, $4 pending address. */
export const CHANGE_PROFILE = sql<ProfileRow>('users.changeProfile')`
  update users u
  set username = coalesce($2, u.username),
      name = coalesce($3, u.name),
      pending_email = coalesce($4, u.pending_email)
  where u.id = $1
  returning
    u.id, u.username, u.email, u.name, u.gender, u.role, u.created_at, u.profile_image_url,
    u.is_first_login, u.is_verified, u.auth_provider`;

/** Needs the service role. Whether a username ($2) or an address ($3) belongs to somebody else; null asks nothing. */
export const FIND_CONFLICT = sql<{ id: string }>('users.findConflict')`
  select u.id
  from users u
  where u.id <> $1
    and (lower(trim(u.username)) = lower($2) or lower(trim(u.email)) = $3)`;

/** Needs the service role. */
export const CLEAR_MISSING_FIELDS = sql('users.clearMissingFields')`
  update oauth_accounts oa
  set missing_fields = null
  where oa.user_id = $1
    and oa.missing_fields is not null`;

/**
 * Makes changes of push tokens wait for each other, so that two people who swap phones do not deadlock. Taken before
 * any row is locked.
 */
export const LOCK_PUSH_TOKENS = sql('users.lockPushTokens')`
  select pg_advisory_xact_lock(hashtextextended('push tokens', 0))`;

/** Needs the service role. Takes a push token from everybody else: a phone has one owner. */
export const TAKE_PUSH_TOKEN = sql('users.takePushToken')`
  update users u
  set push_token = null
  where u.push_token = $2
    and u.id <> $1`;

export const SET_PUSH_TOKEN = sql('users.setPushToken')`
  update users u
  set push_token = $2
  where u.id = $1`;

/** Returns the picture that was replaced. */
export const REPLACE_PICTURE = sql<{ previous: string | null }>('users.replacePicture')`
  update users u
  set profile_image_url = $2
  from (select old.id, old.profile_image_url from users old where old.id = $1 for update) before
  where u.id = before.id
  returning before.profile_image_url as previous`;

/** Needs the service role. Whether $1 has the picture at path $2. */
export const IS_PICTURE_USED = sql<{ used: boolean }>('users.isPictureUsed')`
  select exists (
    select
    from users u
    where u.id = $1
      and u.profile_image_url = $2
  ) as used`;

export const FIND_PICTURE = sql<{ path: string | null }>('users.findPicture')`
  select u.profile_image_url as path
  from users u
  where u.id = $1`;

/** Only the picture that was removed: another may have been uploaded meanwhile. */
export const CLEAR_PICTURE = sql('users.clearPicture')`
  update users u
  set profile_image_url = null
  where u.id = $1
    and u.profile_image_url = $2`;

/** Needs the service role. Everything of the user is deleted with the row. */
export const DELETE_USER = sql('users.delete')`
  delete from users u
  where u.id = $1`;

/** $1 user, $2 new address, $3 old address or null. No row: it is not the pending address, or the old one changed. */
export const CONFIRM_EMAIL = sql<{ id: string }>('users.confirmEmail')`
  update users u
  set email = u.pending_email,
      pending_email = null,
      is_verified = true
  where u.id = $1
    and lower(trim(u.pending_email)) = $2
    and lower(trim(u.email)) is not distinct from $3
  returning u.id`;

export const FIND_EMAIL = sql<{ email: string | null }>('users.findEmail')`
  select lower(trim(u.email)) as email
  from users u
  where u.id = $1`;

export interface NoticeRow {
  username: string;
  name: string | null;
  email: string | null;
  pending_email: string | null;
}

/** Name and addresses for mails. */
export const FIND_ADDRESSEE = sql<NoticeRow>('users.findAddressee')`
  select u.username, u.name, u.email, u.pending_email
  from users u
  where u.id = $1`;
