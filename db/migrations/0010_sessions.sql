-- What belongs to a session ends with it, and what was begun before a password reset ends with the reset.

grant create on schema app to service;
set local role service;
alter default privileges revoke execute on functions from public;

-- What the guard must know about a user, in one lookup; now also the zone that is stored for reminders.
drop function app.session_state(uuid);
create function app.session_state(p_user_id uuid)
returns table (
  token_version bigint, token_version_used boolean, session_epoch bigint,
  is_verified boolean, role text, data_version bigint, stored_zone text
)
language sql stable security definer set search_path = public, pg_temp
as $$
  select
    u.token_version, u.token_version_used, u.session_epoch, u.is_verified, u.role, u.data_version, urs.timezone
  from users u
  left join user_reminder_settings urs on urs.user_id = u.id
  where u.id = p_user_id
$$;

-- Remembers that a token of the current version was accepted: the rotation's answer did arrive. Waits for nobody:
-- while a change of the person holds the row, the next request will say so.
create or replace function app.mark_token_version_used(p_user_id uuid, p_token_version bigint) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set token_version_used = true
  from (
    select x.id
    from users x
    where x.id = p_user_id
      and x.token_version = p_token_version
      and not x.token_version_used
    for no key update skip locked
  ) free
  where u.id = free.id
$$;

-- Ends what was begun for an account and is not finished: a pending address, links of every kind (those for a
-- reset end with the password), mails that wait, answers that are kept for a repetition, and the phone that gets
-- pushes. Tokens and tickets are the caller's matter.
create function app.void_everything_begun(p_user_id uuid) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set pending_email = null,
      push_token = null,
      verification_epoch = u.verification_epoch + 1
  where u.id = p_user_id;

  update outbox o
  set status = 'dropped',
      finished_at = now(),
      last_error = 'the account was reset',
      payload = '{}'
  where o.user_id = p_user_id
    and o.status = 'pending'
    and o.kind in ('mail.verification', 'mail.reset', 'mail.email-change');

  delete from idempotency_keys k
  where k.user_id = p_user_id;

  -- A linked sign-in proves the address through which it was linked. Where that is no longer the account's, it may be
  -- somebody's who had the account for a while; the one with which the account began stays.
  delete from oauth_accounts oa
  using users u
  where oa.user_id = p_user_id
    and u.id = p_user_id
    and oa.provider <> u.auth_provider
    and oa.provider_email is not null
    and lower(trim(oa.provider_email)) is distinct from lower(trim(u.email));
$$;

-- Keeps the answer to a request with an Idempotency-Key; an expired answer gives way. False when the caller has
-- a hundred answers of the last 24 hours: what a person can store here is bounded.
drop function app.keep_idempotent_answer(text, text, bytea, integer, text);
create function app.keep_idempotent_answer(
  p_route text, p_key text, p_body_hash bytea, p_status integer, p_body text
) returns boolean
language sql security definer set search_path = public, pg_temp
as $$
  with kept as (
    insert into idempotency_keys as k (user_id, route, key, body_hash, status, body)
    select app.user_id(), p_route, p_key, p_body_hash, p_status, p_body
    where (
      select count(*)
      from idempotency_keys other
      where other.user_id = app.user_id()
        and other.created_at > now() - interval '24 hours'
    ) < 100
    on conflict (user_id, route, key) do update
      set body_hash = excluded.body_hash,
          status = excluded.status,
          body = excluded.body,
          created_at = now()
      where k.created_at <= now() - interval '24 hours'
    returning 1
  )
  select exists (select from kept)
$$;
grant execute on function app.keep_idempotent_answer(text, text, bytea, integer, text) to authenticated;

-- muscle_group of the splits that a statement touched; a plan of a thousand rows is one update, not a thousand.
create function app.update_muscle_groups() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_split_ids bigint[];
begin
  if tg_op = 'INSERT' then
    v_split_ids := array(select distinct a.workoutsplit_id from added a);
  elsif tg_op = 'DELETE' then
    v_split_ids := array(select distinct r.workoutsplit_id from removed r);
  else
    v_split_ids := array(select a.workoutsplit_id from added a union select r.workoutsplit_id from removed r);
  end if;

  update workoutsplits s
  set muscle_group = g.muscle_group
  from unnest(v_split_ids) as touched (split_id)
  cross join lateral (
    select string_agg(m.targetmuscle || ' (' || m.specifics || ')', ', ' order by m.targetmuscle) as muscle_group
    from (
      select
        e.targetmuscle,
        string_agg(distinct e.specifictargetmuscle, ', ' order by e.specifictargetmuscle) as specifics
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

do $$
begin
  execute format(
    'grant execute on function app.session_state(uuid), app.update_muscle_groups() to %I',
    session_user
  );
end $$;

reset role;

drop trigger update_muscle_group_trigger on exercisetoworkoutsplit;
create trigger update_muscle_group_trigger
after insert on exercisetoworkoutsplit
referencing new table as added
for each statement execute function app.update_muscle_groups();
create trigger update_muscle_group_on_update_trigger
after update on exercisetoworkoutsplit
referencing new table as added old table as removed
for each statement execute function app.update_muscle_groups();
create trigger update_muscle_group_on_delete_trigger
after delete on exercisetoworkoutsplit
referencing old table as removed
for each statement execute function app.update_muscle_groups();

set local role service;
drop function app.update_muscle_group();
do $$
begin
  -- Only who attaches a trigger needs the right to its function.
  execute format('revoke execute on function app.update_muscle_groups() from %I', session_user);
end $$;
reset role;
revoke create on schema app from service;
