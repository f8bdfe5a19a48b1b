reset role;

-- Housekeeping for everybody in small transactions, for pg_cron: `call housekeeping()`.
create procedure public.housekeeping()
language plpgsql
as $$
declare
  v_after uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select c.last_id into v_after from app.compact_old_workouts(v_after, 20) c;
    exit when v_after is null;
    commit;
  end loop;
end $$;
revoke all on procedure public.housekeeping() from public;
