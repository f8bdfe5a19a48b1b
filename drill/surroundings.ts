import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#platform/postgres/embedded.ts';
import { debianPostgresVersion, HAS_DEBIAN_POSTGRES } from '#tests/helpers/debianPostgres.ts';
import { eventually } from '#tests/helpers/eventually.ts';

interface Program {
  port: number;
  stop(): Promise<void>;
}

/**
 * What the drill needs and this machine lacks, in a sentence.
 * @param programs that are started, by name
 */
export function whatIsMissing(programs: string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'The drill runs as root, on Debian: it mounts a disk and starts PostgreSQL.';
  const missing = programs.filter((name) => spawnSync(name, ['--version']).error !== undefined);
  const packages = missing.map((name) => PACKAGES[name] ?? name);
  if (!HAS_DEBIAN_POSTGRES) packages.push('postgresql', `postgresql-${debianPostgresVersion() ?? 'NN'}-cron`);
  if (packages.length === 0) return undefined;
  const hint = packages.some((name) => name.includes('NN')) ? ', where NN is the version of postgresql' : '';
  return `The drill needs more packages. Install them: apt-get install ${packages.join(' ')}${hint}.`;
}

/** Of programs that are called otherwise. */
const PACKAGES: Record<string, string> = { setpriv: 'util-linux', mount: 'mount', promtool: 'prometheus' };

/** HAProxy in front of API processes, which it asks for their readiness three times a second. */
export async function startHaproxy(apiPorts: number[]): Promise<Program> {
  const port = await freePort();
  const servers = apiPorts.map((api, n) => `  server api${n} 127.0.0.1:${api} check inter 300ms fall 1 rise 1`);
  return start('haproxy', port, (file) => ['-f', file], [
    'defaults',
    '  mode http',
    '  timeout connect 1s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout tunnel 1h',
    '  option redispatch',
    '  retries 3',
    '  retry-on conn-failure',
    'frontend phones',
    `  bind 127.0.0.1:${port}`,
    '  option forwardfor',
    '  default_backend api',
    'backend api',
    '  option httpchk GET /health/ready',
    ...servers,
  ]);
}

/** PgBouncer in transaction mode. `postgres` is the port of an address that leads to the primary. */
export async function startPgBouncer(postgres: number): Promise<Program> {
  const port = await freePort();
  return start('pgbouncer', port, (file) => [file], [
    '[databases]',
    `* = host=127.0.0.1 port=${postgres} user=strong_together`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 20',
    'max_client_conn = 200',
    'server_login_retry = 0.2',
    'ignore_startup_parameters = extra_float_digits',
  ]);
}

/** A program with a configuration of its own, as the user `postgres`, because PgBouncer does not run as root. */
async function start(name: string, port: number, args: (file: string) => string[], lines: string[]): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), `strong-together-${name}-`));
  chmodSync(folder, 0o755);
  const file = join(folder, 'configuration');
  await writeFile(file, `${lines.join('\n')}\n`);
  const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', name];
  const child = spawn('setpriv', [...user, ...args(file)], { stdio: 'ignore' });
  await eventually(() => answers(child, name, port));
  return {
    port,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, name: string, port: number): Promise<void> {
  if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
  const socket = connect(port, '127.0.0.1');
  try {
    await new Promise<void>((done, failed) => void socket.once('connect', done).once('error', failed));
  } finally {
    socket.destroy();
  }
}
