-- Names, times and zones as people read them, and the messages that the system writes.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- First name for greetings: the text before the first space of the name, else the username.
create function app.first_name(p_name text, p_username text) returns text
language sql immutable parallel safe
return coalesce(nullif(split_part(trim(p_name), ' ', 1), ''), p_username);

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

-- The zone if PostgreSQL knows it, else the fallback: for zones that were stored and not checked now.
create function app.known_zone(p_zone text, p_fallback text) returns text
language plpgsql stable parallel safe
as $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, p_fallback);
exception when invalid_parameter_value then
  return p_fallback;
end $$;

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
