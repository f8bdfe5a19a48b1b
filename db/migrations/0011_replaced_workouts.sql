-- A workout that is finished again with other content replaces the stored one, and records follow exactly. For
-- that, what housekeeping removes must not be lost to the records: the best of it is kept here.

-- Of the sets that housekeeping removed, those of each workout and exercise that a record could fall back on.
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
alter table retired_sets enable row level security;
alter table retired_sets force row level security;
create policy service_all on retired_sets to service using (true) with check (true);
grant select, insert, update, delete on retired_sets to service;
grant update on workout_summary to service;

grant create on schema app, public to service;
set local role service;
alter default privileges revoke execute on functions from public;

-- The records of a person (contract 4.3, 4.4) as they follow from every set: those that exist and those that
-- housekeeping removed. $2 null: of all exercises.
create function app.computed_records(p_user_id uuid, p_exercise_ids bigint[]) returns setof exercise_records
language sql stable security definer set search_path = public, pg_temp
as $$
  with done as (
    select
      ets.exercise_id,
      s.weight,
      s.reps,
      ws.workout_start_utc,
      et.id,
      app.estimated_one_rep_max(s.weight, s.reps) as one_rep_max
    from workout_summary ws
    join exercisetracking et on et.workout_summary_id = ws.id
    join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
    cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
    where ws.user_id = p_user_id
      and (p_exercise_ids is null or ets.exercise_id = any (p_exercise_ids))
      and s.weight > 0
    union all
    select
      rs.exercise_id,
      rs.weight,
      rs.reps,
      ws.workout_start_utc,
      rs.tracking_id,
      app.estimated_one_rep_max(rs.weight, rs.reps)
    from retired_sets rs
    join workout_summary ws on ws.id = rs.workout_summary_id
    where rs.user_id = p_user_id
      and (p_exercise_ids is null or rs.exercise_id = any (p_exercise_ids))
  ),
  heaviest as (
    select distinct on (d.exercise_id) d.*
    from done d
    order by d.exercise_id, d.weight desc, d.reps desc, d.workout_start_utc desc, d.id desc
  ),
  strongest as (
    select distinct on (d.exercise_id) d.*
    from done d
    where d.one_rep_max is not null
    order by d.exercise_id, d.one_rep_max desc, d.id desc
  )
  select
    p_user_id, h.exercise_id, h.weight, h.reps, h.workout_start_utc, h.id, s.one_rep_max, s.id
  from heaviest h
  left join strongest s on s.exercise_id = h.exercise_id
$$;

-- The exercises of a person whose record is not what follows from the sets.
create function app.wrong_records(p_user_id uuid) returns bigint[]
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(array_agg(coalesce(c.exercise_id, r.exercise_id)), '{}')
  from app.computed_records(p_user_id, null) c
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
  from app.computed_records(p_user_id, p_exercise_ids) c;
$$;

-- Makes the records of one person right, and waits for nobody's changes unless something is wrong. Returns how
-- many were not.
drop function app.rebuild_exercise_records(uuid, integer);
create function app.rebuild_exercise_records(p_user_id uuid) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_wrong bigint[] := app.wrong_records(p_user_id);
begin
  if cardinality(v_wrong) = 0 then
    return 0;
  end if;
  update users u
  set data_version = u.data_version + 1
  where u.id = p_user_id; -- the row lock: what the person changes meanwhile comes before or after this
  v_wrong := app.wrong_records(p_user_id);
  perform app.recompute_records(p_user_id, v_wrong);
  return cardinality(v_wrong);
end $$;

-- Empties a stored workout of the caller for the content that takes its place: its sets go, split and end change.
-- Returns the exercises that it had. Its records are recomputed by app.finish_replacement, after the new sets.
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

  with removed as (
    delete from exercisetracking et
    using exercisetoworkoutsplit ets
    where et.workout_summary_id = p_workout_id
      and ets.id = et.exercisetosplit_id
    returning ets.exercise_id
  ),
  retired as (
    delete from retired_sets rs
    where rs.workout_summary_id = p_workout_id
    returning rs.exercise_id
  )
  select coalesce(array_agg(x.exercise_id), '{}')
  into v_exercise_ids
  from (select r.exercise_id from removed r union select r.exercise_id from retired r) x;
  return v_exercise_ids;
end $$;

-- Recomputes the caller's records of these exercises and of those in the workout.
create function app.finish_replacement(p_workout_id uuid, p_exercise_ids bigint[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  select app.recompute_records(
    app.user_id(),
    p_exercise_ids || array(
      select ets.exercise_id
      from exercisetracking et
      join workout_summary ws on ws.id = et.workout_summary_id and ws.user_id = app.user_id()
      join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
      where et.workout_summary_id = p_workout_id
    )
  )
$$;
grant execute on function
  app.begin_replacement(uuid, bigint, timestamptz), app.finish_replacement(uuid, bigint[])
  to authenticated;

-- Housekeeping (contract 4.10) for the next people: removes the sets of days that are neither among their
-- 35 most recent workout-days nor within the last 45 days (UTC). Summaries stay, and so do the rows that
-- hold a record. Only people who have something to remove are locked; whoever is just changing something is left
-- for the next run.
create or replace function app.compact_old_workouts(
  p_after uuid, p_people integer, p_now timestamptz default now()
)
returns table (last_id uuid, removed bigint)
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_people uuid[] := array(select u.id from users u where u.id > p_after order by u.id limit p_people);
  v_last_id uuid := v_people[cardinality(v_people)];
  v_today date := (p_now at time zone 'UTC')::date;
  v_removed bigint := 0;
begin
  v_people := array(
    select u.id
    from users u
    where u.id = any (v_people)
      and exists (
        select
        from workout_summary ws
        join exercisetracking et on et.workout_summary_id = ws.id
        where ws.user_id = u.id
          and ws.workout_start_utc < (v_today - 45)::timestamp at time zone 'UTC'
          and not exists (
            select
            from exercise_records r
            where r.user_id = u.id
              and (r.pr_tracking_id = et.id or r.one_rep_max_tracking_id = et.id)
          )
      )
      and (
        select count(*)
        from (
          select distinct (ws.workout_start_utc at time zone 'UTC')::date
          from workout_summary ws
          where ws.user_id = u.id
          limit 36
        ) days
      ) > 35
    for no key update of u skip locked
  );
  if cardinality(v_people) > 0 then
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
        and w.day < v_today - 45
        and not exists (
          select
          from exercise_records r
          where r.user_id = w.user_id
            and (r.pr_tracking_id = et.id or r.one_rep_max_tracking_id = et.id)
        )
      returning w.user_id, et.id, et.workout_summary_id, et.exercisetosplit_id, et.weight, et.reps
    ),
    gone as (
      select
        d.user_id,
        d.id,
        d.workout_summary_id,
        ets.exercise_id,
        s.weight,
        s.reps,
        ws.workout_start_utc,
        app.estimated_one_rep_max(s.weight, s.reps) as one_rep_max
      from deleted d
      join workout_summary ws on ws.id = d.workout_summary_id
      join exercisetoworkoutsplit ets on ets.id = d.exercisetosplit_id
      cross join lateral unnest(d.weight, d.reps) as s (weight, reps)
      where s.weight > 0
    ),
    elected as (
      (
        select distinct on (g.workout_summary_id, g.exercise_id) 'weight' as best_by, g.*
        from gone g
        order by g.workout_summary_id, g.exercise_id, g.weight desc, g.reps desc, g.workout_start_utc desc, g.id desc
      )
      union all
      (
        select distinct on (g.workout_summary_id, g.exercise_id) 'one_rep_max' as best_by, g.*
        from gone g
        where g.one_rep_max is not null
        order by g.workout_summary_id, g.exercise_id, g.one_rep_max desc, g.id desc
      )
    ),
    kept as (
      insert into retired_sets as rs
        (user_id, exercise_id, best_by, weight, reps, workout_summary_id, tracking_id)
      select e.user_id, e.exercise_id, e.best_by, e.weight, e.reps, e.workout_summary_id, e.id
      from elected e
      on conflict (user_id, exercise_id, workout_summary_id, best_by) do update
        set weight = excluded.weight,
            reps = excluded.reps,
            tracking_id = excluded.tracking_id
    ),
    raised as (
      update users u
      set data_version = u.data_version + 1
      where u.id in (select d.user_id from deleted d)
    )
    select count(*) into v_removed from deleted;
  end if;
  return query select v_last_id, v_removed;
end $$;
drop function app.lock_people(uuid, integer);

-- Housekeeping for everybody in one transaction: for a small database, or by hand. Returns the rows removed.
create or replace function public.housekeeping_compact_old_workouts(p_now timestamptz default now()) returns bigint
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

-- A reminder that was sent within the twelve hours before is not sent again because the habit has drifted across
-- midnight (UTC) since, and its day has another name.
create or replace function app.enqueue_workout_reminders(p_now timestamptz default now()) returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_enqueued bigint;
  v_today date := (p_now at time zone 'UTC')::date;
begin
  with enqueued as (
    insert into outbox as waiting (kind, user_id, payload, dedupe_key, created_at, next_attempt_at, expires_at)
    select
      'push.reminder',
      u.id,
      jsonb_build_object(
        'tokenHash', encode(sha256(convert_to(u.push_token, 'UTF8')), 'hex'),
        'splitId', usi.split_id::text,
        'offset', o.minutes::text
      ),
      'push.reminder:' || u.id || ':' || usi.split_id || ':' || d.day,
      p_now,
      r.remind_at,
      least(r.remind_at + make_interval(mins => o.minutes + 15), p_now + interval '24 hours 15 minutes')
    from user_split_information usi
    join users u on u.id = usi.user_id
    join user_reminder_settings urs on urs.user_id = usi.user_id
    cross join lateral (select least(greatest(urs.reminder_offset_minutes, 0), 1440) as minutes) o
    cross join lateral (values (v_today), (v_today + 1)) as d (day)
    cross join lateral (
      select
        p_now + make_interval(
          secs => app.compute_delay_from_utc(p_now, d.day, usi.estimated_time_utc, o.minutes) / 1000.0
        ) as remind_at
    ) r
    where usi.confidence >= 0.60
      and usi.preferred_weekday = extract(dow from d.day)
      and urs.workout_reminders_enabled
      and u.push_token is not null
      and r.remind_at <= p_now + interval '24 hours' -- not null: still to come
      and not exists (
        select
        from outbox sent
        where sent.dedupe_key in (
            'push.reminder:' || u.id || ':' || usi.split_id || ':' || (d.day - 1),
            'push.reminder:' || u.id || ':' || usi.split_id || ':' || (d.day + 1)
          )
          and sent.status = 'sent'
          and sent.finished_at > r.remind_at - interval '12 hours'
      )
    for key share of u
    on conflict (dedupe_key) do update
      set next_attempt_at = excluded.next_attempt_at,
          expires_at = excluded.expires_at,
          payload = excluded.payload
      where waiting.status = 'pending'
        and waiting.attempts = 0
        and (waiting.next_attempt_at, waiting.payload) is distinct from (excluded.next_attempt_at, excluded.payload)
    returning waiting.xmax = 0 as is_new
  )
  select count(*) into v_enqueued from enqueued e where e.is_new;
  return v_enqueued;
end $$;

reset role;
revoke create on schema app, public from service;

-- As before, with fewer people at once: each transaction takes a few milliseconds.
create or replace procedure public.housekeeping()
language plpgsql
as $$
declare
  v_after uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select c.last_id into v_after from app.compact_old_workouts(v_after, 20) c;
    exit when v_after is null;
    commit;
  end loop;
end $$;

-- Security events are kept for 400 days; only what is older may the service see and remove.
grant select (id, occurred_at), delete on security_events to service;
create policy aged_read on security_events for select to service
  using (occurred_at < now() - interval '400 days');
create policy aged_delete on security_events for delete to service
  using (occurred_at < now() - interval '400 days');
create index security_events_age_idx on security_events (occurred_at);
