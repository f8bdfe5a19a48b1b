import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { makeDataFolder } from '#platform/dataFolder.ts';
import { alone } from '#platform/startLock.ts';
import { StartupError } from '#platform/startupError.ts';
import { asOrdinaryUser, findBinaries } from './binaries.ts';
import { type Cluster, keptCluster, passwordFile } from './cluster.ts';

export interface EmbeddedPostgres {
  /** Login of the server: owns the database, may create roles, is no superuser. */
  url: string;
  /** Superuser of the cluster, for tests. */
  superuserUrl: string;
  /** Stops the cluster, unless another server of this folder still uses it. */
  stop(): Promise<void>;
}

/** One connection as superuser. While it is open, no other process stops the cluster. */
interface Session {
  url: string;
  pool: pg.Pool;
}

/** Longest wait for a server that another process started and that does not answer, in milliseconds. */
const SILENCE_MS = 10_000;
/** Longest wait for a server that is starting up or shutting down, in milliseconds; `pg_ctl` waits as long. */
const RECOVERY_MS = 60_000;
/** SQLSTATE of a server that is starting up or shutting down. */
const CANNOT_CONNECT_NOW = '57P03';
/** Key of the advisory lock for creating the server's login: any fixed number. */
const LOGIN_LOCK = 7_301_906;
/** By this name the sessions of this process are told from those of others. */
const SESSION_NAME = `embedded PostgreSQL of process ${process.pid}`;

/**
 * Starts the PostgreSQL that comes with the npm packages, with its data in `dataDir` (kept between
 * starts), on a free loopback port. A cluster that another process started is shared, also one that a
 * killed process left running. Starts and stops of one folder wait for each other.
 * As root it runs under an ordinary account, because PostgreSQL refuses root.
 * @param settings PostgreSQL settings for this start, such as `fsync=off` in tests
 * @param wantedPort absent: a free one
 * @throws StartupError
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  settings: string[] = [],
  wantedPort?: number,
): Promise<EmbeddedPostgres> {
  const root = resolve(dataDir, 'postgres');
  makeDataFolder(root);
  const lock = join(root, 'lock');
  const binaries = await findBinaries();
  return alone(lock, async () => {
    try {
      const cluster = await keptCluster(root, binaries);
      const session = await bringUp(cluster, settings, wantedPort);
      const stop = () => stopUnlessShared(cluster, session);
      try {
        const url = await makeServerLogin(session, cluster.password);
        return { url, superuserUrl: session.url, stop: () => alone(lock, stop) };
      } catch (error) {
        await stop();
        throw error;
      }
    } catch (error) {
      if (error instanceof StartupError) throw error;
      throw new StartupError(
        `The embedded PostgreSQL in ${root} cannot be used (${(error as Error).message}): mend that, or set ` +
          'DATA_DIR to another folder or DATABASE_URL to another PostgreSQL.',
        { cause: error },
      );
    }
  });
}

/** Connects to the cluster's server, whoever started it, or starts it. */
async function bringUp(cluster: Cluster, settings: string[], wantedPort: number | undefined): Promise<Session> {
  let heldSince: number | undefined;
  for (;;) {
    let answer: { code?: string; message: string };
    try {
      return await connect(cluster, 2_000);
    } catch (error) {
      answer = error as Error;
    }
    const patience = answer.code === CANNOT_CONNECT_NOW ? RECOVERY_MS : SILENCE_MS;
    if (heldSince !== undefined && Date.now() - heldSince > patience) {
      throw new StartupError(
        `The embedded PostgreSQL in ${cluster.root} is held by a process that does not let us in (${answer.message}): ` +
          `end the process that ${pidFile(cluster)} names first, or delete that file if it is another program.`,
      );
    }
    const wasHeld = existsSync(pidFile(cluster));
    const failure = await start(cluster, settings, wantedPort ?? (await freePort()));
    if (!failure) return connectToOwn(cluster);
    // While this file exists, a server may be starting up or shutting down; PostgreSQL decides whether it is stale.
    if (!wasHeld && !existsSync(pidFile(cluster))) throw failure;
    heldSince ??= Date.now();
    await pause(100);
  }
}

async function connectToOwn(cluster: Cluster): Promise<Session> {
  try {
    return await connect(cluster);
  } catch (error) {
    await stop(cluster);
    throw new StartupError(
      `The embedded PostgreSQL in ${cluster.root} refuses us (${(error as Error).message}): put the password that ` +
        `belongs to it into ${passwordFile(cluster.root)}, or move ${cluster.root} away to begin with an empty database.`,
      { cause: error },
    );
  }
}

/** Connects to the port in the pid file. Fails when nobody answers there, or another program that uses the port now. */
async function connect(cluster: Cluster, waitMs = 10_000): Promise<Session> {
  const port = Number(readFileSync(pidFile(cluster), 'utf8').split('\n')[3]);
  const url = `postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: SESSION_NAME,
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
    connectionTimeoutMillis: waitMs,
  });
  pool.on('error', () => undefined); // the server may go at any time
  try {
    await pool.query('select 1');
    return { url, pool };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Starts the server. @returns why it did not start */
async function start(cluster: Cluster, settings: string[], port: number): Promise<StartupError | undefined> {
  const flags = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings];
  const log = join(cluster.dir, 'server.log');
  try {
    await asOrdinaryUser(cluster.binaries.pg_ctl, [
      'start',
      `--pgdata=${cluster.dir}`,
      `--log=${log}`,
      '--wait',
      `--options=${flags.map((flag) => `-c ${flag.endsWith('=') ? `${flag}''` : flag}`).join(' ')}`,
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    return new StartupError(`The embedded PostgreSQL in ${cluster.root} did not start: the end of ${log} says why.`, {
      cause: error,
    });
  }
}

async function makeServerLogin({ url: superuserUrl, pool }: Session, password: string): Promise<string> {
  // A start that was killed may have left a session that is still creating it.
  await pool.query('select pg_advisory_lock($1)', [LOGIN_LOCK]);
  const { rows } = await pool.query("select 1 from pg_roles where rolname = 'strong_together'");
  if (rows.length === 0) {
    await pool.query(
      `create role strong_together login createrole nosuperuser nobypassrls password ${pg.escapeLiteral(password)}`,
    );
  }
  const { rows: databases } = await pool.query("select 1 from pg_database where datname = 'strong_together'");
  if (databases.length === 0) await pool.query('create database strong_together owner strong_together');
  await pool.query('select pg_advisory_unlock($1)', [LOGIN_LOCK]);
  const url = new URL(superuserUrl);
  url.username = 'strong_together';
  url.pathname = '/strong_together';
  return url.href;
}

async function stopUnlessShared(cluster: Cluster, session: Session): Promise<void> {
  if (!session.pool.ended) await session.pool.end();
  const last = await connect(cluster).catch(() => undefined); // undefined: it is down already
  if (!last) return;
  const { rows } = await last.pool.query(
    `select count(*)::int as others from pg_stat_activity
     where backend_type = 'client backend' and application_name <> $1`,
    [SESSION_NAME],
  );
  await last.pool.end();
  if (rows[0].others === 0) await stop(cluster);
}

async function stop(cluster: Cluster): Promise<void> {
  try {
    await asOrdinaryUser(cluster.binaries.pg_ctl, ['stop', `--pgdata=${cluster.dir}`, '--mode=fast', '--wait']);
  } catch (error) {
    if (!existsSync(pidFile(cluster))) return; // it ended by itself
    throw new StartupError(`The embedded PostgreSQL in ${cluster.root} did not stop: end it yourself.`, {
      cause: error,
    });
  }
}

const pidFile = (cluster: Cluster) => join(cluster.dir, 'postmaster.pid');

/** A loopback port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
