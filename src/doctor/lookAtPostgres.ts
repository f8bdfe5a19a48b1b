import { resolve } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { pendingMigrations } from '#platform/postgres/migrate.ts';
import { StartupError } from '#platform/startupError.ts';
import type { Config } from '#src/config.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

const DB_FOLDER = resolve(import.meta.dirname, '../../db');
const OLDEST_VERSION = 150_000;
const MOST_CLOCK_DIFFERENCE_MS = 2_000;
/** Connections of the API's pool, and half as many of the workers'. */
const POOLS = 1.5;

interface Facts {
  version: number;
  version_text: string;
  now: Date;
  max_connections: number;
  fsync: string;
  autovacuum: string;
  may_act: boolean | null;
  pg_cron: boolean;
}

const FACTS = `
  select
    current_setting('server_version_num')::int as version,
    current_setting('server_version') as version_text,
    clock_timestamp() as now,
    current_setting('max_connections')::int as max_connections,
    current_setting('fsync') as fsync,
    current_setting('autovacuum') as autovacuum,
    (select bool_and(pg_has_role(r.oid, 'member')) from pg_roles r where r.rolname in ('authenticated', 'service'))
      as may_act,
    exists (select from pg_extension e where e.extname = 'pg_cron') as pg_cron`;

/** Tables whose rows are not protected against everybody, triggers that are off, indexes that are not used. */
const FAULTS = `
  select 'table ' || c.relname || ' is without row-level security' as fault
  from pg_class c
  where c.relnamespace = 'public'::regnamespace
    and c.relkind = 'r'
    and c.relname <> 'security_events'
    and not (c.relrowsecurity and c.relforcerowsecurity)
  union all
  select 'table ' || c.relname || ' has no policy'
  from pg_class c
  where c.relnamespace = 'public'::regnamespace
    and c.relkind = 'r'
    and c.relname <> 'security_events'
    and not exists (select from pg_policy p where p.polrelid = c.oid)
  union all
  select 'trigger ' || t.tgname || ' of ' || t.tgrelid::regclass || ' is switched off'
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = 'public'::regnamespace
    and t.tgenabled = 'D'
  union all
  select 'index ' || i.indexrelid::regclass || ' is not valid: drop it and make it again'
  from pg_index i
  join pg_class c on c.oid = i.indrelid
  where c.relnamespace = 'public'::regnamespace
    and not i.indisvalid
  union all
  select 'foreign key ' || k.conname || ' of ' || k.conrelid::regclass || ' has no index'
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  where c.relnamespace = 'public'::regnamespace
    and k.contype = 'f'
    and not exists (
      select
      from pg_index i
      where i.indrelid = k.conrelid
        and i.indkey[0] = k.conkey[1]
    )
  order by 1`;

/** Looks at the database that the server would use, as its login and as the one that migrates, and changes nothing. */
export async function lookAtPostgres(config: Config): Promise<Finding[]> {
  const embedded = config.DATABASE_URL ? undefined : await startEmbeddedPostgres(config.DATA_DIR);
  const url = config.DATABASE_URL ?? embedded?.url ?? '';
  try {
    const found = await asking(url, (client) => lookAtServer(client, config, embedded !== undefined));
    found.push(...(await asking(config.DATABASE_MIGRATION_URL ?? url, lookAtSchema)));
    return [...found, ...(await lookAtReplica(config.DATABASE_REPLICA_URL))];
  } catch (error) {
    return [fail(`PostgreSQL: cannot be asked (${reasonOf(error)}). Check DATABASE_URL and DATABASE_MIGRATION_URL.`)];
  } finally {
    await embedded?.stop();
  }
}

/** A replica is passed over where it cannot answer, so what is wrong with it stops nothing. */
async function lookAtReplica(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [];
  try {
    return await asking(url, async (client) => {
      const { rows } = await client.query<{ follows: boolean; knows: boolean }>(
        "select pg_is_in_recovery() as follows, to_regprocedure('app.check_replica(jsonb)') is not null as knows",
      );
      const [replica] = rows;
      if (!replica?.follows) return [warn('Replica: follows no primary; every read goes to DATABASE_URL.')];
      if (!replica.knows) return [warn('Replica: does not have this release yet; reads go to DATABASE_URL.')];
      return [ok('Replica: reached, it follows a primary.')];
    });
  } catch (error) {
    return [warn(`Replica: cannot be asked (${reasonOf(error)}); reads go to DATABASE_URL.`)];
  }
}

async function asking(url: string, ask: (client: pg.Client) => Promise<Finding[]>): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function lookAtServer(client: pg.Client, config: Config, isEmbedded: boolean): Promise<Finding[]> {
  const asked = Date.now();
  const { rows } = await client.query<Facts>(FACTS);
  const facts = rows[0] as Facts;
  const found: Finding[] = [];
  const where = isEmbedded ? 'embedded' : 'reached';
  if (facts.version < OLDEST_VERSION)
    found.push(fail(`PostgreSQL: version ${facts.version_text}, at least 15 is needed.`));
  else found.push(ok(`PostgreSQL: ${where}, version ${facts.version_text}.`));
  const difference = facts.now.getTime() - (asked + Date.now()) / 2;
  if (Math.abs(difference) > MOST_CLOCK_DIFFERENCE_MS) {
    found.push(
      fail(
        `Clock: this machine and PostgreSQL differ by ${Math.round(difference / 1000)} s; proofs and tokens go by it.`,
      ),
    );
  } else found.push(ok('Clock: this machine and PostgreSQL agree.'));
  if (facts.fsync === 'off') {
    const lost = 'PostgreSQL: fsync is off; what was acknowledged may be lost.';
    found.push(config.production ? fail(lost) : warn(lost));
  }
  if (facts.autovacuum === 'off')
    found.push(warn('PostgreSQL: autovacuum is off; tables will grow and plans grow old.'));
  const needed = Math.ceil(config.DATABASE_POOL_SIZE * POOLS * config.WEB_CONCURRENCY);
  if (needed > facts.max_connections) {
    found.push(
      warn(
        `PostgreSQL: one machine of this server opens up to ${needed} connections, and max_connections is ${facts.max_connections}.`,
      ),
    );
  }
  found.push(
    ok(
      facts.pg_cron
        ? 'pg_cron: installed, it runs the schedule as well.'
        : 'pg_cron: not installed; the workers run the schedule.',
    ),
  );
  if (facts.may_act === false) {
    found.push(
      fail('Roles: this login may not act as authenticated and service. Migrate with DATABASE_MIGRATION_URL.'),
    );
  }
  return found;
}

async function lookAtSchema(client: pg.Client): Promise<Finding[]> {
  let pending: string[];
  try {
    pending = await pendingMigrations(client, DB_FOLDER);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return [fail(`Migrations: ${error.message}`)];
  }
  if (pending.length > 0) {
    return [warn(`Migrations: ${pending.join(', ')} to be applied; the next start does it, or npm run migrate.`)];
  }
  const { rows } = await client.query<{ fault: string }>(FAULTS);
  if (rows.length > 0) return rows.map(({ fault }) => fail(`Schema: ${fault}.`));
  return [ok('Schema: migrations, row-level security, triggers and indexes are in place.')];
}
