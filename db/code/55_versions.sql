-- Versions: which transaction changed a part of a person's data last. Cached answers are kept under these numbers, so
-- whoever changes data, and by whatever path, makes the answers of before unreachable with the commit. The number of a
-- transaction is given once, so a number never comes back.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

create function app.this_transaction() returns bigint
language sql stable parallel restricted
return pg_current_xact_id()::text::bigint;

-- Notes that this transaction changes a part of these people's data: plan, training, cardio or inbox.
create function app.note_change(p_user_ids uuid[], p_part text) returns void
language plpgsql security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now bigint := app.this_transaction();
begin
  if cardinality(p_user_ids) > 1 then -- always in this order, so that two such transactions wait without a deadlock
    perform from users u where u.id = any (p_user_ids) order by u.id for no key update;
  end if;
  update users u
  set plan_version = case p_part when 'plan' then v_now else u.plan_version end,
      training_version = case p_part when 'training' then v_now else u.training_version end,
      cardio_version = case p_part when 'cardio' then v_now else u.cardio_version end,
      inbox_version = case p_part when 'inbox' then v_now else u.inbox_version end,
      data_version = u.data_version + case p_part when 'inbox' then 0 else 1 end
  where u.id = any (p_user_ids)
    and v_now <> case p_part
      when 'plan' then u.plan_version
      when 'training' then u.training_version
      when 'cardio' then u.cardio_version
      when 'inbox' then u.inbox_version
    end;
end $$;

-- After a statement: notes the part that the trigger names, for the owners of the changed rows.
create function app.note_changed_rows() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_owners uuid[];
begin
  case tg_table_name
    when 'messages' then
      v_owners := array(select distinct c.receiver_id from changed c);
    when 'workoutsplits' then
      v_owners := array(
        select distinct p.user_id from changed c join workoutplans p on p.id = c.workout_id
      );
    when 'exercisetoworkoutsplit' then
      v_owners := array(
        select distinct p.user_id
        from changed c
        join workoutsplits s on s.id = c.workoutsplit_id
        join workoutplans p on p.id = s.workout_id
      );
    when 'exercisetracking' then
      v_owners := array(
        select distinct ws.user_id from changed c join workout_summary ws on ws.id = c.workout_summary_id
      );
    else
      v_owners := array(select distinct c.user_id from changed c);
  end case;
  if cardinality(v_owners) > 0 then
    perform app.note_change(v_owners, tg_argv[0]);
  end if;
  return null;
end $$;

-- A row that goes to somebody else is missed by its old owner too.
create function app.note_old_owner() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform app.note_change(array[(to_jsonb(old) ->> tg_argv[1])::uuid], tg_argv[0]);
  return null;
end $$;

-- Before a change of what an account's profile shows.
create function app.note_profile_change() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  new.profile_version := app.this_transaction();
  if exists (select from messages m where m.sender_id = new.id) then -- inboxes show name and picture
    update shared_versions v
    set senders_version = app.this_transaction();
  end if;
  return new;
end $$;

create function app.note_catalogue_change() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  if exists (select from changed c where c.owner_id is null) then
    update shared_versions v
    set catalogue_version = app.this_transaction();
  end if;
  -- A plan may hold own exercises, and everything that depends on the plan shows their names.
  perform app.note_change(array(select distinct c.owner_id from changed c where c.owner_id is not null), 'plan');
  return null;
end $$;

-- Only who attaches a trigger needs the right to its function.
do $$
begin
  execute format(
    'grant execute on function '
      'app.note_changed_rows(), app.note_old_owner(), app.note_profile_change(), app.note_catalogue_change() to %I',
    session_user
  );
end $$;
reset role;

do $$
declare
  v_table text;
  v_part text;
  v_owner text;
  v_event text;
begin
  for v_table, v_part, v_owner in
    values
      ('workoutplans', 'plan', 'user_id'),
      ('workoutsplits', 'plan', null),
      ('exercisetoworkoutsplit', 'plan', null),
      ('workout_summary', 'training', 'user_id'),
      ('exercisetracking', 'training', null),
      ('exercise_records', 'training', 'user_id'),
      ('aerobictracking', 'cardio', 'user_id'),
      ('messages', 'inbox', 'receiver_id')
  loop
    foreach v_event in array array['insert', 'update', 'delete'] loop
      execute format(
        'create trigger note_%1$s_trigger after %1$s on %2$I referencing %3$s table as changed '
          'for each statement execute function app.note_changed_rows(%4$L)',
        v_event, v_table, case v_event when 'delete' then 'old' else 'new' end, v_part
      );
    end loop;
    continue when v_owner is null;
    execute format(
      'create trigger note_old_owner_trigger after update of %1$I on %2$I for each row '
        'when (old.%1$I is distinct from new.%1$I) execute function app.note_old_owner(%3$L, %1$L)',
      v_owner, v_table, v_part
    );
  end loop;
  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create trigger note_%1$s_trigger after %1$s on exercises referencing %2$s table as changed '
        'for each statement execute function app.note_catalogue_change()',
      v_event, case v_event when 'delete' then 'old' else 'new' end
    );
  end loop;
end $$;

create trigger note_profile_change_trigger
before update of username, email, name, gender, created_at, profile_image_url, role, is_first_login, is_verified,
  auth_provider on users
for each row
when (
  (
    old.username, old.email, old.name, old.gender, old.created_at, old.profile_image_url, old.role,
    old.is_first_login, old.is_verified, old.auth_provider
  ) is distinct from (
    new.username, new.email, new.name, new.gender, new.created_at, new.profile_image_url, new.role,
    new.is_first_login, new.is_verified, new.auth_provider
  )
)
execute function app.note_profile_change();

set local role service;
do $$
begin
  execute format(
    'revoke execute on function '
      'app.note_changed_rows(), app.note_old_owner(), app.note_profile_change(), app.note_catalogue_change() from %I',
    session_user
  );
end $$;
reset role;
