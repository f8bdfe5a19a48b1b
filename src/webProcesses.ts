import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#platform/log.ts';
import { StartupError } from '#platform/startupError.ts';
import type { Config } from './config.ts';

/** Pause before a process that ended takes its place again, in milliseconds. */
const RESTART_MS = 1_000;

/** Processes on one machine that share the port of the API. */
export interface WebProcesses {
  /** Lets each of them finish its requests. */
  close(): Promise<void>;
}

/**
 * Starts `WEB_CONCURRENCY` processes with the role `api` and keeps as many running: a machine with several cores serves
 * as many requests at the same time. Connections go to them in turn.
 * @param databaseUrl of the database that this process has prepared
 * @throws StartupError when one of them cannot start
 */
export async function startWebProcesses(config: Config, databaseUrl: string, log: Log): Promise<WebProcesses> {
  cluster.setupPrimary({ args: ['api'] });
  let isClosing = false;
  const running = new Map<number, Worker>();

  function start(number: number): Promise<void> {
    const worker = cluster.fork({
      DATABASE_URL: databaseUrl,
      WEB_CONCURRENCY: '1',
      // Each tells its own figures: at the ports after that of this process.
      ...(config.METRICS_PORT ? { METRICS_PORT: String(config.METRICS_PORT + number) } : {}),
    });
    running.set(number, worker);
    let hasStarted = false;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    worker.on('listening', ({ port }) => {
      if (port !== config.PORT) return; // that of its metrics
      hasStarted = true;
      resolve();
    });
    worker.once('exit', (code, signal) => {
      running.delete(number);
      if (isClosing) return;
      if (!hasStarted) reject(new StartupError(`A process of the API ended while it started (${signal ?? code}).`));
      else void restart(number, signal ?? code);
    });
    return promise;
  }

  async function restart(number: number, end: string | number): Promise<void> {
    log.error({ number, end }, 'a process of the API ended; another takes its place');
    do await pause(RESTART_MS);
    while (
      !isClosing &&
      !(await start(number).then(
        () => true,
        () => false,
      ))
    );
  }

  const close = async () => {
    isClosing = true;
    await Promise.all(
      [...running.values()].map(async (worker) => {
        const ended = new Promise((done) => worker.once('exit', done));
        worker.process.kill('SIGTERM');
        await ended;
      }),
    );
  };

  try {
    await Promise.all(Array.from({ length: config.WEB_CONCURRENCY }, (_, n) => start(n + 1)));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
