// The requests of the phone against real PostgreSQL and Redis, one kind after the other; see README.md in this folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '#platform/postgres/embedded.ts';
import {
  type Bench,
  cpuSeconds,
  end,
  type History,
  hoursAgo,
  makeHistories,
  makePhones,
  type Phone,
  type Prepared,
  prepare,
  prepareLogin,
  prepareRefresh,
  processesOf,
  quantile,
  residentMiB,
  send,
  shown,
  startBench,
  startServer,
  untilQuiet,
  untilReady,
  workoutOf,
  ZONE,
} from './helpers.ts';
import { type Load, startLoad } from './load.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: 'string', default: '32' },
    processes: { type: 'string', default: '1' },
    people: { type: 'string', default: '20' },
    workouts: { type: 'string', default: '30' },
    requests: { type: 'string', default: '2000' },
    only: { type: 'string' },
    json: { type: 'string' },
    data: { type: 'string' },
    endurance: { type: 'string' },
    compare: { type: 'boolean', default: false },
  },
});
const PEOPLE = Number(options.people);
const REQUESTS = Number(options.requests);

/** A server, and where the processor time of its processes is read. */
interface Target {
  url: string;
  pid: number;
  metrics?: Bench['metrics'];
}

interface Person {
  phone: Phone;
  history: History;
}

interface Scenario {
  name: string;
  target: Target;
  /** Of the usual number of requests. */
  share: number;
  status: number;
  make: (person: Person) => Promise<Prepared>;
  kind?: 'refresh' | 'beside logins';
}

interface Figures {
  name: string;
  connections: number;
  processes: number;
  perSecond: number;
  p50: number;
  p95: number;
  p99: number;
  /** Processor time of all threads of the server, in milliseconds a request. */
  cpu: number;
  /** Statements and Redis commands a request. */
  statements: number;
  commands: number;
  /** Bytes on the wire a request, both ways. */
  bytes: number;
  resident: number;
  /** Longest pause of the event loop in milliseconds. */
  pause: number;
  errors: number;
}

async function main(): Promise<void> {
  if (options.compare) return compare(positionals);
  const figures: Figures[] = [];
  for (const processes of numbers(options.processes)) figures.push(...(await measureWith(processes)));
  if (options.json) await writeFile(options.json, JSON.stringify(figures, undefined, 2));
}

const numbers = (list: string) => list.split(',').map(Number);

async function measureWith(processes: number): Promise<Figures[]> {
  // Without limits: no person may send so much.
  const settings = { RATE_LIMIT_ENABLED: 'false', ACCESS_TOKEN_TTL_SEC: '3600', WEB_CONCURRENCY: String(processes) };
  const postgres = ['shared_preload_libraries=pg_stat_statements'];
  const bench = await startBench(settings, { postgres, ...(options.data ? { data: options.data } : {}) });
  const others: ChildProcess[] = [];
  const startOther = async (start: (url: string) => ChildProcess): Promise<Target> => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const child = start(url);
    others.push(child);
    await untilReady(url);
    return { url, pid: child.pid ?? 0 };
  };
  const redis = new Redis(bench.redisUrl);
  const load = startLoad();
  try {
    await bench.sql.query('create extension if not exists pg_stat_statements');
    const people = await makePeople(bench);
    const uncached = await startOther((url) =>
      startServer('api', url, { ...settings, ...bench.surroundings, WEB_CONCURRENCY: '1', CACHE_ENABLED: 'false' }),
    );
    const bare = await startOther((url) =>
      spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'bare.ts')], {
        env: { ...process.env, PORT: new URL(url).port },
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    const meter = buildMeter(bench, redis, load, people, processes);
    if (options.endurance) return await endure(Number(options.endurance), bench, meter);
    const wanted = options.only?.split(',');
    const figures: Figures[] = [];
    for (const connections of numbers(options.connections)) {
      console.log(
        `\n${connections} connections, ${processes} process(es), ${PEOPLE} people with ${options.workouts} workouts each, Node ${process.version}\n`,
      );
      printHeader();
      const scenarios = scenariosOf(bench, uncached, bare).filter(
        ({ name }) => !wanted || name === 'GET /health' || wanted.some((part) => name.includes(part)),
      );
      const health: Figures[] = [];
      for (const scenario of scenarios) {
        const measured = await meter(scenario, connections);
        if (scenario.name === 'GET /health') health.push(measured);
        figures.push(measured);
        printRow(measured, health[0]);
      }
    }
    return figures;
  } finally {
    load.stop();
    redis.disconnect();
    for (const child of others) await end(child);
    await bench.stop();
  }
}

async function makePeople(bench: Bench): Promise<Person[]> {
  const agent = new Agent({ keepAlive: true });
  const phones = await makePhones(bench.sql, `bench${process.pid % 10_000}`, PEOPLE);
  const histories = await makeHistories(bench, agent, phones, Number(options.workouts));
  for (const phone of phones) {
    for (let n = 0; n < 10; n++) {
      const body = { record: { type: 'Run', durationMins: 30, durationSec: n }, tz: ZONE };
      await send(agent, bench.url, await prepare(bench.url, phone, 'POST', '/api/aerobics/add', body));
    }
  }
  agent.destroy();
  return phones.map((phone) => ({ phone, history: histories.get(phone) as History }));
}

const IN_ZONE = `?tz=${encodeURIComponent(ZONE)}`;

function scenariosOf(bench: Bench, uncached: Target, bare: Target): Scenario[] {
  const cached: Target = { url: bench.url, pid: bench.pid, metrics: bench.metrics };
  const signed = (target: Target, { phone }: Person, method: string, path: string, body?: object, headers = {}) =>
    prepare(target.url, phone, method, path, body, { 'accept-encoding': 'gzip', ...headers });
  const get = (path: string, name = `GET ${path.replace(/^\/api\/|\?.*/g, '')}`, target = cached): Scenario => ({
    name,
    target,
    share: 1,
    status: 200,
    make: (person) => signed(target, person, 'GET', path),
  });
  const plain = (name: string, target: Target, path: string): Scenario => ({
    name,
    target,
    share: 1,
    status: 200,
    make: async () => ({ method: 'GET', path, headers: {} }),
  });
  const post = (path: string, share: number, body: (person: Person) => object): Scenario => ({
    name: `POST ${path.replace('/api/', '')}`,
    target: cached,
    share,
    status: path.endsWith('aerobics/add') ? 201 : 200,
    make: (person) => signed(cached, person, 'POST', path, body(person)),
  });
  let workouts = 0;
  let runs = 0;
  const [bootstrap, tracking] = [`/api/bootstrap/get${IN_ZONE}`, `/api/workouts/gettracking${IN_ZONE}`];
  const etags = new Map<Person, string>();
  const notModified: Scenario = {
    ...get(bootstrap, 'GET bootstrap/get (304)'),
    status: 304,
    make: async (person) => {
      const etag = etags.get(person) ?? (await etagOf(bench.url, person.phone, bootstrap));
      etags.set(person, etag);
      return signed(cached, person, 'GET', bootstrap, undefined, { 'if-none-match': etag });
    },
  };
  const reads = [
    get('/api/users/get'),
    get('/api/exercises/getall'),
    get('/api/messages/getmessages'),
    get(`/api/workouts/getworkout${IN_ZONE}`),
    get(tracking),
    get(`/api/aerobics/get${IN_ZONE}`),
    get('/api/analytics/get'),
    get(bootstrap),
    notModified,
  ];
  const finish = post('/api/workouts/finishworkout', 0.2, ({ history }) =>
    // Older than the maps show: the answer has the same size for every request.
    workoutOf(history.exercises, hoursAgo(24 * 60 + workouts++)),
  );
  const plans = [
    [10, 8, 6],
    [12, 10, 8],
  ];
  let saved = 0;
  const writes = [
    finish,
    post('/api/workouts/add', 0.2, () => ({
      workoutData: { A: [1, 2, 3, 4, 5, 6].map((id) => ({ id, sets: plans[saved++ % 2] })) },
      tz: ZONE,
    })),
    // Another one each time: the same record within a minute is one.
    post('/api/aerobics/add', 0.2, () => ({ record: { type: `Run ${runs++}`, durationMins: 20 }, tz: ZONE })),
  ];
  const mix = [...Array.from({ length: 6 }, () => reads).flat(), ...writes];
  let turn = 0;
  const refresh: Scenario = {
    name: 'POST auth/refresh',
    target: cached,
    share: 0.5,
    status: 200,
    make: ({ phone }) => prepareRefresh(cached.url, phone),
    kind: 'refresh',
  };
  const login: Scenario = {
    name: 'POST auth/login',
    target: cached,
    share: 0.05,
    status: 200,
    make: async ({ phone }) => prepareLogin(phone),
  };
  return [
    plain('GET /health', cached, '/health'),
    plain('bare Express handler', bare, '/bare'),
    { ...plain('bare handler with a proof', bare, '/proof'), make: (person) => signed(bare, person, 'GET', '/proof') },
    ...reads,
    { ...get(tracking, 'GET workouts/gettracking (computed)', uncached), share: 0.3 },
    { ...get(bootstrap, 'GET bootstrap/get (computed)', uncached), share: 0.3 },
    ...writes,
    refresh,
    { ...get('', "a day's mix"), status: 0, make: (person) => mixed(person) },
    { ...get('/api/users/get', 'GET users/get (50 logins in flight)'), share: 0.3, kind: 'beside logins' },
    login,
  ];

  function mixed(person: Person): Promise<Prepared> {
    const scenario = mix[(turn++ * 7) % mix.length] as Scenario;
    // What is asked for with an ETag changes under way; the answer is a 200 then.
    return scenario.make(person);
  }
}

async function etagOf(url: string, phone: Phone, path: string): Promise<string> {
  const { headers } = await prepare(url, phone, 'GET', path, undefined, { 'accept-encoding': 'gzip' });
  const response = await fetch(url + path, { headers });
  await response.arrayBuffer();
  return response.headers.get('etag') ?? '';
}

type Meter = (scenario: Scenario, connections: number) => Promise<Figures>;

function buildMeter(
  bench: Bench,
  redis: Redis,
  load: ReturnType<typeof startLoad>,
  people: Person[],
  processes: number,
): Meter {
  const statementsSoFar = async () => Number((await bench.sql.query(COUNT_STATEMENTS)).rows[0]?.calls);
  const commandsSoFar = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  const cpuOf = async ({ pid }: Target) => {
    const each = await Promise.all((await processesOf(pid)).map(cpuSeconds));
    return each.reduce((sum, seconds) => sum + seconds, 0);
  };

  /** Makes every proof before the clock starts. */
  async function prepareLoad({ target, kind, make }: Scenario, connections: number, count: number): Promise<Load> {
    const requests: Prepared[] = [];
    const senders = kind === 'beside logins' ? people.slice(0, people.length / 2) : people;
    for (let n = 0; n < count; n++) requests.push(await make(senders[n % senders.length] as Person));
    if (kind !== 'refresh') return { url: target.url, connections, requests };
    const refreshes = people.map(({ phone }, person) => ({
      token: phone.refreshToken,
      requests: requests.filter((_, n) => n % people.length === person),
    }));
    return { url: target.url, connections, requests: [], refreshes };
  }

  async function run(scenario: Scenario, connections: number, count: number) {
    const result = await load.run(await prepareLoad(scenario, connections, count));
    result.tokens.forEach((tokens, n) => void Object.assign(people[n]?.phone ?? {}, tokens));
    return result;
  }

  async function measure(scenario: Scenario, connections: number): Promise<Figures> {
    const { name, target, share, status } = scenario;
    const count = Math.ceil(REQUESTS * share);
    await run(scenario, connections, Math.ceil(count / 4)); // warm up
    const prepared = await prepareLoad(scenario, connections, count);
    await target.metrics?.();
    const before = [await cpuOf(target), await statementsSoFar(), await commandsSoFar()] as const;
    const { times, seconds, statuses, bytes, tokens } = await load.run(prepared);
    const after = [await cpuOf(target), await statementsSoFar(), await commandsSoFar()] as const;
    tokens.forEach((newest, n) => void Object.assign(people[n]?.phone ?? {}, newest));
    const each = (n: 0 | 1 | 2) => (after[n] - before[n]) / count;
    const good =
      status === 0 ? (statuses[200] ?? 0) + (statuses[201] ?? 0) + (statuses[304] ?? 0) : (statuses[status] ?? 0);
    return {
      name,
      connections,
      processes,
      perSecond: count / seconds,
      p50: quantile(times, 0.5),
      p95: quantile(times, 0.95),
      p99: quantile(times, 0.99),
      cpu: each(0) * 1000,
      statements: each(1),
      commands: each(2),
      bytes: bytes / count,
      resident: await residentMiB(target.pid),
      pause: ((await target.metrics?.())?.get('nodejs_eventloop_lag_max_seconds') ?? Number.NaN) * 1000,
      errors: count - good,
    };
  }

  return async (scenario, connections) => {
    await untilQuiet(bench.pid);
    if (scenario.kind !== 'beside logins') return measure(scenario, connections);
    const logins = startLoad();
    const requests = Array.from({ length: 5_000 }, (_, n) =>
      prepareLogin((people[people.length - 1 - (n % Math.floor(people.length / 2))] as Person).phone),
    );
    const over = logins.run({ url: bench.url, connections: 50, requests }).catch(() => undefined);
    try {
      return await measure(scenario, connections);
    } finally {
      logins.stop();
      await over;
    }
  };
}

/** What the server's login sent; the figures of this benchmark's own connection are not among them. */
const COUNT_STATEMENTS = `
  select coalesce(sum(s.calls), 0) as calls
  from pg_stat_statements s
  join pg_roles r on r.oid = s.userid
  where not r.rolsuper`;

/** A day's mix again and again, to see whether memory grows. */
async function endure(count: number, bench: Bench, meter: Meter): Promise<Figures[]> {
  const target = { url: bench.url, pid: bench.pid, metrics: bench.metrics };
  const mix = scenariosOf(bench, target, target).find(({ name }) => name === "a day's mix") as Scenario;
  console.log(`idle: ${shown(await residentMiB(bench.pid))} MiB`);
  const figures: Figures[] = [];
  for (let sent = 0; sent < count; sent += REQUESTS) {
    const measured = await meter(mix, Number(options.connections));
    figures.push(measured);
    const heap = ((await bench.metrics()).get('nodejs_heap_size_used_bytes') ?? Number.NaN) / 2 ** 20;
    console.log(
      `${sent + REQUESTS} requests: ${shown(measured.resident)} MiB, heap ${shown(heap)} MiB, longest pause ${shown(measured.pause)} ms, ${measured.errors} errors`,
    );
  }
  return figures;
}

const COLUMNS = [
  'request',
  'per s',
  '× /health',
  'p50 ms',
  'p95',
  'p99',
  'CPU ms',
  'SQL',
  'Redis',
  'kB',
  'MiB',
  'pause ms',
  'errors',
];

function printHeader(): void {
  console.log(`| ${COLUMNS.join(' | ')} |`);
  console.log(`|---|${'---:|'.repeat(COLUMNS.length - 1)}`);
}

function printRow(f: Figures, health: Figures | undefined): void {
  const cells = [
    shown(f.perSecond),
    shown(f.perSecond / (health?.perSecond ?? Number.NaN), 2),
    ...[f.p50, f.p95, f.p99].map((ms) => shown(ms, 1)),
    shown(f.cpu, 2),
    shown(f.statements, 1),
    shown(f.commands, 1),
    shown(f.bytes / 1000, 1),
    shown(f.resident),
    shown(f.pause),
    shown(f.errors),
  ];
  console.log(`| ${f.name} | ${cells.join(' | ')} |`);
}

/** Two files of `--json` side by side, as ratios of the second to the first. */
async function compare(files: string[]): Promise<void> {
  const [before, after] = (await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))))) as [
    Figures[],
    Figures[],
  ];
  console.log('| request | connections | per s | CPU ms | p99 |\n|---|---:|---:|---:|---:|');
  for (const f of after) {
    const same = before.find(
      (other) => other.name === f.name && other.connections === f.connections && other.processes === f.processes,
    );
    if (!same) continue;
    const change = (key: 'perSecond' | 'cpu' | 'p99', digits: number) =>
      `${shown(same[key], digits)} → ${shown(f[key], digits)} (× ${shown(f[key] / same[key], 2)})`;
    console.log(
      `| ${f.name} | ${f.connections} | ${change('perSecond', 0)} | ${change('cpu', 2)} | ${change('p99', 1)} |`,
    );
  }
}

await main();
