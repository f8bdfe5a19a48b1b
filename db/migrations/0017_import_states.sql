-- Imports that can fail, and what a person says about files that name no unit, order or columns.
alter table imports
  drop constraint imports_state_check,
  add constraint imports_state_check check (state in ('preview', 'committing', 'committed', 'failed', 'undone')),
  drop constraint imports_duplicates_check,
  add constraint imports_duplicates_check check (duplicates in ('skip', 'import', 'replace')),
  add column distance_unit text  check (distance_unit in ('m', 'km', 'mi')),
  add column date_order    text  check (date_order in ('dmy', 'mdy')),
  add column columns       jsonb, -- field → header of the file, for files of no known program
  add column failure       text, -- why it could not be written
  add column comparison    jsonb; -- how its workouts compare with the log, and with which version of it

alter table log_workouts
  add column block_count integer not null default 0,
  add column set_count   integer not null default 0,
  add column note_bytes  integer not null default 0; -- of title and notes, as JSON: pages and bounds do not read every set

alter table log_blocks
  add column hard_sets integer not null default 0; -- all but warm-ups

create index imports_committing_idx on imports (updated_at) where state = 'committing';

-- The owner does not see people's rows, service does; in a new database, where there are none, it has no rights yet.
select set_config('role', 'service', true) where has_table_privilege('service', 'imports', 'update');

-- What the release before could not go on with. Its person can take it back or try again.
update imports i
set state = 'failed', failure = 'The import was interrupted. Try again, or take it back.'
where i.state = 'committing'
  and i.updated_at < now() - interval '15 minutes';

update log_workouts w
set block_count = s.block_count,
    set_count = s.set_count,
    note_bytes = s.note_bytes + octet_length(to_json(w.title)::text) + octet_length(to_json(w.notes)::text)
from (
  select
    b.user_id,
    b.workout_id,
    count(*) as block_count,
    sum(octet_length(to_json(b.notes)::text)) as note_bytes,
    sum((select count(*) from log_sets s where s.user_id = b.user_id and s.block_id = b.id)) as set_count
  from log_blocks b
  group by b.user_id, b.workout_id
) s
where s.user_id = w.user_id
  and s.workout_id = w.id;

update log_blocks b
set hard_sets = s.hard_sets
from (
  select x.user_id, x.block_id, count(*) as hard_sets
  from log_sets x
  where x.kind <> 'warmup'
  group by x.user_id, x.block_id
) s
where b.user_id = s.user_id
  and b.id = s.block_id;

-- Help on an assisted exercise is not volume.
update log_workouts w
set volume_kg = t.volume_kg
from (
  select
    b.user_id,
    b.workout_id,
    coalesce(
      sum(s.weight * case s.unit when 'lb' then 0.45359237 else 1 end * s.reps)
        filter (where s.kind <> 'warmup' and e.measure <> 'assisted_bodyweight'),
      0
    ) as volume_kg
  from log_blocks b
  join exercises e on e.id = b.exercise_id
  join log_sets s on s.user_id = b.user_id and s.block_id = b.id
  group by b.user_id, b.workout_id
  having bool_or(e.measure = 'assisted_bodyweight')
) t
where w.user_id = t.user_id
  and w.id = t.workout_id;

reset role;
