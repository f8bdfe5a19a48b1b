-- Of the sets that housekeeping removed, those of each workout and exercise that a record could fall back on: a workout
-- that is finished again with other content replaces the stored one, and records follow exactly.
create table retired_sets (
  user_id            uuid        not null references users (id) on delete cascade,
  exercise_id        bigint      not null references exercises (id) on delete no action,
  best_by            text        not null check (best_by in ('weight', 'one_rep_max')),
  weight             real        not null,
  reps               bigint      not null,
  workout_summary_id uuid        not null references workout_summary (id) on delete cascade,
  tracking_id        bigint      not null, -- the row is gone; its number decides ties
  primary key (user_id, exercise_id, workout_summary_id, best_by)
);
create index retired_sets_exercise_idx on retired_sets (exercise_id);
create index retired_sets_summary_idx on retired_sets (workout_summary_id);

create index security_events_age_idx on security_events (occurred_at);
