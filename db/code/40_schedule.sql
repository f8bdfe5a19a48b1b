-- What the schedule runs (behaviour 4.8, 4.10). Safe to run together, twice or late; idempotent by the outbox's
-- de-duplication keys, which outlive the delivery.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- Stored zones, each with the one that counts: a broken zone counts as UTC and stops nobody.
create view app.stored_zones with (security_invoker = on) as
select d.timezone, coalesce(known.name, 'UTC') as zone
from (select distinct urs.timezone from public.user_reminder_settings urs) d
left join pg_timezone_names known on known.name = d.timezone;

-- Milliseconds from p_now until the reminder of a workout on p_day (UTC), which is at the UTC hour and minute
-- of p_estimated; null when that is over. The offset is minutes before the workout, from none to a day.
create function app.compute_delay_from_utc(
  p_now timestamptz, p_day date, p_estimated timestamptz, p_offset_minutes integer
) returns bigint
language sql immutable parallel safe
as $$
  select case when r.remind_at > p_now then (extract(epoch from r.remind_at - p_now) * 1000)::bigint end
  from (
    select
      (p_day + date_trunc('minute', p_estimated at time zone 'UTC')::time) at time zone 'UTC'
        - make_interval(mins => least(greatest(p_offset_minutes, 0), 1440)) as remind_at
  ) r
$$;

-- One push a person and local day: "Ready to go workout?". With p_local_hour (0-23) only to those for whom it
-- is that hour of the day, or one of the two after it, should a run have been missed. Returns how many were
-- newly enqueued.
create function app.enqueue_daily_pushes(p_local_hour integer default null, p_now timestamptz default now())
returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_enqueued bigint;
begin
  insert into outbox (kind, user_id, payload, dedupe_key, created_at, next_attempt_at, expires_at)
  select
    'push.daily',
    u.id,
    jsonb_build_object('tokenHash', encode(sha256(convert_to(u.push_token, 'UTF8')), 'hex')),
    'push.daily:' || u.id || ':' || (p_now at time zone z.zone)::date,
    p_now,
    p_now,
    p_now + interval '24 hours'
  from users u
  join user_reminder_settings urs on urs.user_id = u.id
  join app.stored_zones z on z.timezone = urs.timezone
  where u.push_token is not null
    and u.role <> 'System'
    and (
      p_local_hour is null
      or extract(hour from p_now at time zone z.zone) between p_local_hour and p_local_hour + 2
    )
  for key share of u -- whoever is just being deleted is waited for, and left out
  on conflict (dedupe_key) do nothing;
  get diagnostics v_enqueued = row_count;
  return v_enqueued;
end $$;

-- A reminder that was sent within the twelve hours before is not sent again because the habit has drifted across
-- midnight (UTC) since, and its day has another name.
create function app.enqueue_workout_reminders(p_now timestamptz default now()) returns bigint
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

-- When each person usually trains each split, from the workouts of the last 21 days.
create function public.refresh_user_split_information(p_now timestamptz default now()) returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_rows bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('refresh_user_split_information', 0));

  with workout as (
    select
      ws.user_id,
      ws.workoutsplit_id as split_id,
      ws.workout_start_utc,
      coalesce(z.zone, 'UTC') as zone,
      ws.workout_start_utc at time zone coalesce(z.zone, 'UTC') as local_start
    from workout_summary ws
    join workoutsplits s on s.id = ws.workoutsplit_id and s.is_active
    join workoutplans p on p.id = s.workout_id and p.is_active and p.user_id = ws.user_id
    left join user_reminder_settings urs on urs.user_id = ws.user_id
    left join app.stored_zones z on z.timezone = urs.timezone
    where ws.workout_start_utc >= p_now - interval '21 days'
  ),
  habit as (
    select
      w.user_id,
      w.split_id,
      w.zone,
      extract(dow from w.local_start)::int as weekday,
      count(*) as workouts,
      max(w.workout_start_utc) as last_trained,
      -- times of day lie on a circle: 23:50 and 00:10 average to midnight, not to noon
      atan2(
        sum(sin(2 * pi() * extract(epoch from w.local_start::time) / 86400)),
        sum(cos(2 * pi() * extract(epoch from w.local_start::time) / 86400))
      ) as mean_angle
    from workout w
    group by w.user_id, w.split_id, w.zone, extract(dow from w.local_start)
  ),
  strongest as (
    select distinct on (h.user_id, h.split_id) h.*
    from habit h
    order by h.user_id, h.split_id, h.workouts desc, h.last_trained desc, h.weekday
  ),
  next_time as (
    select
      s.user_id,
      s.split_id,
      s.workouts,
      (
        t.local_today + (s.weekday - extract(dow from t.local_today)::int + 7) % 7
        + make_interval(secs => (round(s.mean_angle / (2 * pi()) * 86400)::int + 86400) % 86400)
      ) at time zone s.zone as estimated_time_utc
    from strongest s
    cross join lateral (select (p_now at time zone s.zone)::date as local_today) t
  ),
  stale as (
    delete from user_split_information usi
    where not exists (
      select from next_time n where n.user_id = usi.user_id and n.split_id = usi.split_id
    )
  )
  insert into user_split_information as usi
    (user_id, split_id, estimated_time_utc, confidence, last_computed_at, preferred_weekday)
  select
    n.user_id,
    n.split_id,
    n.estimated_time_utc,
    case when n.workouts >= 3 then 1.00 when n.workouts = 2 then 0.60 else 0.30 end,
    p_now,
    extract(dow from n.estimated_time_utc at time zone 'UTC')::int
  from next_time n
  join users u on u.id = n.user_id
  for key share of u -- whoever is just being deleted is waited for, and left out
  on conflict (user_id, split_id) do update
    set estimated_time_utc = excluded.estimated_time_utc,
        confidence = excluded.confidence,
        last_computed_at = excluded.last_computed_at,
        preferred_weekday = excluded.preferred_weekday;
  get diagnostics v_rows = row_count;
  return v_rows;
end $$;

-- The row of the app that holds a person's best set where no weight record does (behaviour 4.1); null: one does.
create function app.best_set_id(p_user_id uuid) returns bigint
language sql stable security definer set search_path = public, pg_temp
as $$
  select et.id
  from workout_summary ws
  join exercisetracking et on et.workout_summary_id = ws.id
  join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
  join exercises e on e.id = ets.exercise_id
  cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
  where ws.user_id = p_user_id
    and not exists (select from exercise_records r where r.user_id = p_user_id)
  order by s.weight desc, s.reps desc, ws.workout_start_utc desc, e.name
  limit 1
$$;

-- Housekeeping (behaviour 4.10) for the next people: removes the sets of days that are neither among their
-- 35 most recent workout-days nor within the last 45 days (UTC). Summaries stay, and so do the rows that
-- hold a record, or the best set where there is no record. Only people who have something to remove are locked; people
-- who are just changing something are left for the next run.
create function app.compact_old_workouts(
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
    cross join lateral (select app.best_set_id(u.id) as id offset 0) best
    where u.id = any (v_people)
      and exists (
        select
        from workout_summary ws
        join exercisetracking et on et.workout_summary_id = ws.id
        where ws.user_id = u.id
          and ws.workout_start_utc < (v_today - 45)::timestamp at time zone 'UTC'
          and et.id is distinct from best.id
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
    perform app.log_missing_workouts(p.id) from unnest(v_people) as p (id); -- what goes must be in the log
    with best as materialized (
      select p.id as user_id, app.best_set_id(p.id) as id
      from unnest(v_people) as p (id)
    ),
    workout as (
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
      join best b on b.user_id = w.user_id
      where et.workout_summary_id = w.id
        and et.id is distinct from b.id
        and w.recency > 35
        and w.day < v_today - 45
        and not exists (
          select
          from exercise_records r
          where r.user_id = w.user_id
            and (r.pr_tracking_id = et.id or r.one_rep_max_tracking_id = et.id)
        )
      returning et.id
    )
    select count(*) into v_removed from deleted;
  end if;
  return query select v_last_id, v_removed;
end $$;

-- Housekeeping for everybody in one transaction: for a small database, or by hand. Returns the rows removed.
create function public.housekeeping_compact_old_workouts(p_now timestamptz default now()) returns bigint
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
