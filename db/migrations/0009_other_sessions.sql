-- Sessions beside the phone (docs/behaviour/logbook.md, 6.5). A row is a session that goes on: its end removes the row.
create table other_sessions (
  id                 uuid        primary key default gen_random_uuid(),
  user_id            uuid        not null references users (id) on delete cascade,
  name               text        check (char_length(name) between 1 and 100),
  created_at         timestamptz not null default clock_timestamp(), -- decides which one is the oldest
  last_used_on       date        not null default (now() at time zone 'UTC'),
  expires_at         timestamptz not null, -- when its newest refresh token does
  token_version      bigint      not null default 1, -- access and refresh tokens of another version are dead
  refresh_rotated_at timestamptz,                    -- null: the version did not come from a refresh
  token_version_used boolean     not null default false
);
create index other_sessions_user_idx on other_sessions (user_id, created_at);
create index other_sessions_expiry_idx on other_sessions (expires_at);

-- A code that was mailed: one a person, made of this row and a secret of the server, so nothing stored here opens anything.
create table sign_in_codes (
  user_id    uuid        primary key references users (id) on delete cascade,
  email      text        not null, -- where it was mailed; it works while that is the account's address
  nonce      uuid        not null default gen_random_uuid(),
  expires_at timestamptz not null,
  tries      integer     not null default 0
);
create index sign_in_codes_expiry_idx on sign_in_codes (expires_at);

-- What a list of sessions says of the phone's. Null: it has none, or began before this release.
alter table users
  add column phone_session_since   timestamptz,
  add column phone_session_used_on date;

alter table security_events
  drop constraint security_events_kind_check,
  add constraint security_events_kind_check check (kind in (
    'login-failed', 'refresh-by-foreign-key', 'password-reset', 'password-changed', 'email-change-requested', 'email-changed',
    'account-taken-over', 'account-deleted'
  )) not valid;
alter table security_events validate constraint security_events_kind_check;
