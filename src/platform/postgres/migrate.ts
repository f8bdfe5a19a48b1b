import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';
import { StartupError } from '#platform/startupError.ts';

export interface MigrateOptions {
  /** A login that may create roles and owns the database (or may create in it); it need not be a superuser. */
  url: string;
  /** The login that the server will use, if it is another one; it gets the right to act as either role. */
  serverUrl?: string;
  /**
   * Where the SQL lies: `migrations` (tables, applied once), `code` (functions, triggers, views and rights as they are
   * today, applied again when one of them changes), `seed` and `schedule.sql` (run at every start).
   */
  folder: string;
  systemUserId: string;
}

/** Key of the advisory lock for migrating: any fixed number. */
const MIGRATION_LOCK = 7_301_905;
/** The migrations before 1.0 are one now; a database that has the last of them has all of it. */
const SQUASHED = { as: '0001_initial.sql', last: '0009_reminders.sql' };
const CODE = 'code';

/**
 * Applies the migrations that are new, in the order of their names, then code that changed, then the seed, in one
 * transaction under an advisory lock: instances that start together do it once.
 * @returns the names of what was applied
 * @throws StartupError when something of it failed, an applied migration was edited since, or the database cannot be
 *   reached
 */
export async function migrate({ url, serverUrl, folder, systemUserId }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new StartupError(`PostgreSQL cannot be reached: ${reason(error)}. Check DATABASE_URL.`);
  }
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    // Set here, because the host or the name of the login could make another schema come first.
    await client.query('set local search_path = public');
    const applied = await applyNew(client, join(folder, 'migrations'));
    // A new table has no policies and grants of its own yet: code goes with every migration.
    if (await applyCode(client, join(folder, CODE), applied.length > 0)) applied.push(CODE);
    if (serverUrl) await admitServerLogin(client, serverUrl);
    await client.query('set local role service');
    for (const file of await sqlFiles(join(folder, 'seed'))) await run(client, file);
    await seedSystemUser(client, systemUserId);
    await client.query('reset role');
    await run(client, join(folder, 'schedule.sql'));
    await client.query('commit');
    return applied;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`The database could not be brought up to date: ${reason(error)}. Nothing was changed.`);
  } finally {
    await client.end();
  }
}

/** Runs a file. @throws StartupError that names it */
async function run(client: pg.Client, file: string): Promise<void> {
  try {
    await client.query(await readFile(file, 'utf8'));
  } catch (error) {
    throw new StartupError(
      `The database could not be brought up to date: ${basename(file)} failed: ${reason(error)}. Nothing was changed.`,
      { cause: error },
    );
  }
}

async function applyNew(client: pg.Client, migrationsDir: string): Promise<string[]> {
  const { rows: found } = await client.query("select to_regclass('public.schema_migrations') is not null as exists");
  if (!found[0].exists) await client.query(CREATE_MIGRATIONS_TABLE);
  const { rows } = await client.query('select m.name, m.checksum from schema_migrations m');
  const checksums = new Map<string, string>(rows.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  for (const file of await sqlFiles(migrationsDir)) {
    const name = basename(file);
    const checksum = checksumOf(await readFile(file, 'utf8'));
    const known = checksums.get(name);
    if (known === checksum) continue;
    if (known) throw new StartupError(`Migration ${name} was changed after it was applied; add a new one instead.`);
    const isThere = name === SQUASHED.as && checksums.has(SQUASHED.last);
    if (!isThere) await run(client, file);
    await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    applied.push(name);
  }
  return applied;
}

/** Makes functions, triggers, views and rights anew when any of their files differs from what was applied last. */
async function applyCode(client: pg.Client, codeDir: string, isDue: boolean): Promise<boolean> {
  const files = await sqlFiles(codeDir);
  const checksum = checksumOf((await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n'));
  const { rows } = await client.query('select m.checksum from schema_migrations m where m.name = $1', [CODE]);
  if (!isDue && rows[0]?.checksum === checksum) return false;
  await client.query(DROP_RULES);
  for (const role of ['none', 'service']) {
    await client.query(`set local role ${role}`);
    await client.query(DROP_CODE);
  }
  await client.query('reset role; grant create on schema app, public to service');
  for (const file of files) await run(client, file);
  await client.query('reset role; revoke create on schema app, public from service');
  await client.query(NOTE_CODE, [CODE, checksum]);
  return true;
}

const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Lets a login that owns nothing switch to the two roles and call the functions that `queryUnscoped` needs. */
async function admitServerLogin(client: pg.Client, serverUrl: string): Promise<void> {
  const login = decodeURIComponent(new URL(serverUrl).username);
  const { rows } = await client.query("select current_user as me, current_setting('server_version_num') as version");
  if (!login || rows[0].me === login) return;
  const name = client.escapeIdentifier(login);
  // From PostgreSQL 16 on, the login can switch to the roles without inheriting their rights.
  const options = Number(rows[0].version) >= 160_000 ? 'with inherit false, set true' : '';
  await client.query(`
    grant authenticated, service to ${name} ${options};
    grant usage on schema app to ${name};
    set local role service;
    grant execute on function
      app.session_states(uuid[]), app.mark_token_version_used(uuid, bigint),
      app.rotate_session(uuid, bigint, double precision),
      app.remember_proof(text, text, text, timestamptz), app.last_proof_expiry()
      to ${name};
    reset role`);
}

async function seedSystemUser(client: pg.Client, id: string): Promise<void> {
  await client.query(SEED_SYSTEM_USER, [id]);
  const { rows } = await client.query("select u.id from users u where u.role = 'System'");
  if (rows[0]?.id === id) return;
  throw new StartupError(
    rows.length > 0
      ? `SYSTEM_USER_ID is ${id}, but this database has the system user ${rows[0].id}; set that one.`
      : `The system user ${id} cannot be made: its name system_bot or its id belongs to another user.`,
  );
}

async function sqlFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => join(folder, name));
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

const CREATE_MIGRATIONS_TABLE = `
  create table schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  );
  alter table schema_migrations enable row level security;
  alter table schema_migrations force row level security;
  create policy migrating_login on schema_migrations to current_user using (true) with check (true)`;

/** Policies and triggers of our tables. */
const DROP_RULES = `
  do $$
  declare
    v record;
  begin
    for v in
      select p.tablename, p.policyname
      from pg_policies p
      where p.schemaname = 'public'
        and p.tablename <> 'schema_migrations'
    loop
      execute format('drop policy %I on public.%I', v.policyname, v.tablename);
    end loop;
    for v in
      select t.tgname, t.tgrelid::regclass as tablename
      from pg_trigger t
      join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = 'public'::regnamespace
        and not t.tgisinternal
    loop
      execute format('drop trigger %I on %s', v.tgname, v.tablename);
    end loop;
  end $$`;

/**
 * Views, functions and procedures that the current role owns, without those of extensions. All names are collected
 * first, because dropping one may drop others.
 */
const DROP_CODE = `
  do $$
  declare
    v_name text;
  begin
    foreach v_name in array array(
      select c.oid::regclass::text
      from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'app'::regnamespace)
        and c.relkind = 'v'
        and c.relowner = current_user::regrole
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    ) loop
      execute 'drop view if exists ' || v_name || ' cascade';
    end loop;
    foreach v_name in array array(
      select p.oid::regprocedure::text
      from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace)
        and p.proowner = current_user::regrole
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    ) loop
      execute 'drop routine if exists ' || v_name || ' cascade';
    end loop;
  end $$`;

const NOTE_CODE = `
  insert into schema_migrations (name, checksum)
  values ($1, $2)
  on conflict (name) do update
    set checksum = excluded.checksum,
        applied_at = now()`;

const SEED_SYSTEM_USER = `
  insert into users (id, username, name, profile_image_url, role, is_verified, is_first_login)
  values ($1, 'system_bot', 'System Bot', 'profile_pics/system-bot/avatar.jpg', 'System', true, false)
  on conflict do nothing`;
