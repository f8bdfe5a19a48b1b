import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Server as SocketServer } from 'socket.io';
import { serveSockets } from '#features/realtime/realtime.sockets.ts';
import type { Log } from '#platform/log.ts';
import { StartupError } from '#platform/startupError.ts';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { buildDeps } from './dependencies.ts';
import { readPageFiles } from './pageFiles.ts';

/** How long a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than proxies keep idle connections (60 s): this side must not close one that a proxy is about to use. */
const KEEP_ALIVE_MS = 72_000;
/** Requests that are still under way so long after the listener has closed are cut off, in milliseconds. */
const LAST_REQUESTS_MS = 5_000;

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
    const app = buildApp(deps, await readPageFiles(log));
    const server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS, shouldUpgradeCallback: isForSockets },
      app,
    );
    server.on('clientError', refuseUnreadable).on('checkExpectation', app);
    const stopSweeping = serveSockets(deps, server);
    await listen(server, config.PORT);
    return {
      close: async () => {
        deps.lifecycle.isDraining = true;
        await pause(config.SHUTDOWN_DRAIN_MS);
        stopSweeping();
        await stopServing(server, deps.sockets.io);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Any other `Upgrade`, such as HTTP/2 by curl, is ignored and the request answered (RFC 9110, section 7.8). */
function isForSockets({ url = '', headers }: IncomingMessage): boolean {
  return url.startsWith('/socket.io/') && headers.upgrade?.toLowerCase() === 'websocket';
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

/** Answers what Node's HTTP parser refuses: it never reaches the app, but gets an error body of the same shape. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE', 'Request headers too large']
      : ['400 Bad Request', 'MALFORMED_REQUEST', 'Malformed request'];
  const requestId = randomUUID();
  const body = JSON.stringify({ success: false, message, code, requestId });
  const headers = [
    `X-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));
}

async function stopServing(server: Server, io: SocketServer): Promise<void> {
  const closed = io.close(); // closes the sockets, which reconnect to another instance, and the HTTP server
  // A connection that was busy becomes idle after its answer: look again until all are gone.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cutOff = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}
