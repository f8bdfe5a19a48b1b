-- Who acts, and what the guard must know.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner
alter default privileges revoke execute on functions from public;

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

-- What the guard must know about users, each in one primary-key lookup, and the versions of what answers show.
-- Unknown ids have no row.
create function app.session_states(p_user_ids uuid[])
returns table (
  id uuid, token_version bigint, token_version_used boolean, session_epoch bigint,
  is_verified boolean, role text, stored_zone text,
  plan_version bigint, training_version bigint, cardio_version bigint, inbox_version bigint, profile_version bigint,
  catalogue_version bigint, senders_version bigint, log_version bigint
)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan -- asked with every request, and planning takes three times as long as the look-up
as $$
begin
  return query
  select
    u.id, u.token_version, u.token_version_used, u.session_epoch,
    u.is_verified, u.role, urs.timezone,
    u.plan_version, u.training_version, u.cardio_version, u.inbox_version, u.profile_version,
    v.catalogue_version, v.senders_version, coalesce(h.version, 0)
  from users u
  cross join shared_versions v
  left join log_heads h on h.user_id = u.id
  left join user_reminder_settings urs on urs.user_id = u.id
  where u.id = any (p_user_ids);
end $$;

-- At the start of a person's transaction: fails when the session has ended. What is sent after it is refused then.
create function app.check_session(p_user_id uuid, p_epoch bigint) returns void
language plpgsql stable set search_path = public, pg_temp
as $$
begin
  perform from users u where u.id = p_user_id and u.session_epoch = p_epoch;
  if not found then
    raise exception 'the session has ended' using errcode = 'ST001';
  end if;
end $$;

-- The same, and locks the person's row: whatever ends the session waits for the commit.
create function app.hold_session(p_user_id uuid, p_epoch bigint) returns void
language plpgsql set search_path = public, pg_temp
as $$
begin
  perform from users u where u.id = p_user_id and u.session_epoch = p_epoch for no key update;
  if not found then
    raise exception 'the session has ended' using errcode = 'ST001';
  end if;
end $$;

-- The same for a session beside the phone. Whatever ends one locks the person's row first.
create function app.check_other_session(p_user_id uuid, p_id uuid) returns void
language plpgsql stable set search_path = public, pg_temp
as $$
begin
  perform from other_sessions s where s.id = p_id and s.user_id = p_user_id;
  if not found then
    raise exception 'the session has ended' using errcode = 'ST001';
  end if;
end $$;

create function app.hold_other_session(p_user_id uuid, p_id uuid) returns void
language plpgsql set search_path = public, pg_temp
as $$
begin
  perform from users u where u.id = p_user_id for no key update;
  perform app.check_other_session(p_user_id, p_id);
end $$;

-- Of sessions beside the phone: whose each is, and which tokens it has. One that has ended has no row.
create function app.other_session_states(p_ids uuid[])
returns table (id uuid, user_id uuid, token_version bigint, is_marked boolean)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select s.id, s.user_id, s.token_version, s.token_version_used and s.last_used_on = (now() at time zone 'UTC')::date
  from other_sessions s
  where s.id = any (p_ids);
end $$;

-- At the start of a read on a replica: fails unless the person's state there is what the guard saw on the primary, an
-- object with some columns of session_states. So a person reads what they wrote, or the primary is asked instead.
create function app.check_replica(p_seen jsonb) returns void
language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
  perform from app.session_states(array[app.user_id()]) s where to_jsonb(s) @> p_seen;
  if not found then
    raise exception 'the replica has another state' using errcode = 'ST002';
  end if;
end $$;

-- Remembers that a token of the current version was accepted: the rotation's answer did arrive. Waits for nobody:
-- while a change of the person holds the row, the next request will say so.
create function app.mark_token_version_used(p_user_id uuid, p_token_version bigint) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set token_version_used = true,
      phone_session_used_on = (now() at time zone 'UTC')::date
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

-- The same for a session beside the phone, and once a day.
create function app.mark_other_session_used(p_id uuid, p_token_version bigint) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update other_sessions s
  set token_version_used = true,
      last_used_on = (now() at time zone 'UTC')::date
  from (
    select x.id
    from other_sessions x
    where x.id = p_id
      and x.token_version = p_token_version
    for no key update skip locked
  ) free
  where s.id = free.id
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

-- Rotates a session, or repeats the last rotation within the grace (behaviour 0.7). No row: it has ended.
-- Waits for nobody: who finds the row locked tries again, without a connection meanwhile.
create function app.rotate_session(p_user_id uuid, p_token_version bigint, p_grace_seconds double precision)
returns table (id uuid, role text, token_version bigint)
language plpgsql security definer set search_path = public, pg_temp
set lock_timeout = '20ms'
as $$
begin
  return query
  update users u
  set token_version = case when u.token_version = p_token_version then u.token_version + 1 else u.token_version end,
      refresh_rotated_at = case when u.token_version = p_token_version then now() else u.refresh_rotated_at end,
      token_version_used = case when u.token_version = p_token_version then false else u.token_version_used end
  where u.id = p_user_id
    and (
      u.token_version = p_token_version
      or (
        u.token_version = p_token_version + 1
        and u.refresh_rotated_at is not null
        and (
          u.refresh_rotated_at >= now() - make_interval(secs => p_grace_seconds)
          or not u.token_version_used
        )
      )
    )
  returning u.id, u.role, u.token_version;
end $$;

-- The same for a session beside the phone; $4: lifetime of its tokens in seconds.
create function app.rotate_other_session(
  p_id uuid, p_token_version bigint, p_grace_seconds double precision, p_lifetime_seconds double precision
)
returns table (id uuid, role text, token_version bigint)
language plpgsql security definer set search_path = public, pg_temp
set lock_timeout = '20ms'
as $$
begin
  return query
  update other_sessions s
  set token_version = case when s.token_version = p_token_version then s.token_version + 1 else s.token_version end,
      refresh_rotated_at = case when s.token_version = p_token_version then now() else s.refresh_rotated_at end,
      token_version_used = case when s.token_version = p_token_version then false else s.token_version_used end,
      last_used_on = (now() at time zone 'UTC')::date,
      expires_at = now() + make_interval(secs => p_lifetime_seconds)
  from users u
  where s.id = p_id
    and u.id = s.user_id
    and (
      s.token_version = p_token_version
      or (
        s.token_version = p_token_version + 1
        and s.refresh_rotated_at is not null
        and (
          s.refresh_rotated_at >= now() - make_interval(secs => p_grace_seconds)
          or not s.token_version_used
        )
      )
    )
  returning u.id, u.role, s.token_version;
end $$;

-- Ends the caller's sessions beside the phone: all of them, or one, but never p_but.
create function app.end_other_sessions(p_only uuid, p_but uuid) returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with ended as (
    delete from other_sessions s
    where s.user_id = app.user_id()
      and (p_only is null or s.id = p_only)
      and s.id is distinct from p_but
    returning 1
  )
  select count(*) from ended
$$;

-- Logout: tokens and tickets die, the phone gets no more pushes.
create function app.end_session() returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set token_version = u.token_version + 1,
      session_epoch = u.session_epoch + 1,
      refresh_rotated_at = null,
      token_version_used = false,
      phone_session_since = null,
      phone_session_used_on = null,
      push_token = null
  where u.id = app.user_id()
$$;

-- Ends what was begun for an account and is not finished: a pending address, links of every kind (those for a
-- reset end with the password), mails that wait, answers that are kept for a repetition, and the phone that gets
-- pushes, and sessions beside it but p_but. Tokens and tickets of the phone are the caller's matter.
create function app.void_everything_begun(
  p_user_id uuid, p_but uuid default null, p_keeps_phone boolean default false
) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update users u
  set pending_email = null,
      push_token = case when p_keeps_phone then u.push_token end,
      verification_epoch = u.verification_epoch + 1
  where u.id = p_user_id;

  update outbox o
  set status = 'dropped',
      finished_at = now(),
      last_error = 'the account was reset',
      payload = '{}'
  where o.user_id = p_user_id
    and o.status = 'pending'
    and o.kind in ('mail.verification', 'mail.reset', 'mail.email-change', 'mail.sign-in-code');

  delete from idempotency_keys k
  where k.user_id = p_user_id;

  delete from other_sessions s
  where s.user_id = p_user_id
    and s.id is distinct from p_but;

  delete from mailed_codes c
  where c.user_id = p_user_id;

  delete from sign_in_codes c -- those of the release before
  where c.user_id = p_user_id;

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

-- Keeps the answer to a request with an Idempotency-Key; an expired answer gives way.
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
