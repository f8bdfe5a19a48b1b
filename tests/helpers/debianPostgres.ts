import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '#platform/postgres/embedded.ts';

const ROOT = '/usr/lib/postgresql';
const home = (existsSync(ROOT) ? readdirSync(ROOT) : [])
  .map((version) => join(ROOT, version))
  .find((folder) => existsSync(join(folder, 'lib/pg_cron.so')) && existsSync(join(folder, 'bin/initdb')));

/** Whether Debian's PostgreSQL with all its programs and pg_cron is here, as on CI, and may be started. */
export const HAS_DEBIAN_POSTGRES = home !== undefined && process.getuid?.() === 0;
/** The newest version of Debian's PostgreSQL that is installed, with pg_cron or without it. */
export const debianPostgresVersion = (): string | undefined =>
  (existsSync(ROOT) ? readdirSync(ROOT) : [])
    .filter((version) => existsSync(join(ROOT, version, 'bin/initdb')))
    .sort((a, b) => Number(a) - Number(b))
    .at(-1);
/** Where its programs lie, such as pg_dump. */
export const DEBIAN_PROGRAMS = join(home ?? '', 'bin');

/** A program of PostgreSQL, as the user `postgres`: it does not run as root. */
async function asPostgres(program: string, ...args: string[]): Promise<void> {
  const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', join(DEBIAN_PROGRAMS, program)];
  const child = spawn('setpriv', [...user, ...args], { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

/** Debian's PostgreSQL: an older version than the embedded one, with its programs, pg_cron and standbys. */
export interface DebianPostgres {
  port: number;
  /** The database `strong_together`, by the login that owns it and is nothing else. */
  url: string;
  superuserUrl: string;
  /** A copy that follows this one. @param isSynchronous a commit waits for it */
  startStandby(isSynchronous: boolean): Promise<DebianPostgres>;
  /** Ends the server as a power cut would. */
  kill(): Promise<void>;
  /** Makes a standby a server of its own. */
  promote(): Promise<void>;
  close(): Promise<void>;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended by itself
  }
}

/** @param settings as in postgresql.conf */
export async function startDebianPostgres(settings: string[] = []): Promise<DebianPostgres> {
  const folder = newFolder();
  const data = join(folder, 'data');
  const cluster = ['--auth=trust', '--username=postgres', '--no-sync', '--encoding=UTF8', '--locale=C'];
  await asPostgres('initdb', `--pgdata=${data}`, ...cluster);
  const server = await startIn(folder, settings);
  const postgres = server.superuserUrl.replace('/strong_together', '/postgres');
  await queryAt(postgres, 'create role strong_together login createrole nosuperuser nobypassrls');
  await queryAt(postgres, 'create database strong_together owner strong_together');
  return server;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strong-together-debian-'));
  const [user = 0, group = 0] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
  chownSync(folder, user, group);
  return folder;
}

async function startIn(folder: string, settings: string[]): Promise<DebianPostgres> {
  const data = join(folder, 'data');
  const port = await freePort();
  const flags = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
    .concat(settings)
    .map((flag) => `-c ${flag}`)
    .join(' ');
  await asPostgres(
    'pg_ctl',
    'start',
    `--pgdata=${data}`,
    `--log=${join(folder, 'log')}`,
    '--wait',
    `--options=${flags}`,
  );
  const at = (login: string, database: string) => `postgres://${login}@127.0.0.1:${port}/${database}`;
  const superuserUrl = at('postgres', 'strong_together');
  let isRunning = true;
  return {
    port,
    url: at('strong_together', 'strong_together'),
    superuserUrl,
    startStandby: async (isSynchronous) => {
      const copy = newFolder();
      const from = ['--host=127.0.0.1', `--port=${port}`, '--username=postgres', '--write-recovery-conf', '--no-sync'];
      await asPostgres('pg_basebackup', `--pgdata=${join(copy, 'data')}`, '--checkpoint=fast', ...from);
      const standby = await startIn(copy, settings);
      if (isSynchronous) {
        await queryAt(superuserUrl, "alter system set synchronous_standby_names = '*'");
        await queryAt(superuserUrl, 'select pg_reload_conf()');
      }
      return standby;
    },
    kill: async () => {
      const [pid = ''] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
      // A backend notices the end of its postmaster a little later, and may answer once more until then.
      const backends = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
      for (const one of [pid, ...backends]) kill(Number(one));
      isRunning = false;
    },
    promote: () => asPostgres('pg_ctl', 'promote', `--pgdata=${data}`, '--wait'),
    close: async () => {
      if (isRunning) await asPostgres('pg_ctl', 'stop', `--pgdata=${data}`, '--mode=immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One or more statements by a connection of their own. */
export async function queryAt(url: string, text: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
