// Sockets on one process: memory of idle ones, latency of a stream of messages, growth under comings and goings.
//   npm run bench:sockets; see README.md in this folder.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { io, type Socket } from 'socket.io-client';
import { buildSocketTickets } from '#identity/socketTickets.ts';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { openSockets } from '#platform/sockets.ts';
import { loadConfig } from '#src/config.ts';
import { startRedis } from '#tests/setup/redis.ts';
import { end, untilReady } from './helpers.ts';

const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 5000);
const MESSAGES_A_SECOND = Number(process.env.BENCH_MESSAGES ?? 2000);
const STREAM_SECONDS = 10;
const CHURN_MINUTES = Number(process.env.BENCH_CHURN_MINUTES ?? 1);
const CHURN_AT_ONCE = 50;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-sockets-'));
  const redis = await startRedis();
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = {
    PORT: new URL(url).port,
    PUBLIC_BASE_URL: url,
    DATA_DIR: folder,
    REDIS_URL: redis.url,
    RATE_LIMIT_ENABLED: 'false',
    LOG_LEVEL: 'warn',
  };
  const server = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, '../src/main.ts')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const sockets: Socket[] = [];
  try {
    await untilReady(url);
    const ids = await makePeople(folder, SOCKETS);
    const tickets = buildSocketTickets(loadConfig(env, developmentSecrets));
    const ticketOf = (userId: string) => tickets.issue({ userId, username: 'bench', sessionEpoch: 0 });
    const memory = () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(server.pid)])) / 1024;

    await Promise.all(ids.slice(0, 50).map(async (id) => (await open(url, await ticketOf(id))).disconnect())); // warm up
    await pause(2_000);
    const empty = memory();
    for (let n = 0; n < ids.length; n += 100) {
      const some = await Promise.all(ids.slice(n, n + 100).map(async (id) => open(url, await ticketOf(id))));
      sockets.push(...some);
    }
    await pause(5_000);
    const full = memory();
    console.log(
      `${SOCKETS} idle sockets: ${empty.toFixed(0)} → ${full.toFixed(0)} MiB, ` +
        `${(((full - empty) * 1024) / SOCKETS).toFixed(1)} KiB a socket`,
    );

    await stream(redis.url, ids, sockets);

    for (const socket of sockets) socket.disconnect();
    await pause(2_000);
    await churn(url, ids, ticketOf, memory);
  } finally {
    for (const socket of sockets) socket.disconnect();
    await end(server);
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Verified people, past registration. */
async function makePeople(folder: string, count: number): Promise<string[]> {
  const url = new URL((await startEmbeddedPostgres(folder)).superuserUrl); // running: it only tells the address
  url.pathname = '/strong_together';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query(
    `insert into users (username, email, is_verified)
     select 'socket_' || n, 'socket' || n || '@example.com', true from generate_series(1, $1::int) n returning id`,
    [count],
  );
  await client.end();
  return rows.map((row) => row.id as string);
}

async function open(url: string, ticket: string): Promise<Socket> {
  const options = { transports: ['websocket'], upgrade: false, forceNew: true, reconnection: false };
  const socket = io(url, { ...options, auth: { ticket } });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('connect', resolve).once('connect_error', reject);
  await promise;
  return socket;
}

/** Another process's messages, through Redis, to one person each. */
async function stream(redisUrl: string, ids: string[], sockets: Socket[]): Promise<void> {
  const bus = await openSockets(redisUrl, buildLog('warn'), {});
  const times: number[] = [];
  for (const socket of sockets) {
    socket.on('new_message', ({ sent }: { sent: number }) => void times.push(performance.now() - sent));
  }
  const total = MESSAGES_A_SECOND * STREAM_SECONDS;
  const started = performance.now();
  for (let n = 0; n < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * MESSAGES_A_SECOND));
    for (; n < due; n++) {
      const item = { subject: 'Workout Done!', msg: 'Great work. '.repeat(10), sent: performance.now() };
      bus.emit(ids[n % ids.length] as string, 'new_message', item);
    }
    await pause(5);
  }
  for (let tries = 0; tries < 100 && times.length < total; tries++) await pause(100);
  await bus.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1);
  console.log(
    `${MESSAGES_A_SECOND} messages/s for ${STREAM_SECONDS} s: ${times.length} of ${total} arrived, ` +
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

/** People who come and go all the time: memory has to level off. */
async function churn(
  url: string,
  ids: string[],
  ticketOf: (id: string) => Promise<string>,
  memory: () => number,
): Promise<void> {
  const over = performance.now() + CHURN_MINUTES * 60_000;
  let connections = 0;
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(memory()), (CHURN_MINUTES * 60_000) / 10);
  await Promise.all(
    Array.from({ length: CHURN_AT_ONCE }, async (_, lane) => {
      for (let n = lane; performance.now() < over; n += CHURN_AT_ONCE) {
        const socket = await open(url, await ticketOf(ids[n % ids.length] as string));
        connections++;
        await pause(20);
        socket.disconnect();
      }
    }),
  );
  clearInterval(sampling);
  console.log(
    `${CHURN_MINUTES} min of comings and goings, ${connections} connections; MiB: ${samples.map(Math.round).join(', ')}`,
  );
}

await main();
