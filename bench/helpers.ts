// What the benchmarks share: a server in a process of its own, people, requests with their proofs, and figures.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { type Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hash } from '@node-rs/bcrypt';
import { generateKey, type ProofKey, signProof } from '@strong-together/client';
import pg from 'pg';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { startRedis } from '#tests/setup/redis.ts';

export const PASSWORD = 'a bench password';
export const ZONE = 'Asia/Jerusalem';

// ---------------------------------------------------------------------------
// The server
// ---------------------------------------------------------------------------

/** Starts a server process that answers at `baseUrl`; what it logs (from warnings up) goes to `logFile`, or nowhere. */
export function startServer(
  role: string,
  baseUrl: string,
  settings: Record<string, string>,
  logFile: number | 'ignore' = 'ignore',
): ChildProcess {
  const { BENCH_PROFILE } = process.env;
  const profiling = BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${BENCH_PROFILE}`] : [];
  // As `npm start` does.
  const flags = ['--max-semi-space-size=8', '--require', join(import.meta.dirname, '../src/checkInstallation.cjs')];
  return spawn(process.execPath, [...profiling, ...flags, join(import.meta.dirname, '../src/main.ts'), role], {
    env: {
      ...process.env,
      PORT: new URL(baseUrl).port,
      PUBLIC_BASE_URL: baseUrl,
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', logFile, 'inherit'],
  });
}

/** Returns when the server is ready for requests. @throws when it is not within half a minute */
export async function untilReady(baseUrl: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const response = await fetch(`${baseUrl}/health/ready`).catch(() => undefined);
    if (response?.ok) return;
    await pause(100);
  }
  throw new Error('the server did not start');
}

/** Stops a process that was started here, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended;
}

/** A server on an empty database and a Redis of its own. */
export interface Bench {
  url: string;
  redisUrl: string;
  /** Of the server process. */
  pid: number;
  /** Settings with which another server process shares database and Redis. */
  surroundings: Record<string, string>;
  /** Past row-level security. */
  sql: pg.Client;
  /** The server's own figures by name, summed over their labels. Asking starts a new event-loop maximum. */
  metrics(): Promise<Map<string, number>>;
  /** What the server logged at level error: text → how often. */
  errors(): Promise<Map<string, number>>;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL (durable settings), Redis and one server process with API and workers; daily pushes are off.
 * @param settings of the server
 * @param where `data`: a data folder that `bench:seed` filled; `postgres`: settings such as `work_mem=8MB`
 */
export async function startBench(
  settings: Record<string, string> = {},
  where: { data?: string; postgres?: string[] } = {},
): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-bench-'));
  const [postgres, redis] = await Promise.all([
    startEmbeddedPostgres(where.data ?? folder, where.postgres),
    startRedis(),
  ]);
  const url = `http://127.0.0.1:${await freePort()}`;
  // Below the ports of outgoing connections: with several processes the next ones are needed, too.
  const metricsPort = String(20_000 + Math.floor(Math.random() * 10_000));
  const logFile = join(folder, 'bench.log');
  const log = await open(logFile, 'a');
  const surroundings = { DATA_DIR: folder, DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  const server = startServer(
    'all',
    url,
    { ...surroundings, METRICS_PORT: metricsPort, DAILY_PUSH_HOUR: 'off', ...settings },
    log.fd,
  );
  const address = new URL(postgres.superuserUrl);
  address.pathname = '/strong_together';
  const sql = new pg.Client({ connectionString: address.href, application_name: 'bench' });
  const stop = async () => {
    await end(server);
    await sql.end().catch(() => undefined);
    await postgres.stop();
    await redis.stop();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(url);
    await sql.connect();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    redisUrl: redis.url,
    pid: server.pid ?? 0,
    surroundings,
    sql,
    metrics: async () => readMetrics(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()),
    errors: async () => readErrors(await readFile(logFile, 'utf8')),
    stop,
  };
}

function readMetrics(text: string): Map<string, number> {
  const figures = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^([a-z_]+)(?:\{.*\})? (\S+)$/gm)) {
    figures.set(name, (figures.get(name) ?? 0) + Number(value));
  }
  return figures;
}

function readErrors(log: string): Map<string, number> {
  const errors = new Map<string, number>();
  for (const line of log.split('\n').filter((text) => text.startsWith('{'))) {
    const { level, msg, err } = JSON.parse(line) as {
      level: number | string;
      msg?: string;
      err?: { message?: string };
    };
    if (level !== 'error' && !(Number(level) >= 50)) continue;
    const text = `${msg}: ${err?.message ?? ''}`;
    errors.set(text, (errors.get(text) ?? 0) + 1);
  }
  return errors;
}

/** A process and those that it started itself. */
export async function processesOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return [pid, ...children.split(' ').filter(Boolean).map(Number)];
}

/** Resident memory of a process in MiB; NaN where there is no /proc. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Files and sockets that a process holds open; NaN where there is no /proc. */
export const openFiles = (pid: number): Promise<number> =>
  readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => Number.NaN,
  );

/** Returns when a process has not used a third of a core for half a second; gives up after half a minute. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const before = await cpuSeconds(pid);
    await pause(500);
    if (!((await cpuSeconds(pid)) - before > 0.17)) return;
  }
}

/**
 * Begins to watch the machine.
 * @returns tells the share of all its processors that nobody, inside or outside the benchmark, used since the last call
 */
export function watchIdle(): () => number {
  const count = () => {
    const all = cpus().map(({ times }) => times);
    const idle = all.reduce((sum, times) => sum + times.idle, 0);
    return { idle, total: all.reduce((sum, times) => sum + Object.values(times).reduce((a, b) => a + b, 0), 0) };
  };
  let last = count();
  return () => {
    const [before, now] = [last, count()];
    last = now;
    return (now.idle - before.idle) / (now.total - before.total);
  };
}

/** Seconds of processor time that a process has used so far; NaN where there is no /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) / 100;
}

// ---------------------------------------------------------------------------
// People
// ---------------------------------------------------------------------------

/** Where the next request of a person seems to come from: the server believes one proxy. */
type Addresses = () => string;

/** Addresses of one person, in turn: enough of them that the general limit by address is never met. */
export function addressesOf(person: number, count = 16): Addresses {
  let next = 0;
  return () => `10.${person >> 8}.${person & 255}.${1 + (next++ % count)}`;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** A signed-in person's phone. */
export interface Phone extends Tokens {
  username: string;
  key: ProofKey;
  address: Addresses;
}

/** Verified people past registration, in the database only. @returns phones that are not signed in yet */
export async function makePhones(sql: pg.Client, prefix: string, count: number, first = 0): Promise<Phone[]> {
  const names = Array.from({ length: count }, (_, n) => `${prefix}_${n}`);
  await sql.query(
    `insert into users (username, email, name, password, is_verified)
     select n, n || '@example.com', 'Bench Person', $2, true from unnest($1::text[]) n`,
    [names, await hash(PASSWORD, 10)],
  );
  return Promise.all(
    names.map(async (username, n) => ({
      username,
      key: await generateKey(),
      accessToken: '',
      refreshToken: '',
      address: addressesOf(first + n),
    })),
  );
}

/** Keeps the tokens of an answer to login or refresh. */
export function keepTokens(phone: Phone, answer: Answer): void {
  if (answer.status !== 200) throw new Error(`${phone.username} was answered ${answer.status}: ${answer.body}`);
  const { accessToken, refreshToken } = JSON.parse(answer.body.toString()) as Phone;
  Object.assign(phone, { accessToken, refreshToken });
}

/** A body of a finished workout. */
export const workoutOf = (exercises: number[], start: string, end = start, weights = [60, 62.5, 65]) => ({
  workout: exercises.map((id) => ({
    exercisetosplit_id: id,
    weight: weights,
    reps: weights.map((_, n) => 10 - 2 * n),
  })),
  workout_start_utc: start,
  workout_end_utc: end,
  tz: ZONE,
});

export const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

export interface History {
  /** Ids of the plan's rows. */
  exercises: number[];
  /** When each workout began. */
  starts: string[];
}

/** Signs people in, one plan of six exercises each, and a workout a day; past the limits on what a person may send. */
export async function makeHistories(
  { sql, url }: Bench,
  agent: Agent,
  phones: Phone[],
  workouts: number,
): Promise<Map<Phone, History>> {
  const histories = new Map<Phone, History>();
  const workoutData = { A: [1, 2, 3, 4, 5, 6].map((id) => ({ id, sets: [10, 8, 6] })) };
  const left = [...phones];
  const some = async () => {
    for (let phone = left.pop(); phone; phone = left.pop()) {
      keepTokens(phone, await send(agent, url, prepareLogin(phone)));
      const saved = await send(agent, url, await prepare(url, phone, 'POST', '/api/workouts/add', { workoutData }));
      histories.set(phone, { exercises: exercisesIn(saved)[0] ?? [], starts: [] });
    }
  };
  await Promise.all([some(), some(), some(), some()]);
  const byName = new Map(phones.map((phone) => [phone.username, histories.get(phone)]));
  const names = [...byName.keys()];
  for (const statement of MAKE_WORKOUTS) await sql.query(statement, [names, workouts]);
  const { rows } = await sql.query<{ username: string; start: Date }>(LIST_STARTS, [names]);
  for (const { username, start } of rows) byName.get(username)?.starts.push(start.toISOString());
  return histories;
}

/** $1 names, $2 number of workouts; each statement has to mention both. */
const MAKE_WORKOUTS = [
  `insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
   select u.id, s.id, t.start, t.start + interval '1 hour'
   from users u
   join workoutplans p on p.user_id = u.id
   join workoutsplits s on s.workout_id = p.id
   cross join generate_series(1, $2::int) as n
   cross join lateral (select date_trunc('second', now()) - make_interval(days => n) as start) t
   where u.username = any($1::text[])`,
  `insert into exercisetracking (exercisetosplit_id, weight, reps, notes, workout_summary_id)
   select e.id, array[60, 62.5, 65], array[10, 8, 6], '', ws.id
   from users u
   join workout_summary ws on ws.user_id = u.id
   join exercisetoworkoutsplit e on e.workoutsplit_id = ws.workoutsplit_id
   where u.username = any($1::text[]) and $2::int > 0`,
  `select app.raise_exercise_records(array(
     select et.id
     from users u
     join workout_summary ws on ws.user_id = u.id
     join exercisetracking et on et.workout_summary_id = ws.id
     where u.username = any($1::text[]) and $2::int > 0
   ))`,
  `insert into messages (sender_id, receiver_id, subject, msg, sent_at)
   select app.system_user_id(), u.id, 'Workout Done!', 'Great work. See you tomorrow.', now() - make_interval(days => n)
   from users u
   cross join generate_series(1, $2::int) as n
   where u.username = any($1::text[])`,
];

const LIST_STARTS = `
  select u.username, ws.workout_start_utc as start
  from users u
  join workout_summary ws on ws.user_id = u.id
  where u.username = any($1::text[])`;

/** Exercise-to-split ids of each split, from the answer to a saved plan. */
export function exercisesIn(answer: Answer): number[][] {
  if (answer.status !== 200) throw new Error(`a plan was answered ${answer.status}: ${answer.body}`);
  const { workoutPlan } = JSON.parse(answer.body.toString()) as {
    workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
  };
  return workoutPlan.workoutsplits.map((split) => split.exercisetoworkoutsplit.map(({ id }) => id));
}

// ---------------------------------------------------------------------------
// Requests
// ---------------------------------------------------------------------------

/** One request, complete with its proof. */
export interface Prepared {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
}

/** Who sends: the parts of a phone that a request needs. */
interface Sender {
  key: ProofKey;
  accessToken?: string | undefined;
  address?: Addresses;
}

/** A request with its proof, good for a minute. A body of bytes needs its content type among the headers. */
export async function prepare(
  baseUrl: string,
  { key, accessToken, address }: Sender,
  method: string,
  path: string,
  body?: object | Buffer,
  headers: Record<string, string> = {},
): Promise<Prepared> {
  const isBytes = Buffer.isBuffer(body);
  return {
    method,
    path,
    headers: {
      'x-app-version': '4.5.0',
      ...(address ? { 'x-forwarded-for': address() } : {}),
      ...(accessToken ? { authorization: `DPoP ${accessToken}` } : {}),
      dpop: await signProof(key, { method, url: baseUrl + path, accessToken }),
      ...(body && !isBytes ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body ? { body: isBytes ? body : JSON.stringify(body) } : {}),
  };
}

/** A login; it names the key and needs no proof. */
export function prepareLogin(phone: Phone, password = PASSWORD, identifier = phone.username): Prepared {
  return {
    method: 'POST',
    path: '/api/auth/login',
    headers: {
      'x-app-version': '4.5.0',
      'x-forwarded-for': phone.address(),
      'dpop-key-binding': phone.key.thumbprint,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ identifier, password }),
  };
}

/** A refresh whose proof may be made ahead; the token joins it with `withToken`. */
export const prepareRefresh = (baseUrl: string, { key, address }: Phone): Promise<Prepared> =>
  prepare(baseUrl, { key, address }, 'POST', '/api/auth/refresh');

/** The refresh, with the newest token of the phone. */
export const withToken = (refresh: Prepared, phone: Phone): Prepared => ({
  ...refresh,
  headers: { ...refresh.headers, 'x-refresh-token': `DPoP ${phone.refreshToken}` },
});

export interface Answer {
  /** Of HTTP; else what happened to the connection. */
  status: number | 'timeout' | 'cut off';
  /** From the first byte sent to the last one received. */
  milliseconds: number;
  body: Buffer;
}

/** The app gives up after that long. */
const APP_TIMEOUT_MS = 12_000;

/** Sends a request and reads the whole answer. Never throws. */
export function send(
  agent: Agent,
  baseUrl: string,
  { method, path, headers, body }: Prepared,
  timeoutMs = APP_TIMEOUT_MS,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const started = performance.now();
  const chunks: Buffer[] = [];
  const finish = (status: Answer['status']) => {
    clearTimeout(timer);
    resolve({ status, milliseconds: performance.now() - started, body: Buffer.concat(chunks) });
  };
  const sent = request(baseUrl + path, { method, headers, agent }, (response) => {
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('end', () => finish(response.statusCode ?? 0));
    response.once('error', () => finish('cut off'));
  });
  const timer = setTimeout(() => {
    finish('timeout');
    sent.destroy();
  }, timeoutMs);
  sent.once('error', () => finish('cut off'));
  sent.end(body);
  return promise;
}

/** A multipart body with one picture, and its content type. */
export function pictureForm(picture: Buffer): { body: Buffer; headers: Record<string, string> } {
  const boundary = 'bench-picture-boundary';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="me.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}

// ---------------------------------------------------------------------------
// Figures
// ---------------------------------------------------------------------------

/** The value below which that share of the sorted values lies; NaN of none. */
export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How often each status occurred. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(status: string | number, times = 1): void {
    this.counts.set(String(status), (this.counts.get(String(status)) ?? 0) + times);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Such as `200 ×12, 503 ×3`; `–` for none. */
  toString(): string {
    const sorted = [...this.counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([status, count]) => `${status} ×${count}`).join(', ') || '–';
  }
}

/** Rounded, or `–` where nothing was measured. */
export const shown = (value: number, digits = 0): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
