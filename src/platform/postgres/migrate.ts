import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
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
  /** Is told of each migration, and of `code`, right after it was applied. */
  onApplied?: (name: string) => void;
}

/** Key of the advisory lock for migrating: any fixed number. */
const MIGRATION_LOCK = 7_301_905;
/** The migrations before 1.0 are one now; a database that has the last of them has all of it. */
const SQUASHED = { as: '0001_initial.sql', last: '0009_reminders.sql' };
const CODE = 'code';

/** Locks are waited for so long only: what waits behind a change of the schema is everybody's request. */
const LOCK_WAIT = '300ms';
/** A change that did not get its locks, or met a deadlock, is undone and tried again. */
const WORTH_ANOTHER_TRY = new Set(['55P03', '40P01']);
const MOST_TRIES = 30;
const PAUSE_MS = 1_000;
/** First line of a migration that PostgreSQL does not run inside a transaction, such as an index made beside work. */
const OUTSIDE = '-- outside a transaction';

/** A line of a migration after which older releases cannot run: names the newest migration of the oldest that can. */
const OLDEST = /^-- oldest that runs: (\d{4})$/m;

/**
 * Applies the migrations that are new, in the order of their names, each in a transaction of its own, then code that
 * changed and the seed in another. An advisory lock lets instances that start together do each once. Locks of tables are waited
 * for a moment at a time, so that a server under load goes on. A database of a later release is left as it is.
 * @returns the names of what was applied
 * @throws StartupError when something of it failed, an applied migration was edited since, the database cannot be
 *   reached, or this release is too old for it
 */
export async function migrate({ url, serverUrl, folder, systemUserId, onApplied }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new StartupError(`PostgreSQL cannot be reached: ${reason(error)}. Check DATABASE_URL.`);
  }
  const applied: string[] = [];
  const note = (name: string) => {
    applied.push(name);
    onApplied?.(name);
  };
  try {
    for (;;) {
      const name = await changing(client, () => applyNext(client, join(folder, 'migrations')));
      if (name === undefined) break;
      note(name);
    }
    const hasNewCode = await changing(client, async () => {
      if (await isOfLaterRelease(client, join(folder, 'migrations'))) return false;
      const isNew = await applyCode(client, join(folder, CODE));
      if (serverUrl) await admitServerLogin(client, serverUrl);
      await client.query('set local role service');
      for (const file of await sqlFiles(join(folder, 'seed'))) await run(client, file);
      await seedSystemUser(client, systemUserId);
      await client.query('reset role');
      await run(client, join(folder, 'schedule.sql'));
      return isNew;
    });
    if (hasNewCode) note(CODE);
    return applied;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw notUpToDate(reason(error), error);
  } finally {
    await client.end();
  }
}

/**
 * The migrations that `migrate` would apply, and `code` where functions and rights would be made anew; all of them where
 * this database has none, or where this login may not read which it has.
 */
export async function pendingMigrations(client: pg.Client, folder: string): Promise<string[]> {
  const files = await sqlFiles(join(folder, 'migrations'));
  const names = [...files.map((file) => basename(file)), CODE];
  const { rows } = await client.query(
    "select coalesce(has_table_privilege(to_regclass('public.schema_migrations'), 'select'), false) as readable",
  );
  if (!rows[0].readable) return names;
  await assertNotTooOld(client, join(folder, 'migrations'));
  const { rows: known } = await client.query('select m.name, m.checksum from public.schema_migrations m');
  const checksums = new Map<string, string>(known.map((row) => [row.name, row.checksum]));
  if (known.length > 0 && (await isOfLaterRelease(client, join(folder, 'migrations')))) return [];
  const pending = names.filter((name) => !checksums.has(name));
  return checksums.get(CODE) === (await checksumOfCode(join(folder, CODE)))
    ? pending
    : [...new Set([...pending, CODE])];
}

const notUpToDate = (why: string, cause: unknown): StartupError =>
  new StartupError(`The database could not be brought up to date: ${why}. This step was undone.`, { cause });

/** One transaction under the lock of migrating, tried again when others held what it needs. */
async function changing<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      // Set here, because the host or the name of the login could make another schema come first.
      await client.query(`set local search_path = public; set local lock_timeout = '${LOCK_WAIT}'`);
      const result = await work();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      const { code } = ((error as Error).cause ?? error) as { code?: string };
      if (!WORTH_ANOTHER_TRY.has(code ?? '') || tries === MOST_TRIES) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** Runs a file. @throws StartupError that names it */
async function run(client: pg.Client, file: string): Promise<void> {
  try {
    await client.query(await readFile(file, 'utf8'));
  } catch (error) {
    throw notUpToDate(`${basename(file)} failed: ${reason(error)}`, error);
  }
}

/** Applies the first migration that is new. @returns its name; undefined: there is none */
async function applyNext(client: pg.Client, migrationsDir: string): Promise<string | undefined> {
  const { rows: found } = await client.query("select to_regclass('public.schema_migrations') is not null as exists");
  if (!found[0].exists) await client.query(CREATE_MIGRATIONS_TABLE);
  const oldestYet = await assertNotTooOld(client, migrationsDir);
  const { rows } = await client.query('select m.name, m.checksum from schema_migrations m');
  const checksums = new Map<string, string>(rows.map((row) => [row.name, row.checksum]));
  for (const file of await sqlFiles(migrationsDir)) {
    const name = basename(file);
    const text = await readFile(file, 'utf8');
    const known = checksums.get(name);
    if (known === checksumOf(text)) continue;
    if (known) throw new StartupError(`Migration ${name} was changed after it was applied; add a new one instead.`);
    const isThere = name === SQUASHED.as && checksums.has(SQUASHED.last);
    if (text.startsWith(OUTSIDE)) await runOutside(client, file, text);
    else if (!isThere) await run(client, file);
    await client.query(NOTE_MIGRATION, [name, checksumOf(text)]);
    const oldest = OLDEST.exec(text)?.[1];
    if (oldest && oldest > oldestYet) await client.query(noteOldest(oldest));
    // A new table has no policies and grants of its own yet, and nobody has rights to it: code goes with every migration.
    await client.query('delete from schema_migrations m where m.name = $1', [CODE]);
    return name;
  }
  return undefined;
}

/**
 * Runs the statements of a file one by one, each of which ends with a semicolon at the end of a line. They name the
 * schema, and another run of them does no harm: one that fails is repeated from the first statement on, and two
 * instances may run them.
 */
async function runOutside(client: pg.Client, file: string, text: string): Promise<void> {
  await client.query('commit');
  try {
    for (const statement of text.split(/;\s*$/m).filter((part) => part.trim() !== '')) await client.query(statement);
  } catch (error) {
    throw notUpToDate(`${basename(file)} failed: ${reason(error)}`, error);
  }
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
}

/**
 * Refuses a database that a later release changed so that this one cannot run on it, before anything is changed. Such a
 * migration says which release still can, by its newest migration (`OLDEST`); that is kept as the comment of the table.
 * @returns what is kept there, or nothing
 */
async function assertNotTooOld(client: pg.Client, migrationsDir: string): Promise<string> {
  const { rows } = await client.query(
    "select obj_description(to_regclass('public.schema_migrations'), 'pg_class') as text",
  );
  const oldest = OLDEST.exec(rows[0].text ?? '')?.[1] ?? '';
  const newest = basename((await sqlFiles(migrationsDir)).at(-1) ?? '').slice(0, 4);
  if (newest >= oldest) return oldest;
  throw new StartupError(
    `This release is too old for this database: it knows migrations up to ${newest}, and a later release has changed ` +
      `the tables so that only releases with migration ${oldest} can run. Nothing was changed. Start a newer release, ` +
      'or restore a backup from before.',
  );
}

/**
 * Whether the newest migration is none of ours: an instance of the release before that starts again during a deploy
 * leaves functions, rights and seed as the release after made them.
 */
async function isOfLaterRelease(client: pg.Client, migrationsDir: string): Promise<boolean> {
  const ours = (await sqlFiles(migrationsDir)).map((file) => basename(file));
  const { rows } = await client.query(
    'select m.name from schema_migrations m where m.name <> $1 order by m.applied_at desc, m.name desc limit 1',
    [CODE],
  );
  return !ours.includes(rows[0].name);
}

/** Makes functions, triggers, views and rights anew when any of their files differs from what was applied last. */
async function applyCode(client: pg.Client, codeDir: string): Promise<boolean> {
  const files = await sqlFiles(codeDir);
  const checksum = await checksumOfCode(codeDir);
  const { rows } = await client.query('select m.checksum from schema_migrations m where m.name = $1', [CODE]);
  if (rows[0]?.checksum === checksum) return false;
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

async function checksumOfCode(codeDir: string): Promise<string> {
  const files = await sqlFiles(codeDir);
  return checksumOf((await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n'));
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
      app.other_session_states(uuid[]), app.mark_other_session_used(uuid, bigint),
      app.rotate_other_session(uuid, bigint, double precision, double precision),
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

/** One outside a transaction may have been run by two instances. */
const NOTE_MIGRATION = `
  insert into schema_migrations (name, checksum)
  values ($1, $2)
  on conflict (name) do nothing`;

/** `comment` takes no parameters; `oldest` is four digits. */
const noteOldest = (oldest: string) => `comment on table schema_migrations is '-- oldest that runs: ${oldest}'`;

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
