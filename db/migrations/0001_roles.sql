-- Who acts. Every statement of a request or a job runs under one of two roles:
--   authenticated  a signed-in person; sees and changes only what is theirs
--   service        public flows (login, registration, links), workers and the schedule
-- Neither can log in. The server's own login is a member of both and switches with
-- SET LOCAL ROLE, so no statement of a request runs as the owner of the tables.
do $$
declare
  v_role text;
  v_options text := case
    -- From 16 on, membership can be limited to SET ROLE: the login inherits no rights by itself.
    when current_setting('server_version_num')::int >= 160000 then ' with inherit false, set true'
    else ''
  end;
begin
  foreach v_role in array array['authenticated', 'service'] loop
    begin
      execute format('create role %I nologin', v_role);
    exception when duplicate_object or unique_violation then
      null; -- roles belong to the whole cluster: another database may have made them already
    end;
    if not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
      execute format('grant %I to %I', v_role, current_user) || v_options;
    end if;
  end loop;
end $$;

create schema app;

revoke all on schema public from public;
revoke all on schema app from public;
grant usage on schema public, app to authenticated, service;

revoke all on schema_migrations from public, authenticated, service; -- made by the runner, before this file

-- What this login creates later is closed until a migration opens it; some hosts open it by default.
alter default privileges revoke execute on functions from public;
alter default privileges revoke all on functions from authenticated, service;
alter default privileges revoke all on tables from public, authenticated, service;
alter default privileges revoke all on sequences from public, authenticated, service;
alter default privileges in schema public revoke all on functions from public, authenticated, service;
alter default privileges in schema public revoke all on tables from public, authenticated, service;
alter default privileges in schema public revoke all on sequences from public, authenticated, service;
