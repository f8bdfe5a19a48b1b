reset role;

-- What each role may do. The grants say which verbs and columns, the policies which rows.
-- No role but the owner may TRUNCATE, REFERENCE or attach triggers, and authenticated never deletes.

-- ---------------------------------------------------------------------------
-- Row-level security on every table, also against the owner
-- ---------------------------------------------------------------------------
do $$
declare
  v_table regclass;
begin
  for v_table in
    select c.oid
    from pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind = 'r'
      and c.relname not in ('schema_migrations', 'security_events')
  loop
    execute format('alter table %s enable row level security', v_table);
    execute format('alter table %s force row level security', v_table);
    execute format('revoke all on %s from public, authenticated, service', v_table);
    execute format('create policy service_all on %s to service using (true) with check (true)', v_table);
    if to_regrole('anon') is not null then
      execute format('revoke all on %s from anon', v_table);
    end if;
  end loop;
end $$;

-- ---------------------------------------------------------------------------
-- service: public flows, workers, schedule
-- ---------------------------------------------------------------------------
grant select, insert, update, delete on users, oauth_accounts, outbox, other_sessions, sign_in_codes, mailed_codes
  to service;
grant select, update on shared_versions to service;
grant select, insert, update on workoutsplits, user_reminder_settings to service;
grant select, insert, update, delete on exercises, exercise_aliases, log_heads, log_workouts, log_blocks, log_sets,
  log_tombstones, measurements, imports, import_workouts, app_finishes to service;
grant select on workoutplans, exercisetoworkoutsplit, aerobictracking to service;
grant select, insert, update, delete on workout_summary, exercisetracking to service;
grant select, insert on messages to service;
grant select, insert, update, delete on user_split_information, exercise_records, idempotency_keys, seen_proofs to service;
grant select, insert, delete on push_tickets to service;
grant usage on sequence exercisetracking_id_seq to service;
grant select on
  v_exercisetoworkoutsplit_expanded, v_exercisetracking_expanded, v_exercisetracking_set_simple, v_prs to service;

-- ---------------------------------------------------------------------------
-- authenticated: one person
-- ---------------------------------------------------------------------------
grant select (
  id, username, email, name, gender, created_at, profile_image_url, push_token, role, is_first_login, is_verified,
  auth_provider, token_version, session_epoch, refresh_rotated_at, token_version_used, data_version, plan_version,
  pending_email
) on users to authenticated;
grant update (username, name, profile_image_url, push_token, pending_email) on users to authenticated;
create policy own_row on users to authenticated
  using (id = (select app.user_id()))
  with check (id = (select app.user_id()));

grant select (phone_session_since, phone_session_used_on) on users to authenticated;
grant select on other_sessions to authenticated;
create policy own_rows on other_sessions for select to authenticated
  using (user_id = (select app.user_id()));

grant select on user_split_information to authenticated;
create policy own_rows on user_split_information for select to authenticated
  using (user_id = (select app.user_id()));

grant select on oauth_accounts to authenticated;
create policy own_links on oauth_accounts for select to authenticated
  using (user_id = (select app.user_id()));

grant select on exercises to authenticated;
grant insert (name, description, targetmuscle, specifictargetmuscle, owner_id, measure, equipment, secondary_muscles),
  update (
    name, description, targetmuscle, specifictargetmuscle, measure, equipment, secondary_muscles, archived_at, version
  )
  on exercises to authenticated;
create policy catalogue_and_own on exercises for select to authenticated
  using (owner_id is null or owner_id = (select app.user_id()));
create policy own_exercises_insert on exercises for insert to authenticated
  with check (owner_id = (select app.user_id()));
create policy own_exercises_update on exercises for update to authenticated
  using (owner_id = (select app.user_id()))
  with check (owner_id = (select app.user_id()));

grant select on exercise_aliases to authenticated;
create policy aliases_and_own on exercise_aliases for select to authenticated
  using (owner_id is null or owner_id = (select app.user_id()));

-- The log is read here and written by functions, which keep versions, records and the app's view of it together.
grant select on log_heads, log_workouts, log_blocks, log_sets, log_tombstones, measurements to authenticated;
create policy own_head on log_heads for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_log_workouts on log_workouts for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_log_blocks on log_blocks for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_log_sets on log_sets for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_tombstones on log_tombstones for select to authenticated
  using (user_id = (select app.user_id()));
grant select on imports, import_workouts to authenticated;
create policy own_imports on imports for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_import_workouts on import_workouts for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_measurements on measurements for select to authenticated
  using (user_id = (select app.user_id()));

grant select, insert, update on workoutplans to authenticated;
create policy own_plans on workoutplans to authenticated
  using (user_id = (select app.user_id()))
  with check (user_id = (select app.user_id()));

grant select, insert, update on workoutsplits to authenticated;
create policy splits_of_own_plans on workoutsplits to authenticated
  using (workout_id = any ((select app.own_plan_ids())::bigint[]))
  with check (workout_id = any ((select app.own_plan_ids())::bigint[]));

grant select, insert, update on exercisetoworkoutsplit to authenticated;
create policy exercises_of_own_splits on exercisetoworkoutsplit to authenticated
  using (workoutsplit_id = any ((select app.own_split_ids())::bigint[]))
  with check (workoutsplit_id = any ((select app.own_split_ids())::bigint[]));

grant select, insert on workout_summary to authenticated;
create policy own_workouts_read on workout_summary for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_workouts_write on workout_summary for insert to authenticated
  with check (
    user_id = (select app.user_id())
    and workoutsplit_id = any ((select app.own_split_ids())::bigint[])
  );

grant select, insert on exercisetracking to authenticated;
create policy own_sets_read on exercisetracking for select to authenticated
  using (exists (
    select from workout_summary ws
    where ws.id = workout_summary_id
      and ws.user_id = (select app.user_id())
  ));
create policy own_sets_write on exercisetracking for insert to authenticated
  with check (
    exists (
      select from workout_summary ws
      where ws.id = workout_summary_id
        and ws.user_id = (select app.user_id())
    )
    and exists (
      select from exercisetoworkoutsplit ets
      where ets.id = exercisetosplit_id
        and ets.workoutsplit_id = any ((select app.own_split_ids())::bigint[])
    )
  );

grant select, insert on aerobictracking to authenticated;
create policy own_aerobics_read on aerobictracking for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_aerobics_write on aerobictracking for insert to authenticated
  with check (user_id = (select app.user_id()));

-- The policy must not test deleted_at: PostgreSQL applies it to the new row of the soft delete too.
grant select, update (is_read, deleted_at) on messages to authenticated;
create policy received_read on messages for select to authenticated
  using (receiver_id = (select app.user_id()));
create policy received_update on messages for update to authenticated
  using (receiver_id = (select app.user_id()))
  with check (receiver_id = (select app.user_id()));

grant select,
  update (timezone, updated_at, unit, week_start, workout_reminders_enabled, reminder_offset_minutes)
on user_reminder_settings to authenticated;
create policy own_settings_read on user_reminder_settings for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_settings_update on user_reminder_settings for update to authenticated
  using (user_id = (select app.user_id()))
  with check (user_id = (select app.user_id()));

grant select on exercise_records to authenticated;
create policy own_records on exercise_records for select to authenticated
  using (user_id = (select app.user_id()));

grant select, insert on idempotency_keys to authenticated;
create policy own_answers_read on idempotency_keys for select to authenticated
  using (user_id = (select app.user_id()));
create policy own_answers_write on idempotency_keys for insert to authenticated
  with check (user_id = (select app.user_id()));

grant select on
  v_exercisetoworkoutsplit_expanded, v_exercisetracking_expanded, v_exercisetracking_set_simple, v_prs, v_log_workouts
  to authenticated;

-- ---------------------------------------------------------------------------
-- What happened to accounts: appended by the service, read by the operator, changed by nobody. After 400 days the
-- service may see and remove it.
-- ---------------------------------------------------------------------------
alter table security_events enable row level security;
alter table security_events force row level security;
revoke all on security_events from public, authenticated, service;
create policy appended on security_events for insert to service with check (true);
create policy read_by_operator on security_events for select to current_user using (true);
create policy own_events on security_events for select to authenticated
  using (user_id = (select app.user_id()));
create policy aged_read on security_events for select to service
  using (occurred_at < now() - interval '400 days');
create policy aged_delete on security_events for delete to service
  using (occurred_at < now() - interval '400 days');
grant insert, delete, select (id, occurred_at) on security_events to service;
grant select on security_events to authenticated;

-- ---------------------------------------------------------------------------
-- Functions: closed by default (migration 0001), opened here
-- ---------------------------------------------------------------------------
set local role service; -- the owner of the functions
grant execute on function
  app.check_session(uuid, bigint), app.hold_session(uuid, bigint), app.check_replica(jsonb),
  app.check_other_session(uuid, uuid), app.hold_other_session(uuid, uuid), app.end_other_sessions(uuid, uuid),
  app.user_id(), app.local_timestamp(timestamptz, text), app.first_name(text, text),
  app.estimated_one_rep_max(real, bigint), app.pictured_muscle(text, text), app.name_key(text)
  to authenticated;
grant execute on function
  app.own_plan_ids(), app.own_split_ids(), app.end_session(), app.send_workout_done_message(),
  app.senders_of_received_messages(), app.keep_idempotent_answer(text, text, bytea, integer, text),
  app.begin_finish(bigint, timestamptz, timestamptz, jsonb),
  app.begin_replacement(uuid, bigint, timestamptz), app.finish_replacement(uuid, bigint[]),
  app.log_finished_workout(uuid, text), app.put_own_workout(uuid, jsonb, bigint[]), app.delete_own_workout(uuid, bigint[]),
  app.kilograms(numeric, text), app.document_bytes(integer, integer, integer), app.recompute_own_records(bigint), app.remove_own_exercise(bigint),
  app.put_own_measurement(uuid, text, numeric, text, timestamptz, bigint[]), app.delete_own_measurement(uuid, bigint[]),
  app.undo_own_import(uuid, boolean)
  to authenticated;
-- The guard and refreshes ask the first eight with the login's own rights, before they know whose scope to open; pg_cron
-- runs the others as the login that migrates.
do $$
begin
  execute format(
    'grant execute on function '
      'app.session_states(uuid[]), app.mark_token_version_used(uuid, bigint), '
      'app.rotate_session(uuid, bigint, double precision), '
      'app.other_session_states(uuid[]), app.mark_other_session_used(uuid, bigint), '
      'app.rotate_other_session(uuid, bigint, double precision, double precision), '
      'app.remember_proof(text, text, text, timestamptz), app.last_proof_expiry(), '
      'public.refresh_user_split_information(timestamptz), app.compact_old_workouts(uuid, integer, timestamptz), '
      'app.enqueue_daily_pushes(integer, timestamptz), app.enqueue_workout_reminders(timestamptz) to %I',
    session_user
  );
end $$;
reset role;
