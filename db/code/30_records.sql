-- Records and one-rep maxima (behaviour 4.3, 4.4).

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- The pound of 1959: exactly 0.45359237 kg.
create function app.kilograms(p_weight numeric, p_unit text) returns numeric
language sql immutable parallel safe
return case p_unit when 'lb' then p_weight * 0.45359237 else p_weight end;

-- Estimated one-rep max of one set in kilograms, unrounded; null where the formulae do not apply.
-- 2-5 reps: Epley (1985). 6-10: Brzycki (1993). 11-12: O'Connor et al. (1989).
-- The weight goes through text so that 20.1 stays 20.1 and is not 20.1000003814697.
create function app.estimated_one_rep_max(p_weight real, p_reps bigint) returns numeric
language sql immutable parallel safe
return case
  when p_weight <= 0 or p_reps < 1 or p_reps > 12 then null
  when p_reps = 1 then p_weight::text::numeric
  when p_reps <= 5 then p_weight::text::numeric * (1 + 0.0333 * p_reps)
  when p_reps <= 10 then p_weight::text::numeric * 36 / (37 - p_reps)
  else p_weight::text::numeric * (1 + 0.025 * p_reps)
end;

-- Raises the records of people and exercises that these rows of exercisetracking beat.
-- Ties go to more reps, the later workout, the higher row (behaviour 4.3).
create function app.raise_exercise_records(p_tracking_ids bigint[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  with done as (
    select
      ws.user_id,
      ets.exercise_id,
      s.weight,
      s.reps,
      ws.workout_start_utc,
      et.id,
      app.estimated_one_rep_max(s.weight, s.reps) as one_rep_max
    from exercisetracking et
    join workout_summary ws on ws.id = et.workout_summary_id
    join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
    join exercises e on e.id = ets.exercise_id
    cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
    where et.id = any (p_tracking_ids)
      and s.weight > 0
      and e.measure not in ('bodyweight_reps', 'assisted_bodyweight')
  ),
  heaviest as (
    select distinct on (d.user_id, d.exercise_id) d.*
    from done d
    order by d.user_id, d.exercise_id, d.weight desc, d.reps desc, d.workout_start_utc desc, d.id desc
  ),
  strongest as (
    select distinct on (d.user_id, d.exercise_id) d.*
    from done d
    where d.one_rep_max is not null
    order by d.user_id, d.exercise_id, d.one_rep_max desc, d.id desc
  )
  insert into exercise_records as r (
    user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id, one_rep_max, one_rep_max_tracking_id
  )
  select
    h.user_id, h.exercise_id, h.weight, h.reps, h.workout_start_utc, h.id, s.one_rep_max, s.id
  from heaviest h
  left join strongest s on s.user_id = h.user_id and s.exercise_id = h.exercise_id
  on conflict (user_id, exercise_id) do update
    set (pr_weight, pr_reps, pr_start_utc, pr_tracking_id) = (
          select b.pr_weight, b.pr_reps, b.pr_start_utc, b.pr_tracking_id
          from (values
            (r.pr_weight, r.pr_reps, r.pr_start_utc, r.pr_tracking_id),
            (excluded.pr_weight, excluded.pr_reps, excluded.pr_start_utc, excluded.pr_tracking_id)
          ) as b (pr_weight, pr_reps, pr_start_utc, pr_tracking_id)
          order by b.pr_weight desc, b.pr_reps desc, b.pr_start_utc desc, b.pr_tracking_id desc nulls last
          limit 1
        ),
        (one_rep_max, one_rep_max_tracking_id) = (
          select b.one_rep_max, b.one_rep_max_tracking_id
          from (values
            (r.one_rep_max, r.one_rep_max_tracking_id),
            (excluded.one_rep_max, excluded.one_rep_max_tracking_id)
          ) as b (one_rep_max, one_rep_max_tracking_id)
          order by b.one_rep_max desc nulls last, b.one_rep_max_tracking_id desc nulls last
          limit 1
        )
$$;

-- The records of a person (behaviour 4.3, 4.4) as they follow from the log, whatever wrote it: of finished workouts, never
-- of warm-ups, for the one-rep max not of drops either, and not of exercises whose load is the body or takes some of it
-- away.
--
-- The greatest list of numbers says which block has the best set: one pass without sorting. Instants are whole microseconds,
-- which a double holds exactly; a block without a row of the app is -1.
-- Always along the indexes: a plan for nobody in particular would read everybody's blocks.
create function app.computed_records(p_user_id uuid, p_exercise_ids bigint[]) returns setof exercise_records
language sql stable security definer set search_path = public, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  with done as materialized (
    select
      b.exercise_id,
      b.heaviest_kg,
      b.heaviest_reps,
      b.one_rep_max,
      extract(epoch from w.started_at)::float8 * 1000000 as at,
      coalesce(b.tracking_id, -1) as id
    from log_blocks b
    join log_workouts w on w.user_id = b.user_id and w.id = b.workout_id
    join exercises e on e.id = b.exercise_id
    where b.user_id = p_user_id
      and b.exercise_id = any (p_exercise_ids)
      and b.heaviest_kg is not null
      and w.ended_at is not null
      and e.measure not in ('bodyweight_reps', 'assisted_bodyweight')
  ),
  heaviest as (
    select
      d.exercise_id,
      max(array[d.heaviest_kg::float8, d.heaviest_reps::float8, round(d.at), d.id::float8]) as best,
      max(d.one_rep_max) as one_rep_max
    from done d
    group by d.exercise_id
  )
  select
    p_user_id, h.exercise_id, h.best[1]::real, h.best[2]::bigint,
    'epoch'::timestamptz + h.best[3] * interval '1 microsecond',
    nullif(h.best[4], -1)::bigint, h.one_rep_max, nullif(s.id, -1)
  from heaviest h
  left join lateral (
    select max(d.id) as id
    from done d
    where d.exercise_id = h.exercise_id
      and d.one_rep_max = h.one_rep_max
  ) s on true
$$;

-- The exercises of a person whose record is not what follows from the sets.
create function app.wrong_records(p_user_id uuid) returns bigint[]
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(array_agg(coalesce(c.exercise_id, r.exercise_id)), '{}')
  from app.computed_records(
    p_user_id, array(select distinct b.exercise_id from log_blocks b where b.user_id = p_user_id)
  ) c
  full join (
    select * from exercise_records x where x.user_id = p_user_id
  ) r on r.exercise_id = c.exercise_id
  where (c.*) is distinct from (r.*)
$$;

create function app.recompute_records(p_user_id uuid, p_exercise_ids bigint[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  delete from exercise_records r
  where r.user_id = p_user_id
    and r.exercise_id = any (p_exercise_ids);

  insert into exercise_records (
    user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id, one_rep_max, one_rep_max_tracking_id
  )
  select
    c.user_id, c.exercise_id, c.pr_weight, c.pr_reps, c.pr_start_utc, c.pr_tracking_id,
    c.one_rep_max, c.one_rep_max_tracking_id
  from app.computed_records(p_user_id, p_exercise_ids) c
  where cardinality(p_exercise_ids) > 0;
$$;

create function app.rebuild_exercise_records(p_user_id uuid) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_wrong bigint[];
begin
  perform app.log_missing_workouts(p_user_id);
  v_wrong := app.wrong_records(p_user_id);
  if cardinality(v_wrong) = 0 then
    return 0;
  end if;
  perform from users u where u.id = p_user_id for no key update; -- what the person changes comes before or after this
  v_wrong := app.wrong_records(p_user_id);
  perform app.recompute_records(p_user_id, v_wrong);
  return cardinality(v_wrong);
end $$;

-- Empties a stored workout of the caller for the content that takes its place: its sets go, split and end change.
-- Returns the exercises that it had. Its records are recomputed by app.finish_replacement, after the new sets. What an
-- instance of the release before, which knows no log, has written goes into the log with them.
create function app.begin_replacement(p_workout_id uuid, p_split_id bigint, p_end timestamptz) returns bigint[]
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_exercise_ids bigint[];
begin
  update workout_summary ws
  set workoutsplit_id = p_split_id,
      workout_end_utc = p_end
  where ws.id = p_workout_id
    and ws.user_id = app.user_id()
    and p_split_id = any (app.own_split_ids());
  if not found then
    raise exception 'no workout of the caller';
  end if;

  if not exists (select from log_workouts w where w.summary_id = p_workout_id) then
    perform app.log_workouts_of_app(app.user_id(), array[p_workout_id], null);
  end if;
  delete from exercisetracking et
  where et.workout_summary_id = p_workout_id;
  v_exercise_ids := array(
    select b.exercise_id
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    where w.summary_id = p_workout_id
  );
  return v_exercise_ids;
end $$;

-- Recomputes the caller's records of these exercises and of those in the workout.
create function app.finish_replacement(p_workout_id uuid, p_exercise_ids bigint[]) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  if not exists (
    select
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    join exercisetracking et on et.id = b.tracking_id and et.workout_summary_id = p_workout_id
    where w.summary_id = p_workout_id
  ) then
    perform app.log_workouts_of_app(app.user_id(), array[p_workout_id], null);
  end if;
  perform app.log_missing_workouts(app.user_id());
  perform app.recompute_records(
    app.user_id(),
    p_exercise_ids || array(
      select ets.exercise_id
      from exercisetracking et
      join workout_summary ws on ws.id = et.workout_summary_id and ws.user_id = app.user_id()
      join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
      where et.workout_summary_id = p_workout_id
    )
  );
end $$;
