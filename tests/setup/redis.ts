import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { freePort } from '#platform/postgres/embedded.ts';

const SERVERS = ['redis-server', 'valkey-server'];

export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Redis of the tests' own on a free port; installs the server first if the machine has none. */
export async function startRedis(wantedPort?: number): Promise<TestRedis> {
  const program = findServer() ?? installServer();
  const port = wantedPort ?? (await freePort());
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(program, [...flags, '--databases', '4096'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await readyLine(child);
  return { url: `redis://127.0.0.1:${port}`, stop: () => end(child) };
}

function findServer(): string | undefined {
  return SERVERS.find((name) => spawnSync(name, ['--version']).status === 0);
}

function installServer(): string {
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? [] : ['sudo', '-n'];
  const steps = [
    ['apt-get', 'update'],
    // RUNLEVEL=1: the package must not start a server of its own.
    ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', 'install', '-y', 'redis-server'],
  ];
  try {
    console.log('Redis is missing; installing it with apt-get …');
    for (const step of steps) {
      const [program, ...args] = [...sudo, ...step];
      execFileSync(program ?? '', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    }
  } catch {
    // Told below.
  }
  const found = findServer();
  if (found) return found;
  throw new Error(
    'The tests need a Redis server and could not install one. Install it yourself, for example with ' +
      '`apt-get install redis-server` (Debian, Ubuntu) or `brew install redis` (macOS), and run the tests again.',
  );
}

async function readyLine(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
    if (output.includes('Ready to accept connections')) resolve();
  });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`Redis ended with ${code}: ${output}`)));
  await promise;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}
