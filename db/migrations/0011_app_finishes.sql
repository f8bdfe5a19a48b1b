-- What the app's last finish of each start said. Finish pressed again after a lost answer is compared with it, and not with
-- what the logbook has made of the workout since. Rows older than the app's window are removed by housekeeping.
create table app_finishes (
  user_id      uuid        not null references users (id) on delete cascade,
  started_at   timestamptz not null,
  ended_at     timestamptz not null,
  content_hash bytea       not null, -- app.finish_hash
  workout_id   uuid        not null, -- of the log, which may have lost it since
  stored_at    timestamptz not null default now(),
  primary key (user_id, started_at)
);
create index app_finishes_stored_idx on app_finishes (stored_at);

-- Exercises by what makes names the same: app.name_key, written out, because functions come and go.
create index exercises_same_name_idx on exercises (lower(regexp_replace(btrim(normalize(name, nfkc)), '\s+', ' ', 'g')));
