// The requests of the main job against real PostgreSQL and Redis; see README.md in this folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceKey, generateKey, StrongTogetherClient, signProof } from '@strong-together/client';
import { freePort } from '#platform/postgres/embedded.ts';
import { startRedis } from '#tests/setup/redis.ts';

const PEOPLE = Number(process.env.BENCH_PEOPLE ?? 8);
const WORKOUTS_EACH = Number(process.env.BENCH_WORKOUTS ?? 40);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 2000);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 8);

const PASSWORD = 'a bench password';

interface Person {
  client: StrongTogetherClient;
  key: DeviceKey;
  exercises: number[];
}

/** One request, complete with its proof. */
interface Prepared {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

interface Figures {
  name: string;
  perSecond: number;
  p50: number;
  p99: number;
}

async function main(): Promise<void> {
  const folder = process.env.BENCH_DATA ?? (await mkdtemp(join(tmpdir(), 'strong-together-bench-')));
  const redis = await startRedis();
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const uncachedUrl = `http://127.0.0.1:${await freePort()}`;
  const servers = [startServer('all', baseUrl, folder, redis.url)];
  try {
    await untilReady(baseUrl);
    servers.push(startServer('api', uncachedUrl, folder, redis.url, { CACHE_ENABLED: 'false' }));
    await untilReady(uncachedUrl);
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => makePerson(baseUrl, n)));
    const figures = await measureAll(baseUrl, uncachedUrl, people);
    print(figures);
  } finally {
    for (const server of servers.reverse()) await end(server);
    await redis.stop();
    if (!process.env.BENCH_DATA) await rm(folder, { recursive: true, force: true });
  }
}

async function end(server: ChildProcess): Promise<void> {
  const ended = new Promise((done) => server.once('exit', done));
  if (server.exitCode === null && server.kill('SIGTERM')) await ended;
}

function startServer(
  role: string,
  baseUrl: string,
  folder: string,
  redisUrl: string,
  settings: Record<string, string> = {},
): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts'), role], {
    env: {
      ...process.env,
      PORT: new URL(baseUrl).port,
      PUBLIC_BASE_URL: baseUrl,
      DATA_DIR: folder,
      REDIS_URL: redisUrl,
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_GENERAL_PER_MIN: '1000000',
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function untilReady(baseUrl: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const response = await fetch(`${baseUrl}/health/ready`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the server did not start');
}

/** A verified person with a plan of six exercises and a history. */
async function makePerson(baseUrl: string, number: number): Promise<Person> {
  const key = await generateKey();
  const client = new StrongTogetherClient({ baseUrl, key });
  const [username, email, password] = [nameOf(number), `${nameOf(number)}@example.com`, PASSWORD];
  await client.call('POST', '/api/users/create', { body: { username, email, password } });
  for (let verified = false; !verified; ) {
    const mails = (await (await fetch(`${baseUrl}/dev/mailbox/json?to=${email}`)).json()) as Array<{ text: string }>;
    const link = /https?:\/\/\S+/.exec(mails[0]?.text ?? '')?.[0];
    verified = link !== undefined && (await fetch(link)).ok;
  }
  await client.login(username, password);
  const workoutData = { A: [1, 2, 3, 4, 5, 6].map((id) => ({ id, sets: [10, 8, 6] })) };
  const { workoutPlan } = await client.call('POST', '/api/workouts/add', { body: { workoutData } });
  const exercises = workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit.map(({ id }) => id) ?? [];
  for (let n = 0; n < WORKOUTS_EACH; n++) {
    await client.call('POST', '/api/workouts/finishworkout', { body: workoutOf(exercises, hoursAgo(24 * (n + 1))) });
  }
  return { client, key, exercises };
}

/** Not used before in this data folder. */
const nameOf = (number: number) => `bench_${process.pid % 10_000}_${number}`;

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const workoutOf = (exercises: number[], start: string) => ({
  workout: exercises.map((id) => ({ exercisetosplit_id: id, weight: [60, 62.5, 65], reps: [10, 8, 6] })),
  workout_start_utc: start,
  workout_end_utc: start,
  tz: 'Asia/Jerusalem',
});

type Scenario = [name: string, requests: number, make: (person: Person) => Promise<Prepared>, url?: string];

async function measureAll(baseUrl: string, uncachedUrl: string, people: Person[]): Promise<Figures[]> {
  const get = (path: string) => (person: Person) => prepare(baseUrl, person, 'GET', path);
  const getUncached = (path: string) => (person: Person) => prepare(uncachedUrl, person, 'GET', path);
  const [tracking, bootstrap] = ['/api/workouts/gettracking', '/api/bootstrap/get'].map(
    (p) => `${p}?tz=Asia%2FJerusalem`,
  ) as [string, string];
  let workouts = 0;
  const few = Math.ceil(REQUESTS / 5);
  const scenarios: Scenario[] = [
    ['GET /health', REQUESTS, async () => ({ method: 'GET', path: '/health', headers: {} })],
    ['GET users/get', REQUESTS, get('/api/users/get')],
    ['GET exercises/getall', REQUESTS, get('/api/exercises/getall')],
    ['GET getworkout', REQUESTS, get('/api/workouts/getworkout?tz=Asia%2FJerusalem')],
    ['GET gettracking', REQUESTS, get(tracking)],
    ['GET gettracking, cache off', few, getUncached(tracking), uncachedUrl],
    ['GET bootstrap', REQUESTS, get(bootstrap)],
    ['GET bootstrap, cache off', few, getUncached(bootstrap), uncachedUrl],
    [
      'POST finishworkout',
      few,
      (person) => {
        // Older than the maps show: the answer has the same size for every request.
        const body = workoutOf(person.exercises, hoursAgo(24 * 60 + workouts++));
        return prepare(baseUrl, person, 'POST', '/api/workouts/finishworkout', body);
      },
    ],
  ];
  const figures: Figures[] = [];
  for (const [name, count, make, url = baseUrl] of scenarios) {
    await measure(url, name, await signed(people, Math.ceil(count / 10), make)); // warm up
    figures.push(await measure(url, name, await signed(people, count, make)));
  }
  const busy: Array<[string, (person: Person) => Promise<Prepared>]> = [
    ['GET /health, 50 logins in flight', async () => ({ method: 'GET', path: '/health', headers: {} })],
    ['GET users/get, 50 logins in flight', get('/api/users/get')],
  ];
  for (const [name, make] of busy) {
    const requests = await signed(people.slice(1), few, make);
    figures.push(await duringLogins(baseUrl, people[0] as Person, () => measure(baseUrl, name, requests)));
  }
  return figures;
}

/** Keeps fifty logins of one person under way until the work is done. */
async function duringLogins<T>(baseUrl: string, { key }: Person, work: () => Promise<T>): Promise<T> {
  const agent = new Agent({ keepAlive: true });
  const headers = { 'x-app-version': '4.5.0', 'content-type': 'application/json', 'dpop-key-binding': key.thumbprint };
  const body = JSON.stringify({ identifier: nameOf(0), password: PASSWORD });
  let working = true;
  const logins = Array.from({ length: 50 }, async () => {
    while (working) await send(baseUrl, agent, { method: 'POST', path: '/api/auth/login', headers, body });
  });
  await new Promise((done) => setTimeout(done, 500));
  try {
    return await work();
  } finally {
    working = false;
    await Promise.all(logins);
    agent.destroy();
  }
}

/** Makes every proof before the clock starts. */
async function signed(people: Person[], count: number, make: (person: Person) => Promise<Prepared>) {
  const prepared: Prepared[] = [];
  for (let n = 0; n < count; n++) prepared.push(await make(people[n % people.length] as Person));
  return prepared;
}

async function prepare(
  baseUrl: string,
  person: Person,
  method: string,
  path: string,
  body?: object,
): Promise<Prepared> {
  const accessToken = person.client.accessToken;
  const proof = await signProof(person.key, { method, url: baseUrl + path, accessToken });
  const headers: Record<string, string> = {
    'x-app-version': '4.5.0',
    'accept-encoding': 'gzip',
    authorization: `DPoP ${accessToken}`,
    dpop: proof,
  };
  if (!body) return { method, path, headers };
  return { method, path, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function measure(baseUrl: string, name: string, requests: Prepared[]): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let prepared = requests[next++]; prepared; prepared = requests[next++]) {
        const sent = performance.now();
        await send(baseUrl, agent, prepared);
        times.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { name, perSecond: requests.length / seconds, p50: at(0.5), p99: at(0.99) };
}

async function send(baseUrl: string, agent: Agent, { method, path, headers, body }: Prepared): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sent = request(baseUrl + path, { method, headers, agent }, (response) => {
    response.resume();
    response.once('error', reject);
    response.once('end', () => {
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${method} ${path} answered ${response.statusCode}`));
    });
  });
  sent.once('error', reject);
  sent.end(body);
  await promise;
}

function print(figures: Figures[]): void {
  const health = figures[0] as Figures;
  console.log(
    `${CONNECTIONS} connections, ${PEOPLE} people with ${WORKOUTS_EACH} workouts each, Node ${process.version}\n`,
  );
  console.log('| request | p50 × /health | p99 × /health | requests/s | p50 ms | p99 ms |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const { name, perSecond, p50, p99 } of figures) {
    const ratios = `${(p50 / health.p50).toFixed(1)} | ${(p99 / health.p99).toFixed(1)}`;
    console.log(`| ${name} | ${ratios} | ${perSecond.toFixed(0)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} |`);
  }
}

await main();
