// Everything that may happen to a server in production, in turn, under load: two API processes behind HAProxy, a worker,
// a primary with a synchronous standby behind PgBouncer, a Redis cluster of three with replicas. As root on Debian, with
// postgresql, postgresql-NN-cron (NN: its version), pgbouncer, haproxy and redis-server installed:
//   npm run drill -- --only rolling,kill,redis,postgres,provider,disk
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import { loadConfig } from '#src/config.ts';
import { startExpo } from '#tests/fakes/expo.ts';
import { startResend } from '#tests/fakes/resend.ts';
import { startDebianPostgres } from '#tests/helpers/debianPostgres.ts';
import { startProcess } from '#tests/helpers/process.ts';
import { startRedisCluster } from '#tests/helpers/redisCluster.ts';
import { startTcpProxy } from '#tests/helpers/tcpProxy.ts';
import { keepTokens, makePhones, type Phone, prepareLogin, send } from '../bench/helpers.ts';
import { startLoad, type Tally } from './load.ts';
import { startHaproxy, startPgBouncer, whatIsMissing } from './surroundings.ts';

const PEOPLE = 10;
/** Each is due another half second after the start, so that something is always on its way. */
const PUSHES = 100;
const STEPS = ['rolling', 'kill', 'redis', 'postgres', 'provider', 'disk'] as const;
type Step = (typeof STEPS)[number];
/** Longest that mails may take at the end: a lease, and the pauses between attempts. */
const SETTLE_MS = 120_000;

const { values } = parseArgs({ options: { only: { type: 'string', default: STEPS.join() } } });
const wanted = values.only.split(',') as Step[];
const unknown = wanted.filter((step) => !STEPS.includes(step));
const obstacle =
  unknown.length > 0
    ? `Unknown: ${unknown.join(', ')}; known: ${STEPS.join(', ')}.`
    : whatIsMissing(['setpriv', 'mount', 'pgbouncer', 'haproxy', 'redis-server']);
if (obstacle !== undefined) {
  console.error(obstacle);
  process.exit(1);
}

const closers: Array<() => Promise<unknown>> = [];
function closing<Value extends { close(): Promise<unknown> } | { stop(): Promise<unknown> }>(value: Value): Value {
  closers.unshift(() => ('close' in value ? value.close() : value.stop()));
  return value;
}

async function drill(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-drill-'));
  closers.unshift(() => rm(folder, { recursive: true, force: true }));
  const pictures = join(folder, 'pictures');
  await mkdir(pictures);
  // A disk of their own for the pictures, so small that it can be filled.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', pictures]);
  closers.unshift(async () => execFileSync('umount', ['--lazy', pictures]));
  const [resend, expo] = [closing(await startResend()), closing(await startExpo())];
  const primary = closing(await startDebianPostgres(['wal_retrieve_retry_interval=200ms']));
  const { SYSTEM_USER_ID: systemUserId } = loadConfig({ DATA_DIR: folder }, developmentSecrets);
  await migrate({ url: primary.url, folder: join(import.meta.dirname, '../db'), systemUserId });
  const standby = closing(await primary.startStandby(true));
  const address = closing(await startTcpProxy(primary.port));
  const pooler = closing(await startPgBouncer(address.port));
  const redis = closing(await startRedisCluster());
  const ports = [String(await freePort()), String(await freePort())];
  const balancer = closing(await startHaproxy(ports.map(Number)));
  const url = `http://127.0.0.1:${balancer.port}`;
  const env = {
    DATA_DIR: folder,
    DATABASE_URL: primary.url.replace(`:${primary.port}/`, `:${pooler.port}/`),
    DATABASE_PREPARED_STATEMENTS: 'false', // PgBouncer before 1.21 does not pass them on
    REDIS_URL: redis.url,
    PUBLIC_BASE_URL: url,
    SHUTDOWN_DRAIN_MS: '1000',
    RESEND_API_KEY: 're_drill',
    RESEND_BASE_URL: resend.url,
    EXPO_BASE_URL: expo.url,
    MAIL_MAX_PER_SEC: '1000',
  };
  const startApi = (port: string) => startProcess('api', { ...env, PORT: port });
  const apis = [await startApi(ports[0] as string), await startApi(ports[1] as string)];
  let worker = await startProcess('worker', env);
  closers.unshift(() => Promise.all([...apis, worker].map((server) => server.kill('SIGKILL'))));

  const sql = new pg.Client({ connectionString: primary.superuserUrl });
  await sql.connect();
  sql.on('error', () => undefined); // it ends with the primary
  const people = await makePhones(sql, 'drill', PEOPLE);
  const agent = new Agent();
  for (const phone of people) keepTokens(phone, await send(agent, url, prepareLogin(phone)));
  await sql.query(
    `with sleepers as (
       insert into users (username, push_token, is_verified)
       select 'sleeper_' || n, 'ExponentPushToken[sleeper_' || n || ']', true
       from generate_series(1, $1) n
       returning id, push_token
     )
     insert into outbox (kind, user_id, payload, dedupe_key, next_attempt_at, expires_at)
     select
       'push.daily',
       s.id,
       jsonb_build_object('tokenHash', encode(sha256(convert_to(s.push_token, 'UTF8')), 'hex')),
       'drill:' || s.id,
       now() + row_number() over () * interval '0.5 seconds',
       now() + interval '1 hour'
     from sleepers s`,
    [PUSHES],
  );
  const load = startLoad(url, people as [Phone, Phone, ...Phone[]]);

  const events: Record<Step, () => Promise<void>> = {
    rolling: async () => {
      for (const [n, port] of ports.entries()) {
        await apis[n]?.kill('SIGTERM');
        apis[n] = await startApi(port);
        await pause(1_000); // until the balancer has seen it
      }
    },
    kill: async () => {
      for (const [n, port] of ports.entries()) {
        await apis[n]?.kill('SIGKILL');
        apis[n] = await startApi(port);
        await pause(1_000);
      }
      await worker.kill('SIGKILL');
      worker = await startProcess('worker', env);
    },
    redis: async () => {
      for (const key of redis.keys) {
        await redis.killMasterOf(key);
        await redis.promoted(key);
        await pause(500);
      }
    },
    postgres: async () => {
      await primary.kill();
      address.cut();
      await standby.promote();
      address.pointTo(standby.port);
      address.restore();
      await pause(3_000);
    },
    provider: async () => {
      resend.failures.push(...Array<number>(20).fill(503), 429, 500);
      await pause(6_000);
    },
    disk: async () => {
      const filler = join(pictures, 'filler');
      await writeFile(filler, Buffer.alloc(2 ** 20)).catch(() => undefined); // as much as there is room for
      await pause(3_000);
      await rm(filler);
    },
  };

  report('idle', await during(load, () => pause(3_000)));
  for (const step of wanted) report(step, await during(load, events[step]));
  report('afterwards', await during(load, () => pause(3_000)));
  await load.stop();
  agent.destroy();
  await sql.end().catch(() => undefined);

  const { cardio, registrations } = load.acknowledged;
  const now = new pg.Client({ connectionString: (wanted.includes('postgres') ? standby : primary).superuserUrl });
  await now.connect();
  const { rows } = await now.query<{ key: string }>(
    `select u.username || ' ' || a.duration_mins || ' ' || a.duration_sec as key
     from aerobictracking a
     join users u on u.id = a.user_id`,
  );
  const inbox = await now.query<{ id: string }>(
    `select m.id
     from messages m
     join users u on u.id = m.receiver_id
     where u.username = $1
       and m.subject like '%Done%'`,
    [people[0]?.username],
  );
  await now.end();
  const stored = new Set(rows.map(({ key }) => key));
  const lost = cardio.filter((key) => !stored.has(key)).length;
  const mailsTo = (to: string) => [...resend.sent.values()].filter((mail) => mail.to === to).length;
  const end = Date.now() + SETTLE_MS;
  const pushesTo = () => Map.groupBy(expo.pushes, ({ to }) => to);
  const isComplete = () => registrations.every((to) => mailsTo(to) > 0) && pushesTo().size === PUSHES;
  while (!isComplete() && Date.now() < end) await pause(500);
  const counts = registrations.map(mailsTo);
  const [missing, twice] = [counts.filter((n) => n === 0).length, counts.filter((n) => n > 1).length];
  console.log(`\nacknowledged writes: ${cardio.length}, of which lost: ${lost}`);
  const unheard = inbox.rows.filter(({ id }) => !load.heard.has(id)).length;
  const notInInbox = Math.max(0, load.acknowledged.workouts - inbox.rows.length);
  console.log(
    `acknowledged workouts: ${load.acknowledged.workouts}; messages missing: ${notInInbox}, not heard live: ${unheard}`,
  );
  console.log(`acknowledged registrations: ${registrations.length}; mails missing: ${missing}, sent twice: ${twice}`);
  const notPushed = PUSHES - pushesTo().size;
  const pushedTwice = [...pushesTo().values()].filter((pushes) => pushes.length > 1).length;
  console.log(`pushes: ${PUSHES}; missing: ${notPushed}, sent twice (Expo has no idempotency key): ${pushedTwice}`);
  return lost + missing + twice + notInInbox + notPushed === 0;
}

async function during(load: ReturnType<typeof startLoad>, event: () => Promise<void>): Promise<Tally> {
  load.take();
  await event();
  return load.take();
}

function report(step: string, { requests, failures, longestGap }: Tally): void {
  const kinds = [...failures].map(([kind, count]) => `${kind}: ${count}`).join(', ');
  console.log(`| ${step} | ${requests} | ${kinds || 'none'} | ${Math.round(longestGap)} |`);
}

console.log('| step | requests | failures by kind | longest time without an acknowledged write, ms |');
console.log('|---|---:|---|---:|');
try {
  if (!(await drill())) process.exitCode = 1;
} finally {
  for (const close of closers) await close().catch(() => undefined);
}
