-- What the schedule enqueues (contract 1.8, 4.8). Set-based, and idempotent by the outbox's de-duplication
-- keys, which outlive the delivery: an outside cron, pg_cron and the workers' own schedule may all run it.

-- Receipts of pushes are fetched later; until then, which phone a ticket was for.
create table push_tickets (
  ticket_id  text        primary key,
  user_id    uuid        not null references users (id) on delete cascade,
  push_token text        not null,
  created_at timestamptz not null default now()
);
create index push_tickets_age_idx on push_tickets (created_at);
create index push_tickets_user_idx on push_tickets (user_id);
alter table push_tickets enable row level security;
alter table push_tickets force row level security;
create policy service_all on push_tickets to service using (true) with check (true);
grant select, insert, delete on push_tickets to service;

-- Each kind has its own line: a hundred thousand pushes do not stand before a mail.
drop index outbox_pending_idx;
create index outbox_pending_idx on outbox (kind, next_attempt_at) where status = 'pending';
create index outbox_expiry_idx on outbox (expires_at) where status = 'pending';

-- Every row is written again with each refresh: room in the pages spares the indexes.
alter table user_split_information set (fillfactor = 60);

grant create on schema app, public to service;
set local role service;

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

-- Reminders that fall due in the next 24 hours, for workouts of today and tomorrow (UTC), each with its own
-- check of the weekday. One that waits follows a habit or setting that changed. A reminder that is late by a quarter of an hour after the workout's time says nothing
-- to anybody: then it expires. Returns how many were newly enqueued.
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

-- As before, and it does not fail when somebody is deleted meanwhile.
create or replace function public.refresh_user_split_information(p_now timestamptz default now()) returns bigint
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

reset role;
revoke create on schema app, public from service;

-- Housekeeping for everybody in small transactions, for pg_cron: `call housekeeping()`.
create procedure public.housekeeping()
language plpgsql
as $$
declare
  v_after uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select c.last_id into v_after from app.compact_old_workouts(v_after, 200) c;
    exit when v_after is null;
    commit;
  end loop;
end $$;
revoke all on procedure public.housekeeping() from public;

-- pg_cron runs these as the login that migrates.
set local role service;
do $$
begin
  execute format(
    'grant execute on function '
      'public.refresh_user_split_information(timestamptz), app.compact_old_workouts(uuid, integer, timestamptz), '
      'app.enqueue_daily_pushes(integer, timestamptz), app.enqueue_workout_reminders(timestamptz) to %I',
    session_user
  );
end $$;
reset role;
