import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { StartupError } from '#platform/startupError.ts';

export interface MigrateOptions {
  /** A login that may create roles and owns the database (or may create in it); it need not be a superuser. */
  url: string;
  /** The login that the server will use, if it is another one; it gets the right to act as either role. */
  serverUrl?: string;
  migrationsDir: string;
  seedDir: string;
  /** Run at every start, as the login that migrates. */
  scheduleFile: string;
  systemUserId: string;
}

/** Any fixed number: everybody who migrates this database takes the same lock. */
const MIGRATION_LOCK = 7_301_905;

/**
 * Applies the migrations that are new, in the order of their names, then the seed, in one transaction
 * under an advisory lock: instances that start together do it once.
 * @throws StartupError when an applied migration was edited since, or the database cannot be reached
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({ connectionString: options.url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new StartupError(`PostgreSQL cannot be reached: ${reason(error)}. Check DATABASE_URL.`);
  }
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = await applyNew(client, options.migrationsDir);
    if (options.serverUrl) await admitServerLogin(client, options.serverUrl);
    await client.query('set local role service');
    for (const file of await sqlFiles(options.seedDir)) await client.query(await readFile(file, 'utf8'));
    await seedSystemUser(client, options.systemUserId);
    await client.query('reset role');
    await client.query(await readFile(options.scheduleFile, 'utf8'));
    await client.query('commit');
    return applied;
  } finally {
    await client.end();
  }
}

async function applyNew(client: pg.Client, migrationsDir: string): Promise<string[]> {
  const { rows: found } = await client.query("select to_regclass('public.schema_migrations') is not null as exists");
  if (!found[0].exists) await client.query(CREATE_MIGRATIONS_TABLE);
  const { rows } = await client.query('select m.name, m.checksum from schema_migrations m');
  const checksums = new Map<string, string>(rows.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  for (const file of await sqlFiles(migrationsDir)) {
    const name = file.slice(migrationsDir.length + 1);
    const text = await readFile(file, 'utf8');
    const checksum = createHash('sha256').update(text).digest('hex');
    const known = checksums.get(name);
    if (known === checksum) continue;
    if (known) throw new StartupError(`Migration ${name} was changed after it was applied; add a new one instead.`);
    try {
      await client.query(text);
    } catch (error) {
      throw new Error(`migration ${name} failed: ${reason(error)}`, { cause: error });
    }
    await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    applied.push(name);
  }
  return applied;
}

/** Lets a login that owns nothing switch to the two roles and ask the guard's questions. */
async function admitServerLogin(client: pg.Client, serverUrl: string): Promise<void> {
  const login = decodeURIComponent(new URL(serverUrl).username);
  const { rows } = await client.query("select current_user as me, current_setting('server_version_num') as version");
  if (!login || rows[0].me === login) return;
  const name = client.escapeIdentifier(login);
  // From 16 on the login only switches to the roles; it inherits no rights by itself.
  const options = Number(rows[0].version) >= 160_000 ? 'with inherit false, set true' : '';
  await client.query(`
    grant authenticated, service to ${name} ${options};
    grant usage on schema app to ${name};
    set local role service;
    grant execute on function
      app.session_state(uuid), app.mark_token_version_used(uuid, bigint),
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

const SEED_SYSTEM_USER = `
  insert into users (id, username, name, profile_image_url, role, is_verified, is_first_login)
  values ($1, 'system_bot', 'System Bot', 'profile_pics/system-bot/avatar.jpg', 'System', true, false)
  on conflict do nothing`;
