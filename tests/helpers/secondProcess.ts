import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '#platform/postgres/embedded.ts';
import type { TestServer } from './server.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface SecondProcess {
  url: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Another instance of a test's server, in a process of its own, on the same database, Redis and secrets. */
export async function startSecondProcess(
  first: TestServer,
  role: 'all' | 'api' | 'worker',
  env: Record<string, string> = {},
): Promise<SecondProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN, role], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      PORT: String(port),
      PUBLIC_BASE_URL: first.url,
      DATA_DIR: first.config.DATA_DIR,
      DATABASE_URL: first.databaseUrl,
      ...(first.config.redisUrl ? { REDIS_URL: first.config.redisUrl } : {}),
      RATE_LIMIT_ENABLED: 'false',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await banner(child);
  return {
    url: `http://127.0.0.1:${port}`,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((done) => child.once('exit', done));
      child.kill(signal);
      await ended;
    },
  };
}

/** The banner is printed when everything runs. */
async function banner(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
    if (output.includes('Strong Together')) resolve();
  });
  child.once('exit', (code) => reject(new Error(`the second process ended with ${code}: ${output}`)));
  await promise;
}
