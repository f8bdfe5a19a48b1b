-- Codes that were mailed (docs/behaviour/logbook.md, 6.5): several for an address, so that a stranger who asks for one voids
-- none of the owner's. A code is made of this row and a secret of the server, so nothing stored here opens anything. A row
-- without a person is of an address without an account, for which the server does the same work.
-- sign_in_codes belongs to the release before; the next one drops it.
create table mailed_codes (
  nonce      uuid        primary key default gen_random_uuid(),
  email      text        not null, -- as typed, lower-cased; it works while that is the account's address
  user_id    uuid        references users (id) on delete cascade,
  asked_from text        not null, -- mark of the network that asked: a keyed hash, from which no address can be read
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index mailed_codes_email_idx on mailed_codes (email, asked_from, created_at);
create index mailed_codes_user_idx on mailed_codes (user_id);
create index mailed_codes_expiry_idx on mailed_codes (expires_at);

alter table security_events
  drop constraint security_events_kind_check,
  add constraint security_events_kind_check check (kind in (
    'login-failed', 'refresh-by-foreign-key', 'refresh-token-reused', 'password-reset', 'password-changed',
    'email-change-requested', 'email-changed', 'account-taken-over', 'account-deleted'
  )) not valid;
alter table security_events validate constraint security_events_kind_check;
