reset role;

-- Every view runs with the rights of its reader (security_invoker) and names the owner of each row.

create view v_exercisetoworkoutsplit_expanded with (security_invoker = on) as
select
  ets.id,
  p.user_id,
  ets.workoutsplit_id,
  s.workout_id,
  ets.exercise_id,
  e.name as exercise,
  s.name as workoutsplit,
  ets.sets,
  ets.order_index,
  ets.created_at,
  ets.is_active
from exercisetoworkoutsplit ets
join workoutsplits s on s.id = ets.workoutsplit_id
join workoutplans p on p.id = s.workout_id
join exercises e on e.id = ets.exercise_id;

create view v_exercisetracking_expanded with (security_invoker = on) as
select
  et.id,
  ws.user_id,
  et.exercisetosplit_id,
  et.weight,
  et.reps,
  ets.exercise_id,
  ws.workoutsplit_id,
  s.name as splitname,
  e.name as exercise,
  et.notes,
  et.workout_summary_id,
  ws.workout_start_utc,
  ws.workout_end_utc
from exercisetracking et
join workout_summary ws on ws.id = et.workout_summary_id
join workoutsplits s on s.id = ws.workoutsplit_id
join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
join exercises e on e.id = ets.exercise_id;

create view v_exercisetracking_set_simple with (security_invoker = on) as
select
  et.id,
  ws.user_id,
  et.exercisetosplit_id,
  ets.exercise_id,
  e.name as exercise,
  set_row.weight,
  set_row.reps,
  et.workout_summary_id,
  ws.workout_start_utc,
  ws.workout_end_utc
from exercisetracking et
join workout_summary ws on ws.id = et.workout_summary_id
join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
join exercises e on e.id = ets.exercise_id
cross join lateral unnest(et.weight, et.reps) as set_row (weight, reps);

-- The record of behaviour 4.3, from the sets that still exist.
create view v_prs with (security_invoker = on) as
select distinct on (s.user_id, s.exercise_id)
  s.id,
  s.user_id,
  s.exercisetosplit_id,
  s.exercise_id,
  s.exercise,
  s.weight,
  s.reps,
  s.workout_summary_id,
  s.workout_start_utc,
  s.workout_end_utc
from v_exercisetracking_set_simple s
where s.weight > 0
  and s.reps >= 1
order by s.user_id, s.exercise_id, s.weight desc, s.reps desc, s.workout_start_utc desc, s.id desc;

-- Workouts of the log with their blocks and sets, as documents.
create view v_log_workouts with (security_invoker = on) as
select
  w.user_id,
  w.id,
  w.version,
  w.title,
  w.notes,
  w.started_at,
  to_char(w.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position,
  w.ended_at,
  w.time_zone,
  w.split_id,
  w.source,
  w.import_id,
  w.created_at,
  w.updated_at,
  coalesce((
    select json_agg(
      json_build_object(
        'id', b.id,
        'exerciseId', b.exercise_id,
        'superset', b.superset,
        'notes', b.notes,
        'sets', coalesce((
          select json_agg(
            json_build_object(
              'kind', s.kind, 'side', s.side, 'weight', s.weight, 'unit', s.unit, 'reps', s.reps,
              'seconds', s.seconds, 'distanceM', s.distance_m, 'rpe', s.rpe, 'restSec', s.rest_sec,
              'doneAt', to_char(s.done_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            )
            order by s.position
          )
          from log_sets s
          where s.user_id = b.user_id
            and s.block_id = b.id
        ), '[]')
      )
      order by b.position
    )
    from log_blocks b
    where b.user_id = w.user_id
      and b.workout_id = w.id
  ), '[]') as blocks
from log_workouts w;
