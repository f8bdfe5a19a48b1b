-- Imports: how a file's workouts come into the log, and out again.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- A workout of a file as the log would give it back: instants, and an end at most a day after the start. Where the file
-- says how long it took (lasts_sec), the end follows from that: a clock on the wall may change in between.
create function app.file_content(p_content jsonb) returns jsonb
language plpgsql stable set search_path = public, pg_temp
as $$
declare
  v_content jsonb := app.normal_content(p_content);
  v_start timestamptz := v_content ->> 'started_at';
  v_end timestamptz := coalesce(
    v_start + make_interval(secs => (v_content ->> 'lasts_sec')::double precision), (v_content ->> 'ended_at')::timestamptz
  );
begin
  return (v_content - 'lasts_sec') || jsonb_build_object(
    'ended_at', case when v_end is not null then greatest(v_start, least(v_end, v_start + interval '24 hours')) end
  );
end $$;

-- Content without what a file of another program does not say.
create function app.comparable_content(p_content jsonb) returns jsonb
language sql stable set search_path = public, pg_temp
as $$
  select (p_content - 'split_id') || jsonb_build_object(
    'blocks', coalesce((
      select jsonb_agg(b.value - 'id' order by b.n)
      from jsonb_array_elements(p_content -> 'blocks') with ordinality as b (value, n)
    ), '[]')
  )
$$;

-- How workouts of an import compare with the log. p_workouts: a list of id and content as app.write_log_workout takes it.
-- pos: the place in the list, from 0 on. standing: `new`; or one of the same id is there: `equal`, `changed`, or `edited`
-- where it is another one because a person changed it; or one that began within a minute and has a common exercise is
-- there: `near_equal`, `near`.
create function app.compare_import(p_user_id uuid, p_import_id uuid, p_workouts jsonb)
returns table (pos integer, standing text)
language sql stable security definer set search_path = public, pg_temp
as $$
  select
    w.n - 1,
    case -- content is made last, for the few that are there
      when same.id is not null and app.comparable_content(app.log_content(p_user_id, same.id)) = w.content then 'equal'
      when same.is_edited then 'edited'
      when same.id is not null then 'changed'
      when near.id is null then 'new'
      when app.comparable_content(app.log_content(p_user_id, near.id)) -> 'blocks' = w.content -> 'blocks' then 'near_equal'
      else 'near'
    end
  from (
    select
      (x.value ->> 'id')::uuid as id,
      app.comparable_content(app.file_content(x.value -> 'content')) as content,
      (x.value -> 'content' ->> 'started_at')::timestamptz as started_at,
      array(
        select (b.value ->> 'exercise_id')::bigint from jsonb_array_elements(x.value -> 'content' -> 'blocks') as b (value)
      ) as exercise_ids,
      x.n::integer as n
    from jsonb_array_elements(p_workouts) with ordinality as x (value, n)
  ) w
  left join lateral (
    select l.id, l.updated_at <> l.created_at or l.source <> 'import' as is_edited
    from log_workouts l
    where l.user_id = p_user_id
      and l.id = w.id
  ) same on true
  left join lateral (
    select l.id
    from log_workouts l
    where same.id is null
      and l.user_id = p_user_id
      and l.started_at between w.started_at - interval '60 seconds' and w.started_at + interval '60 seconds'
      and l.import_id is distinct from p_import_id
      -- An array, so that the blocks are found by their workout, whatever is known of the table's statistics.
      and array(
        select b.exercise_id from log_blocks b where b.user_id = l.user_id and b.workout_id = l.id
      ) && w.exercise_ids
    order by l.started_at, l.id
    limit 1
  ) near on true
  order by w.n
$$;

-- Writes some workouts of an import: those that are not in the log yet, and in place of those of an import that nobody has
-- edited. p_workouts: a list of id and content as app.write_log_workout takes it. Returns how many were written. The log
-- is locked until the commit.
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
    select (w.value ->> 'id')::uuid as id, app.file_content(w.value -> 'content') as content
    from jsonb_array_elements(p_workouts) with ordinality as w (value, n)
    order by w.n
  loop
    v_version := coalesce(v_version, app.next_log_version(p_user_id));
    insert into log_workouts as w (
      user_id, id, version, title, notes, started_at, ended_at, time_zone, source, import_id
    )
    select
      p_user_id, v_workout.id, v_version, c.title, c.notes, c.started_at, c.ended_at, c.time_zone, 'import', p_import_id
    from jsonb_to_record(v_workout.content) as c (
      title text, notes text, started_at timestamptz, ended_at timestamptz, time_zone text
    )
    on conflict (user_id, id) do update
      set version = excluded.version,
          created_at = now(),
          updated_at = now(), -- equal: nobody has edited it
          title = excluded.title,
          notes = excluded.notes,
          started_at = excluded.started_at,
          ended_at = excluded.ended_at,
          time_zone = excluded.time_zone
      where w.source = 'import'
        and w.updated_at = w.created_at;
    continue when not found;
    perform app.write_log_blocks(p_user_id, v_workout.id, app.free_block_ids(p_user_id, v_workout.id, v_workout.content));
    v_ids := v_ids || v_workout.id;
  end loop;
  if cardinality(v_ids) = 0 then
    return 0;
  end if;
  perform app.sum_log_workouts(p_user_id, v_ids);

  delete from log_tombstones t
  where t.user_id = p_user_id
    and t.kind = 'workout'
    and t.id = any (v_ids);
  return cardinality(v_ids);
end $$;

-- The blocks of a workout of a file; one whose id is that of a block in another workout gets a new one.
create function app.free_block_ids(p_user_id uuid, p_id uuid, p_content jsonb) returns jsonb
language sql volatile security definer set search_path = public, pg_temp
as $$
  select coalesce(
    jsonb_agg(
      case
        when exists (
          select
          from log_blocks taken
          where taken.user_id = p_user_id
            and taken.id = (b.value ->> 'id')::uuid
            and taken.workout_id <> p_id
        ) then b.value || jsonb_build_object('id', gen_random_uuid())
        else b.value
      end
      order by b.n
    ),
    '[]'
  )
  from jsonb_array_elements(p_content -> 'blocks') with ordinality as b (value, n)
$$;

-- When an import writes no more: the records of its exercises, once for all; of every exercise, if it replaced workouts.
create function app.finish_import(p_user_id uuid, p_import_id uuid, p_replaces boolean) returns void
language sql security definer set search_path = public, pg_temp
as $$
  select app.recompute_records(p_user_id, array(
    select b.exercise_id
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    where w.user_id = p_user_id
      and (p_replaces or w.import_id = p_import_id)
    union
    select r.exercise_id
    from exercise_records r
    where p_replaces
      and r.user_id = p_user_id
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
