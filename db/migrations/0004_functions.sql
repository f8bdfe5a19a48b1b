-- SECURITY DEFINER functions belong to the role service (see the end of this file): they do one
-- narrow thing that the caller's own rights do not cover, and they fix their search_path.

-- ---------------------------------------------------------------------------
-- Scope
-- ---------------------------------------------------------------------------

-- The person that the current transaction acts for; null outside a scope, and then no policy shows a row.
create function app.user_id() returns uuid
language sql stable parallel safe
return nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid;

-- The caller's plans and splits, for policies. A policy asks once a query, (select app.own_split_ids()),
-- and PostgreSQL can use an index on the answer; a subquery over tables that have policies themselves
-- would be checked row by row over the whole table.
create function app.own_plan_ids() returns bigint[]
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(array_agg(p.id), '{}')
  from workoutplans p
  where p.user_id = app.user_id()
$$;

create function app.own_split_ids() returns bigint[]
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(array_agg(s.id), '{}')
  from workoutplans p
  join workoutsplits s on s.workout_id = p.id
  where p.user_id = app.user_id()
$$;

-- What the guard must know about a user, in one primary-key lookup.
create function app.session_state(p_user_id uuid)
returns table (
  token_version bigint, token_version_used boolean, session_epoch bigint,
  is_verified boolean, role text, data_version bigint
)
language sql stable security definer set search_path = public, pg_temp
as $$
  select u.token_version, u.token_version_used, u.session_epoch, u.is_verified, u.role, u.data_version
  from users u
  where u.id = p_user_id
$$;

-- Remembers that a token of the current version was accepted: the rotation's answer did arrive.
create function app.mark_token_version_used(p_user_id uuid, p_token_version bigint) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set token_version_used = true
  where u.id = p_user_id
    and u.token_version = p_token_version
    and not u.token_version_used
$$;

-- Marks a proof as used by a request until p_expires_at; false when another request used it before.
create function app.remember_proof(p_thumbprint text, p_jti text, p_request_id text, p_expires_at timestamptz)
returns boolean
language sql security definer set search_path = public, pg_temp
as $$
  with remembered as (
    insert into seen_proofs as s (thumbprint, jti, request_id, expires_at)
    values (p_thumbprint, p_jti, p_request_id, p_expires_at)
    on conflict (thumbprint, jti) do update
      set request_id = excluded.request_id,
          expires_at = excluded.expires_at
      where s.expires_at < now()
         or s.request_id = excluded.request_id
    returning 1
  )
  select exists (select from remembered)
$$;

-- When the last proof that is remembered here may be forgotten; null when there is none.
create function app.last_proof_expiry() returns timestamptz
language sql stable security definer set search_path = public, pg_temp
as $$
  select max(s.expires_at) from seen_proofs s
$$;

-- ---------------------------------------------------------------------------
-- What a person's transaction may add on the server's behalf; always for app.user_id()
-- ---------------------------------------------------------------------------

-- Logout: tokens and tickets die, the phone gets no more pushes.
create function app.end_session() returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false,
      push_token = null
  where u.id = app.user_id()
$$;

-- Makes every cached payload of the caller unreachable with the commit of this transaction.
-- It also locks the caller's row: changes of one person follow one another.
create function app.raise_data_version() returns bigint
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set data_version = u.data_version + 1
  where u.id = app.user_id()
  returning u.data_version
$$;

-- First name for greetings: the text before the first space of the name, else the username.
create function app.first_name(p_name text, p_username text) returns text
language sql immutable parallel safe
return coalesce(nullif(split_part(trim(p_name), ' ', 1), ''), p_username);

-- The sender of system messages. Throws when it was removed, so that the message can be sent later.
create function app.system_user_id() returns uuid
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  v_id uuid;
begin
  select u.id into v_id from users u where u.role = 'System';
  if v_id is null then
    raise exception 'the system user is missing';
  end if;
  return v_id;
end $$;

create function app.send_workout_done_message() returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  insert into messages (sender_id, receiver_id, subject, msg)
  values (
    app.system_user_id(),
    app.user_id(),
    'Workout Done!',
    'Great work finishing your workout! Rest well: you can start a new session tomorrow. '
      || 'Open the Statistics page to see how you are doing.'
  )
  returning id
$$;

-- The welcome message of a first sign-in, for the role service. Returns null when it was sent
-- before: only the transaction that flips is_first_login inserts.
create function app.send_welcome_message(p_user_id uuid) returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  with first_login as (
    update users u
    set is_first_login = false
    where u.id = p_user_id
      and u.is_first_login
    returning u.id, app.first_name(u.name, u.username) as first_name
  )
  insert into messages (sender_id, receiver_id, subject, msg)
  select
    app.system_user_id(),
    f.id,
    'Welcome to Strong Together, ' || f.first_name || '!',
    'Hi ' || f.first_name || ', good to have you with us! You have no workout plan yet. '
      || 'Create one from the Home page: choose 1 to 6 splits and the exercises of each. '
      || 'The Strong Together team'
  from first_login f
  returning id
$$;

-- Name and picture of those who wrote to the caller, and nothing else about them.
create function app.senders_of_received_messages()
returns table (id uuid, name text, profile_image_url text)
language sql stable security definer set search_path = public, pg_temp
as $$
  select u.id, coalesce(u.name, u.username), u.profile_image_url
  from users u
  where u.id in (select m.sender_id from messages m where m.receiver_id = app.user_id())
$$;

-- Keeps the answer to a request with an Idempotency-Key; an expired answer gives way.
create function app.keep_idempotent_answer(
  p_route text, p_key text, p_body_hash bytea, p_status integer, p_body text
) returns void
language sql security definer set search_path = public, pg_temp
as $$
  insert into idempotency_keys as k (user_id, route, key, body_hash, status, body)
  values (app.user_id(), p_route, p_key, p_body_hash, p_status, p_body)
  on conflict (user_id, route, key) do update
    set body_hash = excluded.body_hash,
        status = excluded.status,
        body = excluded.body,
        created_at = now()
    where k.created_at <= now() - interval '24 hours'
$$;

-- ---------------------------------------------------------------------------
-- Time
-- ---------------------------------------------------------------------------

-- The instant as ISO 8601 with the offset that the zone has at that instant:
-- 2026-11-22T23:26:43.770Z in Asia/Jerusalem is 2026-11-23T01:26:43.770+02:00.
create function app.local_timestamp(p_instant timestamptz, p_zone text) returns text
language sql stable parallel safe
as $$
  select to_char(z.local_time, 'YYYY-MM-DD"T"HH24:MI:SS.MS')
    || case when z.utc_offset < interval '0' then '-' else '+' end
    || to_char(greatest(z.utc_offset, -z.utc_offset), 'HH24:MI')
  from (
    select
      p_instant at time zone p_zone as local_time,
      (p_instant at time zone p_zone) - (p_instant at time zone 'UTC') as utc_offset
  ) z
$$;

-- ---------------------------------------------------------------------------
-- Records (contract 4.3, 4.4)
-- ---------------------------------------------------------------------------

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

-- After new sets: raises the records that they beat. Ties go to more reps, the later workout, the higher row.
create function app.update_exercise_records() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  insert into exercise_records as r
    (user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id, one_rep_max)
  select distinct on (b.user_id, b.exercise_id)
    b.user_id, b.exercise_id, b.weight, b.reps, b.workout_start_utc, b.id,
    max(app.estimated_one_rep_max(b.weight, b.reps)) over (partition by b.user_id, b.exercise_id)
  from (
    select ws.user_id, ets.exercise_id, set_row.weight, set_row.reps, ws.workout_start_utc, n.id
    from inserted n
    join workout_summary ws on ws.id = n.workout_summary_id
    join exercisetoworkoutsplit ets on ets.id = n.exercisetosplit_id
    cross join lateral unnest(n.weight, n.reps) as set_row (weight, reps)
    where set_row.weight > 0
  ) b
  order by b.user_id, b.exercise_id, b.weight desc, b.reps desc, b.workout_start_utc desc, b.id desc
  on conflict (user_id, exercise_id) do update
    set one_rep_max = greatest(r.one_rep_max, excluded.one_rep_max),
        (pr_weight, pr_reps, pr_start_utc, pr_tracking_id) = (
          select best.pr_weight, best.pr_reps, best.pr_start_utc, best.pr_tracking_id
          from (values
            (r.pr_weight, r.pr_reps, r.pr_start_utc, r.pr_tracking_id),
            (excluded.pr_weight, excluded.pr_reps, excluded.pr_start_utc, excluded.pr_tracking_id)
          ) as best (pr_weight, pr_reps, pr_start_utc, pr_tracking_id)
          order by best.pr_weight desc, best.pr_reps desc, best.pr_start_utc desc, best.pr_tracking_id desc
          limit 1
        );
  return null;
end $$;

create trigger update_exercise_records_trigger
after insert on exercisetracking
referencing new table as inserted
for each statement execute function app.update_exercise_records();

-- ---------------------------------------------------------------------------
-- Plan
-- ---------------------------------------------------------------------------

-- muscle_group of a split from its active exercises: "Back (Lats), Chest (Lower, Major)"; null when none.
create function app.update_muscle_group() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update workoutsplits s
  set muscle_group = g.muscle_group
  from unnest(array[old.workoutsplit_id, new.workoutsplit_id]) as touched (split_id)
  cross join lateral (
    select string_agg(m.targetmuscle || ' (' || m.specifics || ')', ', ' order by m.targetmuscle) as muscle_group
    from (
      select e.targetmuscle, string_agg(distinct e.specifictargetmuscle, ', ' order by e.specifictargetmuscle) as specifics
      from exercisetoworkoutsplit ets
      join exercises e on e.id = ets.exercise_id
      where ets.workoutsplit_id = touched.split_id
        and ets.is_active
      group by e.targetmuscle
    ) m
  ) g
  where s.id = touched.split_id
    and s.muscle_group is distinct from g.muscle_group;
  return null;
end $$;

create trigger update_muscle_group_trigger
after insert or update or delete on exercisetoworkoutsplit
for each row execute function app.update_muscle_group();

-- Every user has reminder settings, however the user came to be.
create function app.create_reminder_settings() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  insert into user_reminder_settings (user_id) values (new.id) on conflict do nothing;
  return null;
end $$;

create trigger create_reminder_settings_trigger
after insert on users
for each row execute function app.create_reminder_settings();

-- ---------------------------------------------------------------------------
-- Schedule (contract 4.8, 4.10): safe to run together, twice or late
-- ---------------------------------------------------------------------------

-- When each person usually trains each split, from the workouts of the last 21 days.
create function refresh_user_split_information(p_now timestamptz default now()) returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_rows bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('refresh_user_split_information', 0));

  with zone as (
    -- one person's broken zone counts as UTC and stops nobody
    select d.timezone, coalesce(known.name, 'UTC') as name
    from (select distinct urs.timezone from user_reminder_settings urs) d
    left join pg_timezone_names known on known.name = d.timezone
  ),
  workout as (
    select
      ws.user_id,
      ws.workoutsplit_id as split_id,
      ws.workout_start_utc,
      coalesce(z.name, 'UTC') as zone,
      ws.workout_start_utc at time zone coalesce(z.name, 'UTC') as local_start
    from workout_summary ws
    join workoutsplits s on s.id = ws.workoutsplit_id and s.is_active
    join workoutplans p on p.id = s.workout_id and p.is_active and p.user_id = ws.user_id
    left join user_reminder_settings urs on urs.user_id = ws.user_id
    left join zone z on z.timezone = urs.timezone
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
  on conflict (user_id, split_id) do update
    set estimated_time_utc = excluded.estimated_time_utc,
        confidence = excluded.confidence,
        last_computed_at = excluded.last_computed_at,
        preferred_weekday = excluded.preferred_weekday;
  get diagnostics v_rows = row_count;
  return v_rows;
end $$;

-- Removes the sets of days that are neither among a person's 35 most recent workout-days nor within
-- the last 45 days (UTC). Summaries and records stay, and so does the row that holds a record. With p_limit, at most so many rows a call: call
-- again until it returns 0, and no lock is held for long.
create function housekeeping_compact_old_workouts(p_limit integer default null, p_now timestamptz default now())
returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_rows bigint;
begin
  with workout_day as (
    select
      d.user_id,
      d.day,
      row_number() over (partition by d.user_id order by d.day desc) as recency
    from (
      select distinct ws.user_id, (ws.workout_start_utc at time zone 'UTC')::date as day
      from workout_summary ws
      where exists (select from exercisetracking et where et.workout_summary_id = ws.id)
    ) d
  ),
  old_row as (
    select et.id, ws.user_id
    from workout_day wd
    join workout_summary ws
      on ws.user_id = wd.user_id
      and (ws.workout_start_utc at time zone 'UTC')::date = wd.day
    join exercisetracking et on et.workout_summary_id = ws.id
    where wd.recency > 35
      and wd.day < (p_now at time zone 'UTC')::date - 45
      and not exists (
        select from exercise_records r where r.user_id = ws.user_id and r.pr_tracking_id = et.id
      )
    limit p_limit
  ),
  deleted as (
    delete from exercisetracking et
    using old_row o
    where et.id = o.id
    returning o.user_id
  ),
  version as (
    update users u
    set data_version = u.data_version + 1
    where u.id in (select d.user_id from deleted d)
  )
  select count(*) into v_rows from deleted;
  return v_rows;
end $$;

-- ---------------------------------------------------------------------------
-- Ownership: definer functions act with the rights of service, never with those of the schema's owner
-- ---------------------------------------------------------------------------

grant create on schema app, public to service;
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('app', 'public')
      and p.prosecdef
      and pg_get_userbyid(p.proowner) = current_user
  loop
    execute format('revoke all on function %s from public', v_function);
    execute format('alter function %s owner to service', v_function);
  end loop;
end $$;
revoke create on schema app, public from service;
