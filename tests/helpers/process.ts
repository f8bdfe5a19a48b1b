import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '#platform/postgres/embedded.ts';
import type { TestServer } from './server.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** What a process that a test starts has of this one's environment. */
export const INHERITED = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };

export interface ServerProcess {
  url: string;
  pid: number;
  /** @returns the exit code; null after a signal, or when it had ended before */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** A server in a process of its own; returns when everything in it runs. */
export async function startProcess(
  role: 'all' | 'api' | 'worker',
  env: Record<string, string>,
): Promise<ServerProcess> {
  const port = env.PORT ?? String(await freePort());
  const child = spawn(process.execPath, [MAIN, role], {
    env: {
      ...INHERITED,
      NODE_ENV: 'test',
      RATE_LIMIT_ENABLED: 'false',
      LOG_LEVEL: 'error',
      DAILY_PUSH_HOUR: 'off',
      EXPO_BASE_URL: 'http://127.0.0.1:9',
      PORT: port,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await banner(child);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return null;
      const ended = new Promise<number | null>((done) => child.once('exit', done));
      child.kill(signal);
      return ended;
    },
  };
}

/** Another instance of a test's server, on the same database, Redis and secrets. */
export function startSecondProcess(first: TestServer, role: 'all' | 'api' | 'worker'): Promise<ServerProcess> {
  return startProcess(role, {
    PUBLIC_BASE_URL: first.url,
    DATA_DIR: first.config.DATA_DIR,
    DATABASE_URL: first.databaseUrl,
    ...(first.config.redisUrl ? { REDIS_URL: first.config.redisUrl } : {}),
  });
}

/** The banner is printed when everything runs. */
async function banner(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output = (output + chunk).slice(-5_000);
      if (output.includes('Strong Together')) resolve();
    });
  }
  child.once('exit', (code) => reject(new Error(`the process ended with ${code}: ${output}`)));
  await promise;
}
