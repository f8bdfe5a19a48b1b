-- Fills an empty database from one of the earlier layout: the same tables in the schema public, without most of their
-- constraints. `npm run db:move-in` has copied its rows into the temporary tables old_…, and commits what this script did,
-- or undoes it, by what is in findings. Ids stay, so that phones find what they know; exercises go by their name.
-- What is not moved: users_subs, blacklisted tokens, and user_split_information, which is computed anew every hour.

create temp table findings (effect text check (effect in ('moved', 'mended', 'left out')), what text, number bigint);

-- ---------------------------------------------------------------------------
-- People
-- ---------------------------------------------------------------------------
create temp table bots as -- who sent the system's messages: here it is the system user, whatever its id was
select o.id
from old_users o
where o.id = current_setting('move_in.system_user_id')::uuid
   or o.username = 'system_bot';

create temp table fit_users as -- of those whom case or spaces distinguished, the oldest account stays
select f.*
from (
  select
    o.*,
    row_number() over (partition by nullif(o.push_token, '') order by o.created_at desc, o.id) as turn_of_token,
    row_number() over (partition by lower(trim(o.username)) order by o.created_at, o.id) as turn_of_name,
    row_number() over (partition by nullif(lower(trim(o.email)), '') order by o.created_at, o.id) as turn_of_address
  from old_users o
  where o.id not in (select b.id from bots b)
    and char_length(trim(o.username)) between 1 and 64
    and char_length(coalesce(o.email, '')) <= 254
    and char_length(coalesce(o.name, '')) <= 200
    and lower(trim(o.username)) <> 'system_bot'
) f
where f.turn_of_name = 1
  and (f.turn_of_address = 1 or trim(coalesce(f.email, '')) = '');

insert into users (
  id, username, email, name, gender, created_at, profile_image_url, push_token, password, role, is_first_login,
  is_verified, auth_provider, token_version
)
select
  f.id,
  f.username,
  nullif(trim(f.email), ''),
  nullif(trim(f.name), ''),
  case when f.gender in ('Male', 'Female', 'Other') then f.gender else 'Unknown' end,
  coalesce(f.created_at, now()),
  f.profile_image_url,
  case when f.turn_of_token = 1 and char_length(f.push_token) between 1 and 255 then f.push_token end,
  case when f.password ~ '^\$2[aby]\$[0-9]{2}\$.{53}$' then f.password end,
  case when f.role in ('Trainer', 'Admin') then f.role else 'User' end,
  coalesce(f.is_first_login, true),
  coalesce(f.is_verified, false),
  case when f.auth_provider in ('google', 'apple') then f.auth_provider else 'app' end,
  coalesce(f.token_version, 0)
from fit_users f;

insert into findings
select
  'left out',
  'people whose username, address or full name does not fit, or belongs to somebody else but for case and spaces',
  count(*)
from old_users o
where o.id not in (select f.id from fit_users f)
  and o.id not in (select b.id from bots b)
union all
select 'mended', 'passwords that are no bcrypt hash: these people reset theirs', count(*)
from fit_users f
join users u on u.id = f.id
where f.password <> ''
  and u.password is null
union all
select 'mended', 'push tokens that several people had: the newest account keeps it', count(*)
from fit_users f
where f.push_token <> ''
  and f.turn_of_token > 1;

insert into oauth_accounts (id, user_id, provider, provider_user_id, provider_email, linked_at, missing_fields)
select distinct on (o.provider, o.provider_user_id)
  o.id, o.user_id, o.provider, o.provider_user_id, nullif(o.provider_email, ''), coalesce(o.linked_at, now()),
  o.missing_fields
from old_oauth_accounts o
join users u on u.id = o.user_id
where o.provider in ('google', 'apple')
  and o.provider_user_id is not null
order by o.provider, o.provider_user_id, o.linked_at, o.id;

insert into findings
select 'left out', 'links to other providers than Google and Apple, of nobody, or of an account at a provider that has another one', count(*)
from old_oauth_accounts o
where not exists (select from oauth_accounts a where a.id = o.id);

-- The trigger of users has made the rows.
update user_reminder_settings s
set workout_reminders_enabled = coalesce(o.workout_reminders_enabled, true),
    reminder_offset_minutes = coalesce(o.reminder_offset_minutes, 60),
    timezone = coalesce((select z.name from pg_timezone_names z where z.name = o.timezone), 'UTC')
from old_user_reminder_settings o
where o.user_id = s.user_id;

insert into findings
select 'mended', 'time zones of reminders that are none: UTC', count(*)
from old_user_reminder_settings o
join users u on u.id = o.user_id
where o.timezone is not null
  and not exists (select from pg_timezone_names z where z.name = o.timezone);

-- ---------------------------------------------------------------------------
-- Plans
-- ---------------------------------------------------------------------------
insert into exercises (name, description, targetmuscle, specifictargetmuscle)
select distinct on (lower(trim(o.name)))
  trim(o.name), coalesce(o.description, ''), coalesce(o.targetmuscle, 'Other'), coalesce(o.specifictargetmuscle, 'Other')
from old_exercises o
where not exists (select from exercises e where lower(trim(e.name)) = lower(trim(o.name)))
order by lower(trim(o.name)), o.id;

create temp table exercise_ids as
select o.id as old_id, min(e.id) as id
from old_exercises o
join exercises e on lower(trim(e.name)) = lower(trim(o.name))
group by o.id;

insert into workoutplans (
  id, name, numberofsplits, created_at, is_deleted, level, user_id, trainer_id, is_active, updated_at
)
select
  o.id, left(coalesce(o.name, 'My Workout'), 100), coalesce(o.numberofsplits, 1), coalesce(o.created_at, now()),
  coalesce(o.is_deleted, false), coalesce(o.level, 'Beginner'), o.user_id, t.id,
  coalesce(o.is_active, true) and o.turn = 1, coalesce(o.updated_at, o.created_at, now())
from (
  select
    x.*,
    row_number() over (
      partition by x.user_id, coalesce(x.is_active, true) order by x.updated_at desc nulls last, x.id desc
    ) as turn
  from old_workoutplans x
) o
join users u on u.id = o.user_id
left join users t on t.id = o.trainer_id;

insert into workoutsplits (id, workout_id, name, created_at, is_active)
select
  o.id, o.workout_id, o.name || case when o.turn > 1 then ' (' || o.turn || ')' else '' end,
  coalesce(o.created_at, now()), coalesce(o.is_active, true)
from (
  select x.*, row_number() over (partition by x.workout_id, x.name order by x.id) as turn from old_workoutsplits x
) o
join workoutplans p on p.id = o.workout_id
where char_length(o.name) between 1 and 45;

-- Two exercises of one name became one: its rows in a split do, too.
create temp table plan_rows as
select
  o.id as old_id,
  min(o.id) over (partition by o.workoutsplit_id, x.id) as id,
  o.workoutsplit_id,
  x.id as exercise_id,
  coalesce(o.created_at, now()) as created_at,
  coalesce(nullif(array(select r from unnest(o.sets) r where r > 0), '{}'), '{1}') as sets,
  greatest(coalesce(o.order_index, 0), 0) as order_index,
  bool_or(coalesce(o.is_active, true)) over (partition by o.workoutsplit_id, x.id) as is_active
from old_exercisetoworkoutsplit o
join exercise_ids x on x.old_id = o.exercise_id
join workoutsplits s on s.id = o.workoutsplit_id;

insert into exercisetoworkoutsplit (id, exercise_id, workoutsplit_id, created_at, sets, order_index, is_active)
select r.id, r.exercise_id, r.workoutsplit_id, r.created_at, r.sets, r.order_index, r.is_active
from plan_rows r
where r.id = r.old_id;

insert into findings
select 'left out', 'plans of nobody', count(*)
from old_workoutplans o
where not exists (select from workoutplans p where p.id = o.id)
union all
select 'left out', 'splits without a name of 1 to 45 characters, or of no plan', count(*)
from old_workoutsplits o
where not exists (select from workoutsplits s where s.id = o.id)
union all
select 'left out', 'exercises of splits that were left out', count(*)
from old_exercisetoworkoutsplit o
where not exists (select from plan_rows r where r.old_id = o.id)
union all
select 'mended', 'plans that were active beside a newer one: not active', count(*)
from old_workoutplans o
join workoutplans p on p.id = o.id
where coalesce(o.is_active, true)
  and not p.is_active
union all
select 'mended', 'splits that had the name of another one in their plan: numbered', count(*)
from old_workoutsplits o
join workoutsplits s on s.id = o.id
where s.name <> o.name
union all
select 'left out', 'planned sets of exercises that a split had twice: those of the first stay', count(*)
from old_exercisetoworkoutsplit o
join plan_rows r on r.old_id = o.id
where r.id <> r.old_id
union all
select 'mended', 'plan names that are longer than 100 characters: cut', count(*)
from old_workoutplans o
where char_length(o.name) > 100
union all
select 'mended', 'exercises whose planned reps were not all at least 1: the others, or one set of 1', count(*)
from old_exercisetoworkoutsplit o
join plan_rows r on r.old_id = o.id
where r.sets is distinct from o.sets;

-- ---------------------------------------------------------------------------
-- What was done
-- ---------------------------------------------------------------------------
create temp table workouts as
select
  o.id,
  o.user_id,
  coalesce(o.workout_start_utc, o.workout_end_utc, o.created_at) as workout_start_utc,
  o.workout_end_utc,
  coalesce(o.created_at, now()) as created_at,
  o.workoutsplit_id,
  false as is_moved
from old_workout_summary o
join users u on u.id = o.user_id
join workoutsplits s on s.id = o.workoutsplit_id
join workoutplans p on p.id = s.workout_id and p.user_id = o.user_id;

do $$ -- one start is one workout here: of several, the later ones start a millisecond later each, until all differ
begin
  loop
    update workouts w
    set workout_start_utc = w.workout_start_utc + (t.turn - 1) * interval '1 millisecond',
        is_moved = true
    from (
      select x.id, row_number() over (partition by x.user_id, x.workout_start_utc order by x.created_at, x.id) as turn
      from workouts x
    ) t
    where t.id = w.id
      and t.turn > 1;
    exit when not found;
  end loop;
end $$;

insert into workout_summary (id, user_id, workout_start_utc, workout_end_utc, created_at, workoutsplit_id)
select
  w.id, w.user_id, w.workout_start_utc, greatest(w.workout_end_utc, w.workout_start_utc), w.created_at, w.workoutsplit_id
from workouts w;

create temp table done as
select
  o.id, r.id as exercisetosplit_id, o.notes, o.workout_summary_id, d.weight, d.reps,
  (
    select count(*)
    from unnest(o.weight, o.reps) as s (weight, reps)
    where s.weight is not null
      and s.weight <> 'NaN'
      and s.reps >= 1
  ) as sets
from old_exercisetracking o
join workout_summary ws on ws.id = o.workout_summary_id
join plan_rows r on r.old_id = o.exercisetosplit_id and r.workoutsplit_id = ws.workoutsplit_id
cross join lateral (
  select array_agg(s.weight order by s.n) as weight, array_agg(s.reps order by s.n) as reps
  from unnest(o.weight, o.reps) with ordinality as s (weight, reps, n)
  where s.weight >= 0
    and s.weight < 'Infinity' -- NaN is above it
    and s.reps >= 1
) d;

insert into exercisetracking (id, exercisetosplit_id, weight, reps, notes, workout_summary_id)
select d.id, d.exercisetosplit_id, d.weight, d.reps, d.notes, d.workout_summary_id
from done d
where d.weight is not null
order by d.id;

insert into aerobictracking (id, user_id, type, duration_mins, duration_sec, workout_time_utc)
select
  o.id, o.user_id, o.type, coalesce(o.duration_mins, 0), coalesce(o.duration_sec, 0), coalesce(o.workout_time_utc, now())
from old_aerobictracking o
join users u on u.id = o.user_id
where char_length(o.type) between 1 and 50
  and coalesce(o.duration_mins, 0) between 0 and 1440
  and coalesce(o.duration_sec, 0) between 0 and 59;

insert into findings
select 'left out', 'workouts of people or splits that were left out, or of a split that is somebody else''s', count(*)
from old_workout_summary o
where not exists (select from workouts w where w.id = o.id)
union all
select 'mended', 'workouts that ended before they began: the end is the start', count(*)
from workouts w
where w.workout_end_utc < w.workout_start_utc
  and not w.is_moved
union all
select 'mended', 'workouts that began in the same moment as another: a millisecond later each', count(*)
from workouts w
where w.is_moved
union all
select 'left out', 'exercises of workouts that were left out', count(*)
from old_exercisetracking o
where not exists (select from done d where d.id = o.id)
union all
select 'left out', 'exercises of workouts with loads below 0 or without an end, and those sets', count(*)
from done d
where coalesce(cardinality(d.weight), 0) < d.sets
union all
select 'left out', 'notes of exercises without a set', count(*)
from done d
where d.weight is null
  and d.notes <> ''
union all
select 'mended', 'exercises of workouts without a set of at least one rep: none is left', count(*)
from done d
where d.weight is null
  and d.sets = 0
union all
select 'mended', 'exercises of workouts with sets without a rep: without them', count(*)
from done d
join old_exercisetracking o on o.id = d.id
where d.sets > 0
  and d.sets < greatest(cardinality(o.weight), cardinality(o.reps))
union all
select 'left out', 'cardio without a type of 1 to 50 characters, of more than a day, or of nobody', count(*)
from old_aerobictracking o
where not exists (select from aerobictracking a where a.id = o.id);

set local role service;
select app.log_missing_workouts(w.user_id)
from (select distinct x.user_id from workout_summary x) w;
reset role;

-- ---------------------------------------------------------------------------
-- Messages
-- ---------------------------------------------------------------------------
insert into messages (id, sender_id, receiver_id, subject, msg, sent_at, is_read)
select
  o.id,
  case when b.id is not null then current_setting('move_in.system_user_id')::uuid else s.id end,
  o.receiver_id, coalesce(o.subject, ''), coalesce(o.msg, ''), coalesce(o.sent_at, now()), coalesce(o.is_read, false)
from old_messages o
join users r on r.id = o.receiver_id
left join users s on s.id = o.sender_id
left join bots b on b.id = o.sender_id
where r.id not in (select x.id from bots x);

insert into findings
select 'left out', 'messages to nobody', count(*)
from old_messages o
where not exists (select from messages m where m.id = o.id)
  and o.receiver_id not in (select b.id from bots b);

-- ---------------------------------------------------------------------------
-- The next ids, and what was done
-- ---------------------------------------------------------------------------
select setval(pg_get_serial_sequence(t.name, 'id'), greatest(t.last, 1))
from (
  select 'workoutplans' as name, max(p.id) as last from workoutplans p
  union all
  select 'workoutsplits', max(s.id) from workoutsplits s
  union all
  select 'exercisetoworkoutsplit', max(o.id) from old_exercisetoworkoutsplit o
  union all
  select 'exercisetracking', max(et.id) from exercisetracking et
  union all
  select 'aerobictracking', max(a.id) from aerobictracking a
) t
where t.last is not null;

insert into findings
select 'moved', 'people', count(*) from users u where u.role <> 'System'
union all
select 'moved', 'plans', count(*) from workoutplans
union all
select 'moved', 'workouts', count(*) from workout_summary
union all
select 'moved', 'exercises of workouts', count(*) from exercisetracking
union all
select 'moved', 'cardio', count(*) from aerobictracking
union all
select 'moved', 'messages', count(*) from messages;
