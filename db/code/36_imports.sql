-- Imports: how a file's workouts come into the log, and out again.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- An instant of a time on the clock on the wall.
create function app.instant_at(p_local text, p_zone text) returns timestamptz
language sql stable parallel safe
return p_local::timestamp at time zone p_zone;

-- Workouts of an import that are in the log already: under the same id, or begun within a minute of one that holds one of
-- their exercises. p_mapping: name in the file → id of an exercise.
create function app.import_duplicates(p_user_id uuid, p_import_id uuid, p_mapping jsonb)
returns table (pos integer, is_same boolean)
language sql stable security definer set search_path = public, pg_temp
as $$
  with wanted as (
    select
      iw.position,
      iw.id,
      coalesce(
        (iw.content ->> 'startedAtUtc')::timestamptz, app.instant_at(iw.content ->> 'startedAt', i.time_zone)
      ) as started_at,
      array(
        select (p_mapping ->> (x.value ->> 'name'))::bigint
        from jsonb_array_elements(iw.content -> 'exercises') as x (value)
        where p_mapping ->> (x.value ->> 'name') ~ '^[0-9]+$'
      ) as exercise_ids
    from imports i
    join import_workouts iw on iw.user_id = i.user_id and iw.import_id = i.id
    where i.user_id = p_user_id
      and i.id = p_import_id
  )
  select w.position, exists (select from log_workouts l where l.user_id = p_user_id and l.id = w.id)
  from wanted w
  where exists (select from log_workouts l where l.user_id = p_user_id and l.id = w.id)
     or exists (
       select
       from log_workouts l
       join log_blocks b on b.user_id = l.user_id and b.workout_id = l.id
       where l.user_id = p_user_id
         and l.started_at between w.started_at - interval '60 seconds' and w.started_at + interval '60 seconds'
         and l.import_id is distinct from p_import_id
         and b.exercise_id = any (w.exercise_ids)
     )
$$;

-- Writes some workouts of an import, those that are not in the log yet. p_workouts: a list of id and content as
-- app.write_log_workout takes it. Returns how many were added. The log is locked until the commit.
create function app.import_workouts(p_user_id uuid, p_import_id uuid, p_workouts jsonb) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_version bigint;
  v_workout record;
  v_ids uuid[] := '{}';
begin
  perform app.lock_log(p_user_id);
  for v_workout in
    select (w.value ->> 'id')::uuid as id, w.value -> 'content' as content
    from jsonb_array_elements(p_workouts) with ordinality as w (value, n)
    where not exists (select from log_workouts l where l.user_id = p_user_id and l.id = (w.value ->> 'id')::uuid)
    order by w.n
  loop
    v_version := coalesce(v_version, app.next_log_version(p_user_id));
    insert into log_workouts (
      user_id, id, version, title, notes, started_at, ended_at, time_zone, source, import_id
    )
    select
      p_user_id, v_workout.id, v_version, c.title, c.notes, c.started_at,
      greatest(c.started_at, least(c.ended_at, c.started_at + interval '24 hours')) + (c.ended_at - c.ended_at), -- null stays
      c.time_zone, 'import', p_import_id
    from jsonb_to_record(v_workout.content) as c (
      title text, notes text, started_at timestamptz, ended_at timestamptz, time_zone text
    );
    perform app.write_log_blocks(p_user_id, v_workout.id, v_workout.content -> 'blocks');
    v_ids := v_ids || v_workout.id;
  end loop;
  if cardinality(v_ids) = 0 then
    return 0;
  end if;
  perform app.sum_log_workouts(p_user_id, v_ids);

  delete from log_tombstones t
  where t.user_id = p_user_id
    and t.kind = 'workout'
    and t.id in (select (w.value ->> 'id')::uuid from jsonb_array_elements(p_workouts) as w (value));
  return cardinality(v_ids);
end $$;

-- When the last workout of an import is in the log: the records of its exercises, once for all.
create function app.finish_import(p_user_id uuid, p_import_id uuid) returns void
language sql security definer set search_path = public, pg_temp
as $$
  select app.recompute_records(p_user_id, array(
    select distinct b.exercise_id
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    where w.user_id = p_user_id
      and w.import_id = p_import_id
  ))
$$;

-- Takes an import of the caller back. Workouts that were edited since stay, unless p_force; own exercises that it made go
-- if nothing uses them. Returns the workouts that stayed; null: there is no such import, or it is being written.
create function app.undo_own_import(p_import_id uuid, p_force boolean) returns uuid[]
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.user_id();
  v_kept uuid[];
  v_gone uuid[];
  v_exercise_ids bigint[];
  v_version bigint;
begin
  perform from imports i
  where i.user_id = v_user_id
    and i.id = p_import_id
    and i.state <> 'committing'
  for update;
  if not found then
    return null;
  end if;
  perform app.lock_log(v_user_id);
  v_kept := array(
    select w.id
    from log_workouts w
    where w.user_id = v_user_id
      and w.import_id = p_import_id
      and w.updated_at <> w.created_at
      and not p_force
  );
  v_gone := array(
    select w.id
    from log_workouts w
    where w.user_id = v_user_id
      and w.import_id = p_import_id
      and w.id <> all (v_kept)
  );
  if cardinality(v_gone) > 0 then
    v_version := app.next_log_version(v_user_id);
    v_exercise_ids := array(
      select distinct b.exercise_id
      from log_blocks b
      where b.user_id = v_user_id
        and b.workout_id = any (v_gone)
    );
    delete from workout_summary ws
    using log_workouts w
    where w.user_id = v_user_id
      and w.id = any (v_gone)
      and ws.id = w.summary_id;
    delete from log_workouts w where w.user_id = v_user_id and w.id = any (v_gone);
    insert into log_tombstones (user_id, id, kind, version)
    select v_user_id, g.id, 'workout', v_version
    from unnest(v_gone) as g (id)
    on conflict (user_id, kind, id) do update set version = excluded.version, deleted_at = now();
    perform app.recompute_records(v_user_id, v_exercise_ids);
  end if;
  delete from exercises e
  where e.owner_id = v_user_id
    and e.import_id = p_import_id
    and not exists (select from log_blocks b where b.exercise_id = e.id)
    and not exists (select from exercisetoworkoutsplit ets where ets.exercise_id = e.id);
  delete from import_workouts iw where iw.user_id = v_user_id and iw.import_id = p_import_id;
  update imports i
  set state = 'undone', updated_at = now(), file = null, added = cardinality(v_kept)
  where i.user_id = v_user_id
    and i.id = p_import_id;
  return v_kept;
end $$;
reset role;
