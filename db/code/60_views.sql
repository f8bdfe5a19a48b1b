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
