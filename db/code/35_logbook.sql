-- The logbook: its versions, its documents, and how the app sees them.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- The next version of a person's log. Others who change it wait for the commit.
create function app.next_log_version(p_user_id uuid) returns bigint
language sql security definer set search_path = public, pg_temp
as $$
  insert into log_heads as h (user_id, version)
  values (p_user_id, 1)
  on conflict (user_id) do update set version = h.version + 1
  returning h.version
$$;

-- Whoever changes a person's log comes before or after this one.
create function app.lock_log(p_user_id uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  insert into log_heads (user_id) values (p_user_id) on conflict do nothing;
  perform from log_heads h where h.user_id = p_user_id for no key update;
end $$;

-- What a workout says, in the form in which it is written: to see whether a change changes anything.
create function app.log_content(p_user_id uuid, p_id uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object(
    'title', w.title, 'notes', w.notes, 'started_at', w.started_at, 'ended_at', w.ended_at,
    'time_zone', w.time_zone, 'split_id', w.split_id,
    'blocks', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'id', b.id, 'exercise_id', b.exercise_id, 'superset', b.superset, 'notes', b.notes,
          'sets', coalesce((
            select jsonb_agg(
              jsonb_build_object(
                'kind', s.kind, 'side', s.side, 'weight', s.weight, 'unit', s.unit, 'reps', s.reps,
                'seconds', s.seconds, 'distance_m', s.distance_m, 'rpe', s.rpe, 'rest_sec', s.rest_sec,
                'done_at', s.done_at
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
    ), '[]')
  )
  from log_workouts w
  where w.user_id = p_user_id
    and w.id = p_id
$$;

-- About how many bytes of JSON a workout is: what each member of a document takes at most, and the notes as they are.
create function app.document_bytes(p_note_bytes integer, p_blocks integer, p_sets integer) returns bigint
language sql immutable parallel safe
return 450 + p_note_bytes::bigint + 140 * p_blocks::bigint + 200 * p_sets::bigint;

-- What workouts come to, beside them and their blocks: sums and records of years do not read every set. Whether an exercise
-- has weight records at all is decided where they are read.
create function app.sum_log_workouts(p_user_id uuid, p_ids uuid[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update log_blocks b
  set (
    hard_sets, heaviest_kg, heaviest_reps, one_rep_max, most_reps, most_reps_kg, most_set_kg, volume_kg, longest_sec,
    farthest_m
  ) = (
    select
      count(*),
      (max(array[l.kg::real::float8, l.reps::float8]) filter (where l.kg is not null))[1],
      (max(array[l.kg::real::float8, l.reps::float8]) filter (where l.kg is not null))[2],
      max(app.estimated_one_rep_max(l.kg::real, l.reps)) filter (where l.kind <> 'drop'),
      (max(array[l.reps::float8, coalesce(l.kg, 0)::float8]) filter (where l.reps > 0))[1],
      (max(array[l.reps::float8, coalesce(l.kg, 0)::float8]) filter (where l.reps > 0))[2],
      max(l.kg::float8 * l.reps),
      sum(l.kg::float8 * l.reps),
      max(l.seconds) filter (where l.seconds > 0),
      max(l.distance_m) filter (where l.distance_m > 0)
    from (
      select
        s.kind, s.reps, s.seconds, s.distance_m,
        case when s.weight > 0 and s.reps > 0 then app.kilograms(s.weight, s.unit) end as kg
      from log_sets s
      where s.user_id = b.user_id
        and s.block_id = b.id
        and s.kind <> 'warmup'
    ) l
  )
  from unnest(p_ids) as wanted (id)
  where b.user_id = p_user_id
    and b.workout_id = wanted.id;

  update log_workouts w
  set hard_sets = t.hard_sets,
      volume_kg = t.volume_kg,
      set_count = t.set_count,
      block_count = n.block_count,
      note_bytes = n.note_bytes + octet_length(to_json(w.title)::text) + octet_length(to_json(w.notes)::text)
  from unnest(p_ids) as wanted (id)
  cross join lateral (
    select
      count(*) as set_count,
      count(*) filter (where s.kind <> 'warmup') as hard_sets,
      coalesce(
        sum(app.kilograms(s.weight, s.unit) * s.reps)
          filter (where s.kind <> 'warmup' and e.measure <> 'assisted_bodyweight'), -- help is not volume
        0
      ) as volume_kg
    from log_blocks b
    join exercises e on e.id = b.exercise_id
    join log_sets s on s.user_id = b.user_id and s.block_id = b.id
    where b.user_id = p_user_id
      and b.workout_id = wanted.id
  ) t
  cross join lateral (
    select count(*) as block_count, coalesce(sum(octet_length(to_json(b.notes)::text)), 0) as note_bytes
    from log_blocks b
    where b.user_id = p_user_id
      and b.workout_id = wanted.id
  ) n
  where w.user_id = p_user_id
    and w.id = wanted.id;
$$;

-- Writes blocks and sets of a workout in place of those that it had; app.sum_log_workouts comes after it.
create function app.write_log_blocks(p_user_id uuid, p_id uuid, p_blocks jsonb) returns void
language sql security definer set search_path = public, pg_temp
as $$
  delete from log_blocks b
  where b.user_id = p_user_id
    and b.workout_id = p_id;

  insert into log_blocks (user_id, id, workout_id, position, exercise_id, superset, notes)
  select p_user_id, (b.value ->> 'id')::uuid, p_id, b.n - 1, e.id, (b.value ->> 'superset')::integer, b.value ->> 'notes'
  from jsonb_array_elements(p_blocks) with ordinality as b (value, n)
  join exercises e on e.id = (b.value ->> 'exercise_id')::bigint
    and (e.owner_id is null or e.owner_id = p_user_id);

  insert into log_sets (
    user_id, block_id, position, kind, side, weight, unit, reps, seconds, distance_m, rpe, rest_sec, done_at
  )
  select
    p_user_id, (b.value ->> 'id')::uuid, s.n - 1, s.kind, s.side, s.weight, s.unit, s.reps, s.seconds, s.distance_m,
    s.rpe, s.rest_sec, s.done_at
  from jsonb_array_elements(p_blocks) as b (value)
  cross join lateral rows from (
    jsonb_to_recordset(b.value -> 'sets') as (
      kind text, side text, weight numeric, unit text, reps bigint, seconds integer, distance_m numeric, rpe numeric,
      rest_sec integer, done_at timestamptz
    )
  ) with ordinality as s (
    kind, side, weight, unit, reps, seconds, distance_m, rpe, rest_sec, done_at, n
  );
$$;

-- Whether the app can show a set: it knows no warm-ups, and each of its sets has a weight and reps.
create function app.is_shown_set(p_kind text, p_weight numeric, p_reps bigint) returns boolean
language sql immutable parallel safe
return p_kind <> 'warmup' and p_weight is not null and coalesce(p_reps, 0) > 0;

-- Shows a workout to the app, or no longer: if it is finished, names a split of the person whose exercises it holds, and
-- has a set that the app can show; the others are left out. A workout that it does not show yet must lie in the window of 45
-- days, and another one with the same start keeps its place.
create function app.project_workout(p_user_id uuid, p_id uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_workout log_workouts;
  v_summary_id uuid;
  v_is_recent boolean;
begin
  select w.* into v_workout from log_workouts w where w.user_id = p_user_id and w.id = p_id;
  v_summary_id := v_workout.summary_id;
  v_is_recent := v_workout.started_at >= now() - interval '45 days' and v_workout.started_at < now() + interval '1 day';

  if not v_is_recent and exists (select from exercisetracking et where et.workout_summary_id = v_summary_id) then
    v_is_recent := true; -- it is there and stays until housekeeping removes it
  end if;

  if v_workout.ended_at is null
    or not exists (
      select
      from workoutsplits s
      join workoutplans p on p.id = s.workout_id
      where s.id = v_workout.split_id
        and p.user_id = p_user_id
    )
    or not exists (
      select
      from log_blocks b
      join log_sets s on s.user_id = b.user_id and s.block_id = b.id
      where b.user_id = p_user_id
        and b.workout_id = p_id
        and app.is_shown_set(s.kind, s.weight, s.reps)
    )
    or exists (
      select
      from log_blocks b
      left join exercisetoworkoutsplit ets
        on ets.workoutsplit_id = v_workout.split_id and ets.exercise_id = b.exercise_id
      where b.user_id = p_user_id
        and b.workout_id = p_id
        and ets.id is null
    )
    or exists (
      select
      from workout_summary ws
      where ws.user_id = p_user_id
        and ws.workout_start_utc = v_workout.started_at
        and ws.id is distinct from v_summary_id
    )
    or (v_summary_id is null and not v_is_recent)
  then
    delete from workout_summary ws where ws.id = v_summary_id and ws.user_id = p_user_id;
    return;
  end if;

  if v_summary_id is null then
    insert into workout_summary (user_id, workout_start_utc, workout_end_utc, workoutsplit_id)
    values (p_user_id, v_workout.started_at, v_workout.ended_at, v_workout.split_id)
    returning id into v_summary_id;
    update log_workouts w set summary_id = v_summary_id where w.user_id = p_user_id and w.id = p_id;
  else
    update workout_summary ws
    set workout_start_utc = v_workout.started_at,
        workout_end_utc = v_workout.ended_at,
        workoutsplit_id = v_workout.split_id
    where ws.id = v_summary_id
      and ws.user_id = p_user_id;
    delete from exercisetracking et where et.workout_summary_id = v_summary_id;
  end if;
  if not v_is_recent then
    return;
  end if;

  update log_blocks b
  set tracking_id = t.tracking_id
  from (
    select x.id, nextval(pg_get_serial_sequence('exercisetracking', 'id')) as tracking_id
    from (
      select y.id
      from log_blocks y
      where y.user_id = p_user_id
        and y.workout_id = p_id
        and exists (
          select
          from log_sets s
          where s.user_id = y.user_id
            and s.block_id = y.id
            and app.is_shown_set(s.kind, s.weight, s.reps)
        )
      order by y.position
    ) x
  ) t
  where b.user_id = p_user_id
    and b.id = t.id;

  insert into exercisetracking (id, exercisetosplit_id, weight, reps, notes, workout_summary_id)
  overriding system value
  select
    b.tracking_id,
    ets.id,
    array_agg(app.kilograms(s.weight, s.unit)::real order by s.position),
    array_agg(s.reps order by s.position),
    nullif(b.notes, ''),
    v_summary_id
  from log_blocks b
  join log_sets s on s.user_id = b.user_id and s.block_id = b.id and app.is_shown_set(s.kind, s.weight, s.reps)
  join exercisetoworkoutsplit ets
    on ets.workoutsplit_id = v_workout.split_id and ets.exercise_id = b.exercise_id
  where b.user_id = p_user_id
    and b.workout_id = p_id
  group by b.user_id, b.id, ets.id
  order by b.tracking_id;
end $$;

-- What of a workout counts for records: exercise → its sets with the start, and which rows of the app they are. An exercise
-- of which nothing counts is not there.
create function app.counting_sets(p_user_id uuid, p_id uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_object_agg(x.exercise_id, x.sets), '{}')
  from (
    select
      b.exercise_id,
      jsonb_agg(
        jsonb_build_array(w.started_at, b.tracking_id, s.kind, s.weight, s.unit, s.reps) order by b.position, s.position
      ) as sets
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    join log_sets s on s.user_id = b.user_id and s.block_id = b.id
    where w.user_id = p_user_id
      and w.id = p_id
      and w.ended_at is not null
      and s.kind <> 'warmup'
      and s.weight > 0
      and s.reps > 0
    group by b.exercise_id
  ) x
$$;

-- Creates or replaces a workout of the person.
-- outcome: created, replaced, unchanged; or mismatch, and nothing was written: its version is none of
-- p_expected, where -1 stands for any and null asks for nothing.
create function app.write_log_workout(
  p_user_id uuid, p_id uuid, p_content jsonb, p_expected bigint[], p_source text, p_import_id uuid
)
returns table (outcome text, version bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_old bigint;
  v_old_content jsonb;
  v_content jsonb := app.normal_content(p_content);
  v_version bigint;
  v_before jsonb;
  v_after jsonb;
begin
  perform app.lock_log(p_user_id);
  select w.version into v_old from log_workouts w where w.user_id = p_user_id and w.id = p_id;
  if p_expected is not null and (v_old is null or not (v_old = any (p_expected) or -1 = any (p_expected))) then
    return query select 'mismatch', coalesce(v_old, 0);
    return;
  end if;
  v_old_content := case when v_old is not null then app.log_content(p_user_id, p_id) end;
  if v_old_content = v_content then
    return query select 'unchanged', v_old;
    return;
  end if;

  v_version := app.next_log_version(p_user_id);
  v_before := app.counting_sets(p_user_id, p_id);
  insert into log_workouts as w (
    user_id, id, version, title, notes, started_at, ended_at, time_zone, source, split_id, import_id
  )
  select
    p_user_id, p_id, v_version, c.title, c.notes, c.started_at, c.ended_at, c.time_zone, p_source, c.split_id, p_import_id
  from jsonb_to_record(p_content) as c (
    title text, notes text, started_at timestamptz, ended_at timestamptz, time_zone text, split_id bigint
  )
  on conflict (user_id, id) do update
    set version = excluded.version,
        updated_at = now(),
        title = excluded.title,
        notes = excluded.notes,
        started_at = excluded.started_at,
        ended_at = excluded.ended_at,
        time_zone = excluded.time_zone,
        split_id = excluded.split_id;
  if v_old_content - array['title', 'notes'] = v_content - array['title', 'notes'] then
    perform app.sum_log_workouts(p_user_id, array[p_id]);
    return query select 'replaced', v_version; -- neither the app nor a record shows these
    return;
  end if;
  perform app.write_log_blocks(p_user_id, p_id, p_content -> 'blocks');
  perform app.sum_log_workouts(p_user_id, array[p_id]);
  delete from log_tombstones t where t.user_id = p_user_id and t.kind = 'workout' and t.id = p_id;
  perform app.project_workout(p_user_id, p_id);
  v_after := app.counting_sets(p_user_id, p_id);
  perform app.recompute_records(p_user_id, array(
    select coalesce(b.key, a.key)::bigint
    from jsonb_each(v_before) b
    full join jsonb_each(v_after) a on a.key = b.key
    where a.value is distinct from b.value
  ));
  return query select case when v_old is null then 'created' else 'replaced' end, v_version;
end $$;

-- Content as app.log_content would give it back: numbers and instants as the columns hold them.
create function app.normal_content(p_content jsonb) returns jsonb
language sql stable set search_path = public, pg_temp
as $$
  select p_content
    || jsonb_build_object(
      'started_at', (p_content ->> 'started_at')::timestamptz,
      'ended_at', (p_content ->> 'ended_at')::timestamptz,
      'blocks', coalesce((
        select jsonb_agg(
          b.value || jsonb_build_object(
            'id', (b.value ->> 'id')::uuid,
            'sets', coalesce((
              select jsonb_agg(
                s.value || jsonb_build_object('done_at', (s.value ->> 'done_at')::timestamptz) order by s.n
              )
              from jsonb_array_elements(b.value -> 'sets') with ordinality as s (value, n)
            ), '[]')
          )
          order by b.n
        )
        from jsonb_array_elements(p_content -> 'blocks') with ordinality as b (value, n)
      ), '[]')
    )
$$;

-- Removes a workout, with its place in the app, and leaves a tombstone. outcome: deleted, absent, mismatch.
create function app.remove_log_workout(p_user_id uuid, p_id uuid, p_expected bigint[])
returns table (outcome text, version bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_workout log_workouts;
  v_exercise_ids bigint[];
  v_version bigint;
begin
  perform app.lock_log(p_user_id);
  select w.* into v_workout from log_workouts w where w.user_id = p_user_id and w.id = p_id;
  if v_workout.id is null then
    return query select 'absent', 0::bigint;
    return;
  end if;
  if p_expected is not null and not (v_workout.version = any (p_expected) or -1 = any (p_expected)) then
    return query select 'mismatch', v_workout.version;
    return;
  end if;
  v_version := app.next_log_version(p_user_id);
  v_exercise_ids := array(select b.exercise_id from log_blocks b where b.user_id = p_user_id and b.workout_id = p_id);
  delete from log_workouts w where w.user_id = p_user_id and w.id = p_id;
  delete from workout_summary ws where ws.id = v_workout.summary_id and ws.user_id = p_user_id;
  insert into log_tombstones (user_id, id, kind, version)
  values (p_user_id, p_id, 'workout', v_version)
  on conflict (user_id, kind, id) do update set version = excluded.version, deleted_at = now();
  perform app.recompute_records(p_user_id, v_exercise_ids);
  return query select 'deleted', v_version;
end $$;

-- The same for the caller, whoever calls.
create function app.put_own_workout(p_id uuid, p_content jsonb, p_expected bigint[])
returns table (outcome text, version bigint)
language sql security definer set search_path = public, pg_temp
as $$
  select * from app.write_log_workout(app.user_id(), p_id, p_content, p_expected, 'logbook', null)
$$;

create function app.delete_own_workout(p_id uuid, p_expected bigint[])
returns table (outcome text, version bigint)
language sql security definer set search_path = public, pg_temp
as $$
  select * from app.remove_log_workout(app.user_id(), p_id, p_expected)
$$;

-- Writes workouts that the app has finished, or finished again, into a person's log: under the id of the app's workout,
-- unless the logbook has shown it to the app. p_zone null: the one that is stored for the person.
create function app.log_workouts_of_app(p_user_id uuid, p_summary_ids uuid[], p_zone text) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_version bigint := app.next_log_version(p_user_id);
begin
  insert into log_workouts as w (
    user_id, id, version, title, started_at, ended_at, time_zone, source, split_id, summary_id
  )
  select
    p_user_id, coalesce(shown.id, ws.id), v_version, s.name, ws.workout_start_utc,
    least(ws.workout_end_utc, ws.workout_start_utc + interval '24 hours'),
    coalesce(p_zone, urs.timezone), 'app', ws.workoutsplit_id, ws.id
  from workout_summary ws
  join workoutsplits s on s.id = ws.workoutsplit_id
  join user_reminder_settings urs on urs.user_id = ws.user_id
  left join log_workouts shown on shown.summary_id = ws.id
  where ws.id = any (p_summary_ids)
    and ws.user_id = p_user_id
  on conflict (user_id, id) do update
    set version = excluded.version,
        updated_at = now(),
        started_at = excluded.started_at,
        ended_at = excluded.ended_at,
        time_zone = excluded.time_zone,
        split_id = excluded.split_id,
        summary_id = excluded.summary_id;

  delete from log_blocks b
  using log_workouts w
  where w.user_id = p_user_id
    and w.summary_id = any (p_summary_ids)
    and b.user_id = p_user_id
    and b.workout_id = w.id;

  delete from log_tombstones t
  where t.user_id = p_user_id
    and t.kind = 'workout'
    and t.id = any (p_summary_ids);

  with done as (
    select
      w.id as workout_id,
      gen_random_uuid() as block_id,
      row_number() over (partition by w.id order by et.id) - 1 as position,
      ets.exercise_id,
      et.id as tracking_id,
      et.notes,
      et.weight,
      et.reps
    from log_workouts w
    join exercisetracking et on et.workout_summary_id = w.summary_id
    join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
    where w.user_id = p_user_id
      and w.summary_id = any (p_summary_ids)
  ),
  blocks as (
    insert into log_blocks (user_id, id, workout_id, position, exercise_id, notes, tracking_id)
    select p_user_id, d.block_id, d.workout_id, d.position, d.exercise_id, left(coalesce(d.notes, ''), 2000), d.tracking_id
    from done d
  )
  insert into log_sets (user_id, block_id, position, weight, unit, reps)
  select p_user_id, d.block_id, s.n - 1, s.weight::text::numeric, 'kg', s.reps
  from done d
  cross join lateral unnest(d.weight, d.reps) with ordinality as s (weight, reps, n);

  perform app.sum_log_workouts(
    p_user_id,
    array(select w.id from log_workouts w where w.user_id = p_user_id and w.summary_id = any (p_summary_ids))
  );
end $$;

-- What a finish says: its split, and exercises, loads, reps and notes in the order of the request, as the app's tables hold
-- them.
create function app.finish_hash(p_split_id bigint, p_entries jsonb) returns bytea
language sql stable set search_path = public, pg_temp
as $$
  select sha256(convert_to(jsonb_build_array(p_split_id, jsonb_agg(
    jsonb_build_array(done.exercisetosplit_id, done.weight, done.reps, done.notes) order by done.position
  ))::text, 'UTF8'))
  from rows from (
    jsonb_to_recordset(p_entries) as (exercisetosplit_id bigint, weight real[], reps bigint[], notes text)
  ) with ordinality as done (exercisetosplit_id, weight, reps, notes, position)
$$;

-- The last finish of the caller with this start. For a workout of which none is known (it was finished before finishes were
-- kept, or longer ago than they are) that is what the app's tables hold.
create function app.last_finish(p_start timestamptz) returns app_finishes
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(
    (
      select f
      from app_finishes f
      where f.user_id = app.user_id()
        and f.started_at = p_start
    ),
    (
      select row(
        ws.user_id, ws.workout_start_utc, ws.workout_end_utc,
        app.finish_hash(ws.workoutsplit_id, (
          select jsonb_agg(
            jsonb_build_object(
              'exercisetosplit_id', et.exercisetosplit_id, 'weight', et.weight, 'reps', et.reps,
              'notes', coalesce(et.notes, '')
            )
            order by et.id
          )
          from exercisetracking et
          where et.workout_summary_id = ws.id
        )),
        coalesce((select w.id from log_workouts w where w.summary_id = ws.id), ws.id), now()
      )::app_finishes
      from workout_summary ws
      where ws.user_id = app.user_id()
        and ws.workout_start_utc = p_start
    )
  )
$$;

-- Makes room for what the app has finished: it gets the app's row of the workout, without sets. An absent end is now, an absent
-- start the end.
-- outcome: created; replaced, which took away what the workout had, in the log and in the app, whatever a desk has made of it
-- since, and names its exercises for app.finish_replacement; unchanged, because the last finish said the same or ended later.
create function app.begin_finish(p_split_id bigint, p_start timestamptz, p_end timestamptz, p_entries jsonb)
returns table (outcome text, summary_id uuid, exercise_ids bigint[])
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.user_id();
  v_end timestamptz := coalesce(p_end, greatest(now(), p_start));
  v_start timestamptz := coalesce(p_start, v_end);
  v_hash bytea := app.finish_hash(p_split_id, p_entries);
  v_last app_finishes := app.last_finish(v_start);
  v_summary_id uuid;
  v_exercise_ids bigint[] := '{}';
begin
  if not p_split_id = any (app.own_split_ids()) then
    raise exception 'no split of the caller';
  end if;
  if v_last.content_hash = v_hash or v_last.ended_at > v_end then
    return query select 'unchanged', null::uuid, v_exercise_ids;
    return;
  end if;

  perform app.lock_log(v_user_id);
  -- The row of this start; where a desk has moved the workout, the one that shows it.
  v_summary_id := coalesce(
    (select ws.id from workout_summary ws where ws.user_id = v_user_id and ws.workout_start_utc = v_start),
    (select w.summary_id from log_workouts w where w.user_id = v_user_id and w.id = v_last.workout_id)
  );
  if v_summary_id is null then
    insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
    values (v_user_id, p_split_id, v_start, v_end)
    returning id into v_summary_id;
    v_exercise_ids := array(
      select b.exercise_id from log_blocks b where b.user_id = v_user_id and b.workout_id = v_last.workout_id
    );
    update log_workouts w set summary_id = v_summary_id where w.user_id = v_user_id and w.id = v_last.workout_id;
  else
    update workout_summary ws
    set workout_start_utc = v_start,
        workout_end_utc = v_end
    where ws.id = v_summary_id;
    v_exercise_ids := app.begin_replacement(v_summary_id, p_split_id, v_end);
  end if;

  insert into app_finishes as f (user_id, started_at, ended_at, content_hash, workout_id)
  values (
    v_user_id, v_start, v_end, v_hash,
    coalesce((select w.id from log_workouts w where w.summary_id = v_summary_id), v_summary_id)
  )
  on conflict (user_id, started_at) do update
    set ended_at = excluded.ended_at,
        content_hash = excluded.content_hash,
        workout_id = excluded.workout_id,
        stored_at = now();
  return query select case when v_last.user_id is null then 'created' else 'replaced' end, v_summary_id, v_exercise_ids;
end $$;

create function app.log_finished_workout(p_summary_id uuid, p_zone text) returns void
language sql security definer set search_path = public, pg_temp
as $$
  select app.log_workouts_of_app(app.user_id(), array[p_summary_id], p_zone)
$$;

-- Workouts of the app that are not in the log: those that an instance of a release without a log finished meanwhile.
create function app.log_missing_workouts(p_user_id uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_missing uuid[] := array(
    select ws.id
    from workout_summary ws
    where ws.user_id = p_user_id
      and not exists (select from log_workouts w where w.summary_id = ws.id)
  );
begin
  if cardinality(v_missing) > 0 then
    perform app.log_workouts_of_app(p_user_id, v_missing, null);
  end if;
end $$;
-- Creates or replaces a measurement of the caller. outcome: created, replaced, unchanged, mismatch.
create function app.put_own_measurement(
  p_id uuid, p_kind text, p_value numeric, p_unit text, p_measured_at timestamptz, p_expected bigint[]
)
returns table (outcome text, version bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.user_id();
  v_old measurements;
  v_version bigint;
begin
  perform app.lock_log(v_user_id);
  select m.* into v_old from measurements m where m.user_id = v_user_id and m.id = p_id;
  if p_expected is not null and (v_old.id is null or not (v_old.version = any (p_expected) or -1 = any (p_expected))) then
    return query select 'mismatch', coalesce(v_old.version, 0);
    return;
  end if;
  if (v_old.kind, v_old.value, v_old.unit, v_old.measured_at) = (p_kind, p_value, p_unit, p_measured_at) then
    return query select 'unchanged', v_old.version;
    return;
  end if;
  v_version := app.next_log_version(v_user_id);
  insert into measurements as m (user_id, id, version, kind, value, unit, measured_at)
  values (v_user_id, p_id, v_version, p_kind, p_value, p_unit, p_measured_at)
  on conflict (user_id, id) do update
    set version = excluded.version,
        updated_at = now(),
        kind = excluded.kind,
        value = excluded.value,
        unit = excluded.unit,
        measured_at = excluded.measured_at;
  delete from log_tombstones t where t.user_id = v_user_id and t.kind = 'measurement' and t.id = p_id;
  return query select case when v_old.id is null then 'created' else 'replaced' end, v_version;
end $$;

-- outcome: deleted, absent, mismatch.
create function app.delete_own_measurement(p_id uuid, p_expected bigint[])
returns table (outcome text, version bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.user_id();
  v_old bigint;
  v_version bigint;
begin
  perform app.lock_log(v_user_id);
  select m.version into v_old from measurements m where m.user_id = v_user_id and m.id = p_id;
  if v_old is null then
    return query select 'absent', 0::bigint;
    return;
  end if;
  if p_expected is not null and not (v_old = any (p_expected) or -1 = any (p_expected)) then
    return query select 'mismatch', v_old;
    return;
  end if;
  v_version := app.next_log_version(v_user_id);
  delete from measurements m where m.user_id = v_user_id and m.id = p_id;
  insert into log_tombstones (user_id, id, kind, version)
  values (v_user_id, p_id, 'measurement', v_version)
  on conflict (user_id, kind, id) do update set version = excluded.version, deleted_at = now();
  return query select 'deleted', v_version;
end $$;

-- After the measure of an own exercise has changed: which of its sets count for records and for volume.
create function app.recompute_own_records(p_exercise_id bigint) returns void
language sql security definer set search_path = public, pg_temp
as $$
  select app.recompute_records(app.user_id(), array[p_exercise_id]);
  select app.sum_log_workouts(
    app.user_id(),
    array(
      select distinct b.workout_id
      from log_blocks b
      where b.exercise_id = p_exercise_id
        and b.user_id = app.user_id()
    )
  )
$$;

-- Removes an own exercise, or archives it where history or a plan needs it. Null: it is not the caller's.
create function app.remove_own_exercise(p_id bigint) returns text
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  if not exists (select from exercises e where e.id = p_id and e.owner_id = app.user_id()) then
    return null;
  end if;
  if exists (select from log_blocks b where b.exercise_id = p_id)
    or exists (select from exercisetoworkoutsplit ets where ets.exercise_id = p_id)
  then
    update exercises e
    set archived_at = now(), version = e.version + 1
    where e.id = p_id
      and e.archived_at is null;
    return 'archived';
  end if;
  delete from exercises e where e.id = p_id;
  return 'deleted';
end $$;
reset role;
