-- Who acts. Every statement of a request or a job runs under one of two roles:
--   authenticated  a signed-in person; sees and changes only what is theirs
--   service        public flows (login, registration, links), workers and the schedule
-- Neither can log in. The server's own login is a member of both and switches with
-- SET LOCAL ROLE, so no statement of a request runs as the owner of the tables.
do $$
declare
  v_role text;
  v_options text := case
    -- From 16 on, membership can be limited to SET ROLE: the login inherits no rights by itself.
    when current_setting('server_version_num')::int >= 160000 then ' with inherit false, set true'
    else ''
  end;
begin
  foreach v_role in array array['authenticated', 'service'] loop
    begin
      execute format('create role %I nologin', v_role);
    exception when duplicate_object or unique_violation then
      null; -- roles belong to the whole cluster: another database may have made them already
    end;
    if not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
      execute format('grant %I to %I', v_role, current_user) || v_options;
    end if;
  end loop;
end $$;

create schema app;

revoke all on schema public from public;
revoke all on schema app from public;
grant usage on schema public, app to authenticated, service;

revoke all on schema_migrations from public, authenticated, service; -- made by the runner

-- What this login creates later is closed until a migration opens it; some hosts open it by default.
alter default privileges revoke execute on functions from public;
alter default privileges revoke all on functions from authenticated, service;
alter default privileges revoke all on tables from public, authenticated, service;
alter default privileges revoke all on sequences from public, authenticated, service;
alter default privileges in schema public revoke all on functions from public, authenticated, service;
alter default privileges in schema public revoke all on tables from public, authenticated, service;
alter default privileges in schema public revoke all on sequences from public, authenticated, service;

-- ---------------------------------------------------------------------------
-- Tables
-- ---------------------------------------------------------------------------
-- Delete rules: what belongs to a person goes with the person (CASCADE); what points to another
-- person loses the pointer (SET NULL); history that points into plan and catalogue holds them
-- (NO ACTION, checked at the end of the statement, when a person's cascade has removed both sides).

create table users (
  id                 uuid        primary key default gen_random_uuid(),
  username           text        not null check (char_length(trim(username)) between 1 and 64),
  email              text        check (char_length(email) <= 254),
  name               text        check (char_length(name) <= 200),
  gender             text        not null default 'Unknown' check (gender in ('Male', 'Female', 'Other', 'Unknown')),
  created_at         timestamptz not null default now(),
  profile_image_url  text,
  push_token         text        check (char_length(push_token) <= 255),
  password           text,       -- bcrypt; null = no password login
  role               text        not null default 'User' check (role in ('User', 'Trainer', 'Admin', 'System')),
  is_first_login     boolean     not null default true,
  is_verified        boolean     not null default false,
  auth_provider      text        not null default 'app' check (auth_provider in ('app', 'google', 'apple')),
  token_version      bigint      not null default 0, -- access and refresh tokens of another version are dead
  session_epoch      bigint      not null default 0, -- socket tickets of another epoch are dead
  refresh_rotated_at timestamptz,                    -- null: the version did not come from a refresh
  token_version_used boolean     not null default false,
  data_version       bigint      not null default 0, -- part of every cache key
  verification_epoch bigint      not null default 0, -- verification links of another epoch are dead
  pending_email      text        check (char_length(pending_email) <= 254)
);
create unique index users_username_key on users (lower(trim(username)));
create unique index users_email_key on users (lower(trim(email))) where email is not null;
create unique index users_push_token_key on users (push_token) where push_token is not null;
create unique index users_system_key on users (role) where role = 'System'; -- one sender of system messages

create table oauth_accounts (
  id               uuid        primary key default gen_random_uuid(),
  user_id          uuid        not null references users (id) on delete cascade on update cascade,
  provider         text        not null check (provider in ('google', 'apple')),
  provider_user_id text        not null,
  provider_email   text,
  linked_at        timestamptz not null default now(),
  missing_fields   text,       -- comma list of email and name; null = complete
  constraint oauth_accounts_provider_key unique (provider, provider_user_id)
);
create index oauth_accounts_user_idx on oauth_accounts (user_id);

create table exercises (
  id                   bigint generated by default as identity primary key,
  name                 text   not null constraint exercises_name_key unique,
  description          text   not null,
  targetmuscle         text   not null,
  specifictargetmuscle text   not null
);

create table workoutplans (
  id             bigint      generated by default as identity primary key,
  name           text        not null default 'My Workout' check (char_length(name) <= 100),
  numberofsplits bigint      not null default 1,
  created_at     timestamptz not null default now(),
  is_deleted     boolean     not null default false,
  level          text        not null default 'Beginner',
  user_id        uuid        not null references users (id) on delete cascade,
  trainer_id     uuid        references users (id) on delete set null,
  is_active      boolean     not null default true,
  updated_at     timestamptz not null default now()
);
create unique index workoutplans_one_active_key on workoutplans (user_id) where is_active;
create index workoutplans_user_idx on workoutplans (user_id);
create index workoutplans_trainer_idx on workoutplans (trainer_id);

create table workoutsplits (
  id           bigint      generated by default as identity primary key,
  workout_id   bigint      not null references workoutplans (id) on delete cascade,
  name         text        not null check (char_length(name) <= 50),
  created_at   timestamptz not null default now(),
  muscle_group text,       -- kept by update_muscle_group_trigger
  is_active    boolean     not null default true,
  constraint workoutsplits_name_key unique (workout_id, name)
);

create table exercisetoworkoutsplit (
  id              bigint      generated by default as identity primary key,
  exercise_id     bigint      not null references exercises (id) on delete no action,
  workoutsplit_id bigint      not null references workoutsplits (id) on delete cascade,
  created_at      timestamptz not null default now(),
  sets            bigint[]    not null, -- planned reps, one element a set
  order_index     bigint      not null check (order_index >= 0),
  is_active       boolean     not null default true,
  constraint exercisetoworkoutsplit_exercise_key unique (workoutsplit_id, exercise_id),
  constraint exercisetoworkoutsplit_sets_check check (
    cardinality(sets) > 0 and array_ndims(sets) = 1 and array_position(sets, null) is null and 0 < all (sets)
  )
);
create index exercisetoworkoutsplit_order_idx on exercisetoworkoutsplit (workoutsplit_id, order_index);
create index exercisetoworkoutsplit_active_order_idx on exercisetoworkoutsplit (workoutsplit_id, order_index) where is_active;
create index exercisetoworkoutsplit_exercise_idx on exercisetoworkoutsplit (exercise_id);

create table workout_summary (
  id                uuid        primary key default gen_random_uuid(),
  user_id           uuid        not null references users (id) on delete cascade,
  workout_start_utc timestamptz not null default now(),
  workout_end_utc   timestamptz not null default now(),
  created_at        timestamptz not null default now(),
  workoutsplit_id   bigint      not null references workoutsplits (id) on delete no action,
  constraint workout_summary_times_check check (workout_end_utc >= workout_start_utc),
  constraint workout_summary_start_key unique (user_id, workout_start_utc) -- one workout a start; read backwards for "newest first"
);
create index workout_summary_day_idx on workout_summary (((workout_start_utc at time zone 'UTC')::date));
create index workout_summary_split_idx on workout_summary (workoutsplit_id);

create table exercisetracking (
  id                 bigint   generated by default as identity primary key,
  exercisetosplit_id bigint   not null references exercisetoworkoutsplit (id) on delete no action,
  weight             real[]   not null, -- kilograms, one element a set
  reps               bigint[] not null,
  notes              text,
  workout_summary_id uuid     not null references workout_summary (id) on delete cascade,
  constraint exercisetracking_sets_check check (
    cardinality(weight) > 0 and cardinality(weight) = cardinality(reps)
    and array_ndims(weight) = 1 and array_ndims(reps) = 1
    and array_position(weight, null) is null and array_position(reps, null) is null
    -- NaN sorts above Infinity, so this refuses both
    and 0 <= all (weight) and 'Infinity'::real > all (weight)
    and 1 <= all (reps)
  )
);
create index exercisetracking_summary_idx on exercisetracking (workout_summary_id);
create index exercisetracking_exercise_idx on exercisetracking (exercisetosplit_id);

create table aerobictracking (
  id               bigint      generated by default as identity primary key,
  user_id          uuid        not null references users (id) on delete cascade,
  type             text        not null check (char_length(type) between 1 and 50),
  duration_mins    bigint      not null default 0 check (duration_mins between 0 and 1440),
  duration_sec     bigint      not null default 0 check (duration_sec between 0 and 59),
  workout_time_utc timestamptz not null default now()
);
create index aerobictracking_user_time_idx on aerobictracking (user_id, workout_time_utc desc);

create table messages (
  id          uuid        primary key default gen_random_uuid(),
  sender_id   uuid        references users (id) on delete set null,
  receiver_id uuid        not null references users (id) on delete cascade,
  subject     text        not null,
  msg         text        not null,
  sent_at     timestamptz not null default now(),
  is_read     boolean     not null default false,
  deleted_at  timestamptz
);
create index messages_inbox_idx on messages (receiver_id, sent_at desc, id);
create index messages_sender_idx on messages (sender_id);

create table user_reminder_settings (
  user_id                   uuid        primary key references users (id) on delete cascade,
  workout_reminders_enabled boolean     not null default true,
  reminder_offset_minutes   integer     not null default 60,
  updated_at                timestamptz not null default now(),
  timezone                  text        not null default 'UTC'
);

create table user_split_information (
  id                 bigint       generated by default as identity primary key,
  user_id            uuid         not null references users (id) on delete cascade,
  split_id           bigint       not null references workoutsplits (id) on delete cascade,
  estimated_time_utc timestamptz  not null,
  confidence         numeric(3,2) not null default 1.00,
  last_computed_at   timestamptz  not null default now(),
  preferred_weekday  integer      check (preferred_weekday between 0 and 6), -- UTC, 0 = Sunday
  constraint user_split_information_split_key unique (user_id, split_id)
) with (fillfactor = 60); -- every row is written again with each refresh: room in the pages spares the indexes
create index user_split_information_due_idx on user_split_information (preferred_weekday, confidence) where confidence >= 0.60;
create index user_split_information_user_idx on user_split_information (user_id, preferred_weekday) where preferred_weekday is not null;
create index user_split_information_split_idx on user_split_information (split_id);

-- The record of each exercise (behaviour 4.3) and its best estimated one-rep max (4.4, unrounded).
-- Kept apart from the sets so that housekeeping can remove old sets and never lowers a record.
create table exercise_records (
  user_id          uuid        not null references users (id) on delete cascade,
  exercise_id      bigint      not null references exercises (id) on delete no action,
  pr_weight        real        not null,
  pr_reps          bigint      not null,
  pr_start_utc     timestamptz not null, -- start of the workout that holds the record
  pr_tracking_id   bigint      not null, -- last tie-break; the row itself may be gone
  one_rep_max      numeric,              -- null: no set of 1 to 12 reps yet
  one_rep_max_tracking_id bigint,        -- the row that holds it: housekeeping leaves it and that of the record
  primary key (user_id, exercise_id)
);
create index exercise_records_exercise_idx on exercise_records (exercise_id);

-- What must happen later: written in the transaction of its cause, delivered by a worker.
-- The row outlives the delivery, so that the de-duplication key keeps its meaning.
create table outbox (
  id              uuid        primary key default gen_random_uuid(),
  kind            text        not null,
  user_id         uuid        references users (id) on delete cascade, -- null: outlives the person, such as cleaning up after them
  payload         jsonb       not null default '{}', -- never a token, never finished HTML
  dedupe_key      text        not null constraint outbox_dedupe_key unique,
  created_at      timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  expires_at      timestamptz not null,
  attempts        integer     not null default 0,
  status          text        not null default 'pending' check (status in ('pending', 'sent', 'dropped', 'failed')),
  finished_at     timestamptz,
  last_error      text
);
-- Each kind has its own line: a hundred thousand pushes do not stand before a mail.
create index outbox_pending_idx on outbox (kind, next_attempt_at) where status = 'pending';
create index outbox_expiry_idx on outbox (expires_at) where status = 'pending';
create index outbox_finished_idx on outbox (finished_at) where status <> 'pending';
create index outbox_user_idx on outbox (user_id);

-- The first answer to a request that carried an Idempotency-Key.
create table idempotency_keys (
  user_id    uuid        not null references users (id) on delete cascade,
  route      text        not null,
  key        text        not null check (char_length(key) between 1 and 255),
  body_hash  bytea       not null,
  status     integer     not null,
  body       text        not null,
  created_at timestamptz not null default now(),
  primary key (user_id, route, key)
);
create index idempotency_keys_age_idx on idempotency_keys (created_at);

-- Memory for proofs that were used while Redis was away (behaviour 0.8, check 8).
create table seen_proofs (
  thumbprint text        not null,
  jti        text        not null, -- its SHA-256
  request_id text        not null, -- a request that tries again inside does not refuse itself
  expires_at timestamptz not null,
  primary key (thumbprint, jti)
);
create index seen_proofs_age_idx on seen_proofs (expires_at);

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

-- Receipts of pushes are fetched later; until then, which phone a ticket was for.
create table push_tickets (
  ticket_id  text        primary key,
  user_id    uuid        not null references users (id) on delete cascade,
  push_token text        not null,
  created_at timestamptz not null default now()
);
create index push_tickets_age_idx on push_tickets (created_at);
create index push_tickets_user_idx on push_tickets (user_id);
