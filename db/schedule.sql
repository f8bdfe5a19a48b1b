-- Where pg_cron is installed in this database, it does what the workers' own schedule does, too: both together
-- change nothing. It only enqueues and computes; workers deliver. Times are UTC. Run at every start.
do $$
begin
  if to_regclass('cron.job') is null or not has_schema_privilege('cron', 'usage') then
    return;
  end if;
  perform cron.schedule(
    'strong-together reminders',
    '7 * * * *',
    'select refresh_user_split_information(); select app.enqueue_workout_reminders()'
  );
  perform cron.schedule('strong-together housekeeping', '37 3 * * *', 'call housekeeping()');
exception when others then
  raise warning 'pg_cron was not given its jobs: %', sqlerrm; -- the workers' schedule goes on alone
end $$;
