import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { freePort } from '#platform/postgres/embedded.ts';

const SERVERS = ['redis-server', 'valkey-server'];

export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Redis of the tests' own, on a free port unless one is given, with further options of its command line. */
export async function startRedis(wantedPort?: number, options: string[] = []): Promise<TestRedis> {
  const port = wantedPort ?? (await freePort());
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const stop = await runRedis([...flags, '--databases', '4096', ...options], 'Ready to accept connections');
  return { url: `redis://127.0.0.1:${port}`, stop };
}

/**
 * Runs the server's program; installs it first if the machine has none.
 * @param ready what it prints when it has started
 * @returns a function that ends it as a power cut would
 */
export async function runRedis(args: string[], ready: string): Promise<() => Promise<void>> {
  const child = spawn(findServer() ?? installServer(), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(child, ready);
  return () => end(child);
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

async function printed(child: ChildProcess, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
    if (output.includes(text)) resolve();
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
