-- A record names the rows that hold it, also that of the best one-rep max: housekeeping leaves both,
-- so the records can be computed again from the sets at any time, with the same result.
alter table exercise_records add column one_rep_max_tracking_id bigint;

-- Definer functions belong to the role service, and nobody else may call them unless it is said here.
grant create on schema app, public to service;
set local role service;
alter default privileges revoke execute on functions from public;

-- Raises the records of people and exercises that these rows of exercisetracking beat.
-- Ties go to more reps, the later workout, the higher row (contract 4.3).
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
    cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
    where et.id = any (p_tracking_ids)
      and s.weight > 0
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
          order by b.pr_weight desc, b.pr_reps desc, b.pr_start_utc desc, b.pr_tracking_id desc
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

create or replace function app.update_exercise_records() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform app.raise_exercise_records(array(select n.id from inserted n));
  return null;
end $$;

-- The next so many people after p_after, by id, locked: what is done to their rows waits for nobody and
-- nobody waits long. People who are just changing something are left for the next run.
create function app.lock_people(p_after uuid, p_people integer) returns setof uuid
language sql security definer set search_path = public, pg_temp
as $$
  select u.id
  from users u
  where u.id > p_after
  order by u.id
  limit p_people
  for no key update skip locked
$$;

-- Computes the records of the next people anew from their sets.
-- last_id: where the next call goes on; null when there was nobody left. changed: records that were not right.
create function app.rebuild_exercise_records(p_after uuid, p_people integer)
returns table (last_id uuid, changed bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_people uuid[] := array(select p.id from app.lock_people(p_after, p_people) as p (id));
  v_before exercise_records[] := array(
    select r from exercise_records r where r.user_id = any (v_people)
  );
begin
  delete from exercise_records r where r.user_id = any (v_people);
  perform app.raise_exercise_records(array(
    select et.id
    from workout_summary ws
    join exercisetracking et on et.workout_summary_id = ws.id
    where ws.user_id = any (v_people)
  ));
  return query
    with different as (
      select coalesce(b.user_id, r.user_id) as user_id
      from unnest(v_before) b
      full join (
        select * from exercise_records x where x.user_id = any (v_people)
      ) r on r.user_id = b.user_id and r.exercise_id = b.exercise_id
      where (b.*) is distinct from (r.*)
    ),
    raised as (
      update users u
      set data_version = u.data_version + 1
      where u.id in (select d.user_id from different d)
    )
    select max_uuid.id, (select count(*) from different)
    from (select p.id from unnest(v_people) as p (id) order by p.id desc limit 1) max_uuid
    union all
    select null, 0 where cardinality(v_people) = 0;
end $$;

-- Housekeeping (contract 4.10) for the next people: removes the sets of days that are neither among their
-- 35 most recent workout-days nor within the last 45 days (UTC). Summaries stay, and so do the rows that
-- hold a record.
drop function housekeeping_compact_old_workouts(integer, timestamptz);
create function app.compact_old_workouts(p_after uuid, p_people integer, p_now timestamptz default now())
returns table (last_id uuid, removed bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_people uuid[] := array(select p.id from app.lock_people(p_after, p_people) as p (id));
begin
  return query
    with workout as (
      select
        ws.id,
        ws.user_id,
        (ws.workout_start_utc at time zone 'UTC')::date as day
      from workout_summary ws
      where ws.user_id = any (v_people)
        and exists (select from exercisetracking et where et.workout_summary_id = ws.id)
    ),
    ranked as (
      select
        w.id,
        w.user_id,
        w.day,
        dense_rank() over (partition by w.user_id order by w.day desc) as recency
      from workout w
    ),
    deleted as (
      delete from exercisetracking et
      using ranked w
      where et.workout_summary_id = w.id
        and w.recency > 35
        and w.day < (p_now at time zone 'UTC')::date - 45
        and not exists (
          select
          from exercise_records r
          where r.user_id = w.user_id
            and (r.pr_tracking_id = et.id or r.one_rep_max_tracking_id = et.id)
        )
      returning w.user_id
    ),
    raised as (
      update users u
      set data_version = u.data_version + 1
      where u.id in (select d.user_id from deleted d)
    )
    select max_uuid.id, (select count(*) from deleted)
    from (select p.id from unnest(v_people) as p (id) order by p.id desc limit 1) max_uuid
    union all
    select null, 0 where cardinality(v_people) = 0;
end $$;

-- Housekeeping for everybody in one transaction: for a small database, or by hand. Returns the rows removed.
create function housekeeping_compact_old_workouts(p_now timestamptz default now()) returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_after uuid := '00000000-0000-0000-0000-000000000000';
  v_removed bigint;
  v_total bigint := 0;
begin
  loop
    select c.last_id, c.removed into v_after, v_removed from app.compact_old_workouts(v_after, 500, p_now) c;
    exit when v_after is null;
    v_total := v_total + v_removed;
  end loop;
  return v_total;
end $$;

-- The rows behind the records that exist already.
do $$
declare
  v_user_id uuid;
begin
  for v_user_id in select distinct r.user_id from exercise_records r loop
    perform app.raise_exercise_records(array(
      select et.id
      from workout_summary ws
      join exercisetracking et on et.workout_summary_id = ws.id
      where ws.user_id = v_user_id
    ));
  end loop;
end $$;

reset role;
revoke create on schema app, public from service;
