-- What happened to accounts: appended by the service, read by the operator, changed by nobody.
-- It holds no address and no name, and does not point at users: it outlives the account.
create table security_events (
  id          bigint      generated always as identity primary key,
  occurred_at timestamptz not null default now(),
  kind        text        not null check (kind in (
    'login-failed', 'refresh-by-foreign-key', 'password-reset', 'email-change-requested', 'email-changed',
    'account-taken-over', 'account-deleted'
  )),
  user_id     uuid,
  request_id  text
);
create index security_events_user_idx on security_events (user_id, occurred_at);

alter table security_events enable row level security;
alter table security_events force row level security;
create policy appended on security_events for insert to service with check (true);
create policy read_by_operator on security_events for select to current_user using (true);
grant insert on security_events to service;

-- Cleaning up after a deleted account is an intent without a user: the user's own go with the row.
alter table outbox alter column user_id drop not null;

-- Verification links of another epoch are dead, also for the same address.
alter table users add column verification_epoch bigint not null default 0;
