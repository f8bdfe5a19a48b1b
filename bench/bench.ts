// The requests of the main job against real PostgreSQL and Redis; see README.md in this folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey, type ProofKey, StrongTogetherClient } from '@strong-together/client';
import { freePort } from '#platform/postgres/embedded.ts';
import { startRedis } from '#tests/setup/redis.ts';
import {
  cpuSeconds,
  end,
  hoursAgo,
  PASSWORD,
  type Prepared,
  prepare,
  quantile,
  send,
  startServer,
  untilReady,
  workoutOf,
} from './helpers.ts';

const PEOPLE = Number(process.env.BENCH_PEOPLE ?? 8);
const WORKOUTS_EACH = Number(process.env.BENCH_WORKOUTS ?? 40);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 2000);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 8);

interface Person {
  client: StrongTogetherClient;
  key: ProofKey;
  exercises: number[];
}

interface Figures {
  name: string;
  perSecond: number;
  p50: number;
  p99: number;
  /** Processor time of the server's process, all threads, for each request; in milliseconds. */
  cpu: number;
}

async function main(): Promise<void> {
  const folder = process.env.BENCH_DATA ?? (await mkdtemp(join(tmpdir(), 'strong-together-bench-')));
  const redis = await startRedis();
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const uncachedUrl = `http://127.0.0.1:${await freePort()}`;
  // Without limits: no person may send so much.
  const settings = { DATA_DIR: folder, REDIS_URL: redis.url, RATE_LIMIT_ENABLED: 'false' };
  const servers = [startServer('all', baseUrl, settings)];
  try {
    await untilReady(baseUrl);
    servers.push(startServer('api', uncachedUrl, { ...settings, CACHE_ENABLED: 'false' }));
    await untilReady(uncachedUrl);
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => makePerson(baseUrl, n)));
    const [cached, uncached] = [baseUrl, uncachedUrl].map((url, n) => ({ url, pid: servers[n]?.pid ?? 0 }));
    const figures = await measureAll(cached as Target, uncached as Target, people);
    print(figures);
  } finally {
    for (const server of servers.reverse()) await end(server);
    await redis.stop();
    if (!process.env.BENCH_DATA) await rm(folder, { recursive: true, force: true });
  }
}

/** A verified person with a plan of six exercises and a history. */
async function makePerson(baseUrl: string, number: number): Promise<Person> {
  const key = await generateKey();
  const client = new StrongTogetherClient({ baseUrl, key, retries: 0 });
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

/** A server process. */
interface Target {
  url: string;
  pid: number;
}

type Scenario = [name: string, requests: number, make: (person: Person) => Promise<Prepared>, target?: Target];

async function measureAll(cached: Target, uncached: Target, people: Person[]): Promise<Figures[]> {
  const get = (path: string) => (person: Person) => signed(cached.url, person, 'GET', path);
  const getUncached = (path: string) => (person: Person) => signed(uncached.url, person, 'GET', path);
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
    ['GET gettracking, cache off', few, getUncached(tracking), uncached],
    ['GET bootstrap', REQUESTS, get(bootstrap)],
    ['GET bootstrap, cache off', few, getUncached(bootstrap), uncached],
    [
      'POST finishworkout',
      few,
      (person) => {
        // Older than the maps show: the answer has the same size for every request.
        const body = workoutOf(person.exercises, hoursAgo(24 * 60 + workouts++));
        return signed(cached.url, person, 'POST', '/api/workouts/finishworkout', body);
      },
    ],
  ];
  const figures: Figures[] = [];
  for (const [name, count, make, target = cached] of scenarios) {
    await measure(target, name, await prepareAll(people, Math.ceil(count / 10), make)); // warm up
    figures.push(await measure(target, name, await prepareAll(people, count, make)));
  }
  const busy: Array<[string, (person: Person) => Promise<Prepared>]> = [
    ['GET /health, 50 logins in flight', async () => ({ method: 'GET', path: '/health', headers: {} })],
    ['GET users/get, 50 logins in flight', get('/api/users/get')],
  ];
  for (const [name, make] of busy) {
    const requests = await prepareAll(people.slice(1).concat(PEOPLE > 1 ? [] : people), few, make);
    figures.push(await duringLogins(cached.url, people[0] as Person, () => measure(cached, name, requests)));
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
    while (working) await timeOf(agent, baseUrl, { method: 'POST', path: '/api/auth/login', headers, body });
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
async function prepareAll(people: Person[], count: number, make: (person: Person) => Promise<Prepared>) {
  const prepared: Prepared[] = [];
  for (let n = 0; n < count; n++) prepared.push(await make(people[n % people.length] as Person));
  return prepared;
}

const signed = (baseUrl: string, { key, client }: Person, method: string, path: string, body?: object) =>
  prepare(baseUrl, { key, accessToken: client.accessToken }, method, path, body, { 'accept-encoding': 'gzip' });

async function measure({ url, pid }: Target, name: string, requests: Prepared[]): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  let next = 0;
  const cpuBefore = await cpuSeconds(pid);
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let prepared = requests[next++]; prepared; prepared = requests[next++]) {
        times.push(await timeOf(agent, url, prepared));
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const cpu = (((await cpuSeconds(pid)) - cpuBefore) * 1000) / requests.length;
  agent.destroy();
  times.sort((a, b) => a - b);
  return { name, perSecond: requests.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99), cpu };
}

/** Milliseconds. @throws when the answer is no success */
async function timeOf(agent: Agent, baseUrl: string, prepared: Prepared): Promise<number> {
  const { status, milliseconds } = await send(agent, baseUrl, prepared, 60_000);
  if (status !== 200) throw new Error(`${prepared.method} ${prepared.path} answered ${status}`);
  return milliseconds;
}

function print(figures: Figures[]): void {
  const health = figures[0] as Figures;
  console.log(
    `${CONNECTIONS} connections, ${PEOPLE} people with ${WORKOUTS_EACH} workouts each, Node ${process.version}\n`,
  );
  console.log('| request | p50 × /health | p99 × /health | requests/s | p50 ms | p99 ms | server CPU ms |');
  console.log('|---|---:|---:|---:|---:|---:|---:|');
  for (const { name, perSecond, p50, p99, cpu } of figures) {
    const ratios = `${(p50 / health.p50).toFixed(1)} | ${(p99 / health.p99).toFixed(1)}`;
    console.log(
      `| ${name} | ${ratios} | ${perSecond.toFixed(0)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${cpu.toFixed(2)} |`,
    );
  }
}

await main();
