import { createServer, type Server } from 'node:http';
import type { Log } from '#platform/log/log.ts';
import { StartupError } from '#platform/startupError.ts';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { buildDeps } from './dependencies.ts';

/** How long a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface RunningServer {
  /** Finishes requests and deliveries in flight, then closes every connection. */
  close(): Promise<void>;
}

/** Opens the dependencies and starts what this process runs. @throws StartupError */
export async function startServer(
  config: Config,
  databaseUrl: string,
  log: Log,
  runs: { api: boolean; workers: boolean },
): Promise<RunningServer> {
  const { deps, close } = await buildDeps(config, databaseUrl, log, runs.workers);
  if (!runs.api) return { close };
  try {
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, buildApp(deps));
    await listen(server, config.PORT);
    return {
      close: async () => {
        await stopServing(server);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, resolve);
  try {
    await promise;
  } catch (error) {
    throw new StartupError(`Port ${port} cannot be used (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function stopServing(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeIdleConnections();
  await closed;
}
