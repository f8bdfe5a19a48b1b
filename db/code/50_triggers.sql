-- Triggers: what follows by itself from a change, whoever makes it.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- Every user has reminder settings, however the user came to be.
create function app.create_reminder_settings() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  insert into user_reminder_settings (user_id) values (new.id) on conflict do nothing;
  return null;
end $$;

-- Before a change of a person's settings: a version for what is shown as one document.
create function app.raise_settings_version() returns trigger
language plpgsql set search_path = public, pg_temp
as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

-- The same document names the person.
create function app.raise_settings_version_of_name() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update user_reminder_settings urs set version = urs.version + 1 where urs.user_id = new.id;
  return null;
end $$;

-- After new sets: raises the records that they beat. Ties go to more reps, the later workout, the higher row.
create function app.update_exercise_records() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform app.raise_exercise_records(array(select n.id from inserted n));
  return null;
end $$;

-- A plan holds exercises of the catalogue and the person's own. Somebody else's is refused as one that does not exist.
create function app.refuse_foreign_exercises() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  if exists (
    select
    from added a
    join exercises e on e.id = a.exercise_id and e.owner_id is not null
    join workoutsplits s on s.id = a.workoutsplit_id
    join workoutplans p on p.id = s.workout_id
    where p.user_id <> e.owner_id
  ) then
    raise exception 'no such exercise'
      using errcode = 'foreign_key_violation', constraint = 'exercisetoworkoutsplit_exercise_id_fkey';
  end if;
  return null;
end $$;

-- An own exercise may not be called as one of the catalogue, or as another one of its owner: the app keys a running workout by
-- name. For new names only: an exercise that has such a name already keeps it. Raised after the row is written, so that an
-- insert that finds the own exercise of that name (on conflict) does not meet it.
create function app.refuse_taken_name() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  if exists (
    select
    from exercises e
    where app.name_key(e.name) = app.name_key(new.name)
      and (e.owner_id is null or e.owner_id = new.owner_id)
      and e.id <> new.id
  ) then
    raise exception 'the catalogue or its owner has an exercise of this name'
      using errcode = 'unique_violation', constraint = 'exercises_name_taken';
  end if;
  return null;
end $$;

-- muscle_group of these splits, in the words of the app; a plan of a thousand rows is one update, not a thousand.
create function app.set_muscle_groups(p_split_ids bigint[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update workoutsplits s
  set muscle_group = g.muscle_group
  from unnest(p_split_ids) as touched (split_id)
  cross join lateral (
    select string_agg(m.targetmuscle || ' (' || m.specifics || ')', ', ' order by m.targetmuscle) as muscle_group
    from (
      select x.targetmuscle, string_agg(distinct x.specific, ', ' order by x.specific) as specifics
      from (
        select e.targetmuscle, app.pictured_muscle(e.targetmuscle, e.specifictargetmuscle) as specific
        from exercisetoworkoutsplit ets
        join exercises e on e.id = ets.exercise_id
        where ets.workoutsplit_id = touched.split_id
          and ets.is_active
      ) x
      group by x.targetmuscle
    ) m
  ) g
  where s.id = touched.split_id
    and s.muscle_group is distinct from g.muscle_group;
$$;

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
  perform app.set_muscle_groups(v_split_ids);
  return null;
end $$;

-- After an own exercise has got another muscle. For the catalogue a migration does this, without locking anybody.
create function app.update_muscle_groups_of_exercise() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform app.set_muscle_groups(array(
    select distinct ets.workoutsplit_id from exercisetoworkoutsplit ets where ets.exercise_id = new.id
  ));
  return null;
end $$;

-- Only who attaches a trigger needs the right to its function.
do $$
begin
  execute format(
    'grant execute on function '
      'app.create_reminder_settings(), app.update_exercise_records(), app.update_muscle_groups(), '
      'app.refuse_foreign_exercises(), app.raise_settings_version(), app.raise_settings_version_of_name(), '
      'app.refuse_taken_name(), app.update_muscle_groups_of_exercise() to %I',
    session_user
  );
end $$;
reset role;

create trigger create_reminder_settings_trigger
after insert on users
for each row execute function app.create_reminder_settings();

create trigger raise_settings_version_trigger
before update on user_reminder_settings
for each row when (old.* is distinct from new.*) execute function app.raise_settings_version();

create trigger raise_settings_version_of_name_trigger
after update on users
for each row when ((old.username, old.email, old.name) is distinct from (new.username, new.email, new.name))
execute function app.raise_settings_version_of_name();

create trigger update_exercise_records_trigger
after insert on exercisetracking
referencing new table as inserted
for each statement execute function app.update_exercise_records();

create trigger refuse_foreign_exercises_trigger
after insert on exercisetoworkoutsplit
referencing new table as added
for each statement execute function app.refuse_foreign_exercises();

create trigger refuse_foreign_exercises_on_update_trigger
after update on exercisetoworkoutsplit
referencing new table as added
for each statement execute function app.refuse_foreign_exercises();

create trigger refuse_taken_name_trigger
after insert on exercises
for each row when (new.owner_id is not null) execute function app.refuse_taken_name();

create trigger refuse_taken_name_on_update_trigger
after update of name on exercises
for each row when (new.owner_id is not null and app.name_key(old.name) <> app.name_key(new.name))
execute function app.refuse_taken_name();

create trigger update_muscle_group_of_exercise_trigger
after update of targetmuscle, specifictargetmuscle on exercises
for each row when (
  new.owner_id is not null
  and (old.targetmuscle, old.specifictargetmuscle) is distinct from (new.targetmuscle, new.specifictargetmuscle)
)
execute function app.update_muscle_groups_of_exercise();

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
do $$
begin
  execute format(
    'revoke execute on function '
      'app.create_reminder_settings(), app.update_exercise_records(), app.update_muscle_groups(), '
      'app.refuse_foreign_exercises(), app.raise_settings_version(), app.raise_settings_version_of_name(), '
      'app.refuse_taken_name(), app.update_muscle_groups_of_exercise() from %I',
    session_user
  );
end $$;
