// A day's mix of requests for a long time: what grows, slows down or fails?
//   npm run bench:soak -- --minutes 60; see README.md in this folder. Ctrl-C ends it early, with its verdicts.
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { io, type Socket } from 'socket.io-client';
import { startExpo } from '#tests/fakes/expo.ts';
import {
  type Answer,
  type Bench,
  cpuSeconds,
  hoursAgo,
  keepTokens,
  makeHistories,
  makePhones,
  openFiles,
  type Phone,
  type Prepared,
  pictureForm,
  prepare,
  prepareLogin,
  prepareRefresh,
  quantile,
  residentMiB,
  send,
  shown,
  startBench,
  Tally,
  watchIdle,
  withToken,
  workoutOf,
  ZONE,
} from './helpers.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    people: { type: 'string', default: '200' },
    rate: { type: 'string' },
  },
});
const MINUTES = Math.min(24 * 60, Math.max(1, Number(values.minutes)));
const PEOPLE = Math.min(1_000, Math.max(10, Number(values.people)));
/** Share of what the machine carries. */
const LOAD = 0.7;
const CALIBRATION_LANES = 16;
const CALIBRATION_SECONDS = 15;
const WORKOUTS_EACH = 20;
const EXERCISES_A_WORKOUT = 6;
/** New ones of a person; then only those that are there are sent again, with other weights. */
const MOST_NEW_WORKOUTS = 20;
const MOST_UNDER_WAY = 1_000;
const SAMPLE_SECONDS = 10;
const SCHEDULER_SECONDS = 600;
/** An access token is good for five minutes. */
const REFRESH_AFTER_MS = 200_000;
const MIB = 2 ** 20;

// ---------------------------------------------------------------------------
// People and what they do
// ---------------------------------------------------------------------------

interface Person {
  phone: Phone;
  exercises: number[];
  /** Starts of the workouts that are there and shown in the maps. */
  starts: string[];
  newWorkouts: number;
  /** Ids from the last look at the inbox. */
  messages: string[];
  socket?: Socket | undefined;
  underWay: number;
  /** Refreshing or signing in, which ends the tokens of everything else. */
  alone: boolean;
  refreshedAt: number;
}

interface Made {
  prepared: Prepared;
  /** Sees the answer of a success. */
  noted?: (answer: Answer) => void;
}

interface Kind {
  /** Of a thousand requests. */
  share: number;
  alone?: true;
  make(person: Person): Promise<Made>;
}

/** Everything counted since the last sample. */
class Counts {
  requests = 0;
  readonly failures = new Tally();
  /** Milliseconds by kind of request. */
  readonly times = new Map<string, number[]>();
  socketMessages = 0;

  addTime(kind: string, milliseconds: number): void {
    const times = this.times.get(kind) ?? [];
    times.push(milliseconds);
    this.times.set(kind, times);
  }
}

/** The people, and everything that they do in a day. */
class Day {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #people: Person[];
  readonly #kinds: Record<string, Kind>;
  readonly #wheel: string[];
  counts = new Counts();
  storedWorkouts = 0;
  underWay = 0;

  constructor(url: string, people: Person[], picture: Buffer) {
    this.#url = url;
    this.#people = people;
    this.#kinds = this.#allKinds(picture);
    this.#wheel = Object.entries(this.#kinds).flatMap(([name, { share }]) => Array<string>(share).fill(name));
  }

  get openSockets(): number {
    return this.#people.filter(({ socket }) => socket?.connected).length;
  }

  /** Gives back the counts and begins new ones. */
  takeCounts(): Counts {
    const { counts } = this;
    this.counts = new Counts();
    return counts;
  }

  /** One request of somebody who is free for it. Never throws. */
  async someRequest(): Promise<void> {
    this.counts.requests++;
    const waiting = this.#people.find((one) => isFree(one, true) && Date.now() - one.refreshedAt > REFRESH_AFTER_MS);
    let name = waiting ? 'refresh' : (oneOf(this.#wheel) as string);
    const alone = this.#kinds[name]?.alone === true;
    let person = waiting ?? this.#somebody(alone);
    if (!person && alone) {
      name = 'users/get';
      person = this.#somebody(false);
    }
    const kind = this.#kinds[name] as Kind;
    if (!person || this.underWay >= MOST_UNDER_WAY) {
      this.counts.failures.add('not sent: too many under way');
      return;
    }
    this.underWay++;
    person.underWay++;
    person.alone = kind.alone ?? false;
    try {
      const { prepared, noted } = await kind.make(person);
      const answer = await send(this.#agent, this.#url, prepared);
      this.counts.addTime(name, answer.milliseconds);
      if (typeof answer.status === 'number' && answer.status >= 200 && answer.status < 300) noted?.(answer);
      else this.counts.failures.add(`${name} ${answer.status}`);
    } finally {
      this.underWay--;
      person.underWay--;
      if (kind.alone) person.alone = false;
    }
  }

  /** What an outside scheduler does. */
  async callScheduler(): Promise<void> {
    for (const path of ['/api/push/daily', '/api/push/hourlyreminder']) {
      const { status } = await send(this.#agent, this.#url, { method: 'GET', path, headers: {} });
      if (status !== 200) this.counts.failures.add(`${path} ${status}`);
    }
  }

  close(): void {
    for (const { socket } of this.#people) socket?.disconnect();
    this.#agent.destroy();
  }

  #somebody(alone: boolean): Person | undefined {
    const first = Math.floor(Math.random() * this.#people.length);
    return [...this.#people.slice(first), ...this.#people.slice(0, first)].find((person) => isFree(person, alone));
  }

  #allKinds(picture: Buffer): Record<string, Kind> {
    const signed = (person: Person, method: string, path: string, body?: object | Buffer, headers = {}) =>
      prepare(this.#url, person.phone, method, path, body, headers);
    const reading = (share: number, path: string): Kind => ({
      share,
      make: async (person) => ({
        prepared: await signed(person, 'GET', path, undefined, { 'accept-encoding': 'gzip' }),
      }),
    });
    const saving = (share: number, method: string, path: string, bodyOf: (person: Person) => object): Kind => ({
      share,
      make: async (person) => ({ prepared: await signed(person, method, path, bodyOf(person), sometimesKeyed()) }),
    });
    const session = (person: Person) => (answer: Answer) => {
      keepTokens(person.phone, answer);
      person.refreshedAt = Date.now();
    };
    const tz = encodeURIComponent(ZONE);
    const inbox = async (person: Person): Promise<Made> => ({
      prepared: await signed(person, 'GET', `/api/messages/getmessages?tz=${tz}`),
      noted: ({ body }) => {
        const { messages } = JSON.parse(body.toString()) as { messages: Array<{ id: string }> };
        person.messages = messages.slice(0, 20).map(({ id }) => id);
      },
    });
    const form = pictureForm(picture);
    return {
      bootstrap: reading(90, `/api/bootstrap/get?tz=${ZONE}`),
      getworkout: reading(110, `/api/workouts/getworkout?tz=${tz}`),
      gettracking: reading(110, `/api/workouts/gettracking?tz=${tz}`),
      'users/get': reading(110, '/api/users/get'),
      exercises: reading(60, '/api/exercises/getall'),
      'aerobics/get': reading(60, `/api/aerobics/get?tz=${tz}`),
      analytics: reading(40, '/api/analytics/get'),
      messages: { share: 100, make: inbox },
      markasread: {
        share: 20,
        make: async (person) => {
          const id = oneOf(person.messages);
          return id ? { prepared: await signed(person, 'PUT', `/api/messages/markasread/${id}`) } : inbox(person);
        },
      },
      refresh: {
        share: 90,
        alone: true,
        make: async (person) => ({
          prepared: withToken(await prepareRefresh(this.#url, person.phone), person.phone),
          noted: session(person),
        }),
      },
      login: {
        share: 2,
        alone: true,
        make: async (person) => {
          person.socket?.disconnect(); // a sign-in ends it anyway
          return { prepared: prepareLogin(person.phone), noted: session(person) };
        },
      },
      ticket: {
        share: 90,
        make: async (person) => ({
          prepared: await signed(person, 'POST', '/api/ws/generateticket', { username: person.phone.username }),
          noted: ({ body }) => this.#openSocket(person, (JSON.parse(body.toString()) as { ticket: string }).ticket),
        }),
      },
      pushtoken: {
        share: 90,
        make: async (person) => ({
          prepared: await signed(person, 'PUT', '/api/users/pushtoken', {
            token: `ExponentPushToken[${person.phone.username}]`,
          }),
        }),
      },
      finish: {
        share: 18,
        make: async (person) => {
          const isNew = person.newWorkouts < MOST_NEW_WORKOUTS && Math.random() < 0.3;
          if (isNew) person.newWorkouts++;
          // Older than the maps show: answers keep their size.
          const start = isNew ? hoursAgo(24 * (60 + person.newWorkouts)) : (oneOf(person.starts) ?? hoursAgo(24));
          const end = new Date(new Date(start).getTime() + 3_600_000 + (Date.now() % 3_600_000)).toISOString();
          const weights = [60, 62.5, 65].map((kilograms) => kilograms + Math.floor(Math.random() * 40));
          const body = workoutOf(person.exercises, start, end, weights);
          return {
            prepared: await signed(person, 'POST', '/api/workouts/finishworkout', body, sometimesKeyed()),
            noted: () => {
              if (isNew) this.storedWorkouts++;
            },
          };
        },
      },
      'aerobics/add': saving(4, 'POST', '/api/aerobics/add', () => ({
        record: { type: `Run ${Math.random()}`, durationMins: 30 }, // another one each time, so that it is stored
        tz: ZONE,
      })),
      plan: saving(4, 'POST', '/api/workouts/add', () => {
        const sets = [1, 2, 3].map(() => 5 + Math.floor(Math.random() * 8));
        const split = (first: number) =>
          Array.from({ length: EXERCISES_A_WORKOUT }, (_, n) => ({ id: first + n, sets }));
        return { workoutData: { A: split(1), B: split(1 + EXERCISES_A_WORKOUT) } };
      }),
      picture: {
        share: 2,
        make: async (person) => ({
          prepared: await signed(person, 'PUT', '/api/users/setprofilepic', form.body, form.headers),
        }),
      },
    };
  }

  /** Half of the people come with a socket, for half a minute to a minute and a half. */
  #openSocket(person: Person, ticket: string): void {
    if (person.socket || Math.random() < 0.5) return;
    const socket = io(this.#url, {
      transports: ['websocket'],
      upgrade: false,
      forceNew: true,
      reconnection: false,
      auth: { ticket },
      extraHeaders: { 'x-forwarded-for': person.phone.address() },
    });
    person.socket = socket;
    const leave = setTimeout(() => socket.disconnect(), 30_000 + Math.random() * 60_000);
    const gone = (failure?: string) => {
      clearTimeout(leave);
      if (person.socket === socket) person.socket = undefined;
      if (failure) this.counts.failures.add(`socket ${failure}`);
    };
    socket.once('connect', () => socket.emit('user_loggedin'));
    socket.once('connect_error', (error) => gone(error.message));
    socket.once('disconnect', (reason) => gone(reason === 'io client disconnect' ? undefined : reason));
    socket.on('new_message', () => void this.counts.socketMessages++);
  }
}

const isFree = (person: Person, alone: boolean): boolean => !person.alone && !(alone && person.underWay > 0);

const oneOf = <T>(list: T[]): T | undefined => list[Math.floor(Math.random() * list.length)];

/** The app never sends the header; other clients may. */
const sometimesKeyed = (): Record<string, string> => (Math.random() < 0.1 ? { 'idempotency-key': randomUUID() } : {});

async function makePeople(bench: Bench): Promise<Person[]> {
  const agent = new Agent({ keepAlive: true });
  const phones = await makePhones(bench.sql, 'soak', PEOPLE);
  const histories = await makeHistories(bench, agent, phones, WORKOUTS_EACH);
  agent.destroy();
  return [...histories].map(([phone, history]) => ({
    phone,
    ...history,
    newWorkouts: 0,
    messages: [],
    underWay: 0,
    alone: false,
    refreshedAt: Date.now(),
  }));
}

/** Neither plain nor noise, of about 100 kB: what a phone sends. */
function makePhoto(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 12 } as const;
  return sharp({ create: { width: 800, height: 800, channels: 3, background: 'grey', noise } })
    .jpeg({ quality: 50 })
    .toBuffer();
}

// ---------------------------------------------------------------------------
// The load
// ---------------------------------------------------------------------------

let stopping = false;

/** Requests as fast as the machine answers them. @returns how many a second, after a third of the time */
async function calibrate(day: Day): Promise<number> {
  const started = performance.now();
  const secondsSince = () => (performance.now() - started) / 1000;
  let answered = 0;
  await Promise.all(
    Array.from({ length: CALIBRATION_LANES }, async () => {
      while (secondsSince() < CALIBRATION_SECONDS && !stopping) {
        await day.someRequest();
        if (secondsSince() > CALIBRATION_SECONDS / 3) answered++;
      }
    }),
  );
  const { failures } = day.takeCounts();
  const capacity = answered / ((CALIBRATION_SECONDS * 2) / 3);
  console.log(`The machine carries ${capacity.toFixed(0)} requests a second (failures: ${failures}).`);
  return capacity;
}

/** So many requests a second for that long, answered or not, then waits for the last answers. */
async function keepBusy(day: Day, rate: number, seconds: number): Promise<void> {
  const started = performance.now();
  const secondsSince = () => (performance.now() - started) / 1000;
  for (let sent = 0; secondsSince() < seconds && !stopping; ) {
    for (const due = Math.floor(secondsSince() * rate); sent < due; sent++) void day.someRequest();
    await pause(2);
  }
  while (day.underWay > 0) await pause(50);
}

// ---------------------------------------------------------------------------
// Samples
// ---------------------------------------------------------------------------

const TABLES = ['outbox', 'idempotency_keys', 'seen_proofs', 'security_events', 'exercisetracking'];

const COUNT_EVERYTHING = `
  select
    (select count(*)::int from pg_stat_activity
     where backend_type = 'client backend' and application_name <> 'bench') as connections,
    (select count(*)::int from outbox where status = 'pending' and next_attempt_at < now() - interval '1 minute') as late,
    ${TABLES.map(
      (table) => `(select count(*)::int from ${table}) as ${table},
        pg_total_relation_size('${table}')::float8 / ${MIB} as ${table}_mib`,
    ).join(',')}`;

/** One moment, and the counts since the moment before. */
interface Sample {
  counts: Counts;
  figures: Record<string, number>;
}

/** @returns takes a sample; what it measures over time counts from the sample before */
async function startSampling(bench: Bench, redis: Redis, day: Day): Promise<() => Promise<Sample>> {
  const idleShare = watchIdle();
  let last = { at: performance.now(), cpu: await cpuSeconds(bench.pid) };
  await bench.metrics();
  day.takeCounts();
  return async () => {
    const counts = day.takeCounts();
    const [metrics, { rows }, memory, keys, resident, files, cpu] = await Promise.all([
      bench.metrics(),
      bench.sql.query(COUNT_EVERYTHING),
      redis.info('memory'),
      redis.dbsize(),
      residentMiB(bench.pid),
      openFiles(bench.pid),
      cpuSeconds(bench.pid),
    ]);
    const now = { at: performance.now(), cpu };
    const cores = ((now.cpu - last.cpu) * 1000) / (now.at - last.at);
    last = now;
    const metric = (name: string) => metrics.get(name) ?? Number.NaN;
    const times = [...counts.times.values()].flat().toSorted((a, b) => a - b);
    const figures = {
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      cores,
      idle: idleShare() * 100,
      resident,
      heap: metric('nodejs_heap_size_used_bytes') / MIB,
      external: metric('nodejs_external_memory_bytes') / MIB,
      handles: metric('nodejs_active_handles_total'),
      files,
      pause: metric('nodejs_eventloop_lag_max_seconds') * 1000,
      redis: Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? Number.NaN) / MIB,
      keys,
      sockets: day.openSockets,
      ...(rows[0] as Record<string, number>),
    };
    return { counts, figures };
  };
}

/** Samples all the time and prints a line a minute. @returns every sample, once the load is over */
async function watch(bench: Bench, redis: Redis, day: Day, load: Promise<void>): Promise<Sample[]> {
  const samples: Sample[] = [];
  const takeSample = await startSampling(bench, redis, day);
  let over = false;
  const end = () => {
    over = true;
  };
  // Whoever started the load waits for it, and hears of its failure.
  void load.then(end, end);
  const columns =
    'p50 | p99 | cores | machine idle | RSS | heap | handles | fds | pause | PG | Redis MiB | keys | sockets, messages';
  console.log(
    `\n| min | requests | failed | ${columns} | ${TABLES.map((table) => `${table} rows, MiB`).join(' | ')} |`,
  );
  console.log(`|---:|---:|---|${'---:|'.repeat(13 + TABLES.length)}`);
  const perMinute = 60 / SAMPLE_SECONDS;
  for (const started = performance.now(); !over; ) {
    const due = started + (samples.length + 1) * SAMPLE_SECONDS * 1000;
    while (performance.now() < due && !over) await pause(100);
    samples.push(await takeSample());
    if ((samples.length * SAMPLE_SECONDS) % SCHEDULER_SECONDS === SAMPLE_SECONDS) await day.callScheduler();
    if (samples.length % perMinute === 0) printMinute(samples.length / perMinute, samples.slice(-perMinute));
  }
  return samples;
}

function printMinute(minute: number, samples: Sample[]): void {
  const figures = samples.at(-1)?.figures ?? {};
  const times = allTimes(samples);
  const figure = (name: string, digits = 0) => shown(figures[name] ?? Number.NaN, digits);
  const cells = [
    minute,
    sum(samples, ({ counts }) => counts.requests),
    allFailures(samples),
    ...[quantile(times, 0.5), quantile(times, 0.99)].map((ms) => shown(ms, 1)),
    shown(mean(samples, 'cores'), 2),
    `${shown(mean(samples, 'idle'))} %`,
    ...['resident', 'heap', 'handles', 'files'].map((name) => figure(name)),
    shown(Math.max(...samples.map((sample) => sample.figures.pause ?? 0))),
    figure('connections'),
    figure('redis', 1),
    figure('keys'),
    `${figure('sockets')}, ${sum(samples, ({ counts }) => counts.socketMessages)}`,
    ...TABLES.map((table) => `${figure(table)}, ${figure(`${table}_mib`, 1)}`),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

const sum = <T>(list: T[], of: (one: T) => number): number => list.reduce((total, one) => total + of(one), 0);

const mean = (samples: Sample[], name: string): number =>
  sum(samples, ({ figures }) => figures[name] ?? Number.NaN) / samples.length;

/** Sorted. */
const allTimes = (samples: Sample[], kind?: string): number[] =>
  samples
    .flatMap(({ counts }) => (kind === undefined ? [...counts.times.values()].flat() : (counts.times.get(kind) ?? [])))
    .toSorted((a, b) => a - b);

function allFailures(samples: Sample[]): Tally {
  const all = new Tally();
  for (const { counts } of samples) {
    for (const [what, times] of counts.failures.counts) all.add(what, times);
  }
  return all;
}

// ---------------------------------------------------------------------------
// Verdicts
// ---------------------------------------------------------------------------

/** What must level off: figure → how many times as much, and how much more, it may be in the last third. */
const LEVEL: Array<[name: string, title: string, times: number, more: number]> = [
  ['p50', 'p50, ms', 1.3, 2],
  ['p99', 'p99, ms', 1.5, 20],
  ['cores', "the server's processor time, cores", 1.2, 0.1],
  ['pause', 'longest pause, ms', 1.5, 50],
  ['resident', 'resident memory, MiB', 1.1, 30],
  ['heap', 'heap, MiB', 1.15, 20],
  ['external', 'memory outside the heap, MiB', 1.15, 20],
  ['handles', 'open handles', 1.1, 15],
  ['files', 'open files and connections', 1.1, 15],
  ['connections', 'PostgreSQL connections', 1, 3],
  ['late', 'outbox entries over a minute late', 1, 0],
  ['seen_proofs', 'rows of seen_proofs', 1, 0],
  ['security_events', 'rows of security_events', 1, 0],
  ['redis', 'Redis, MiB', 1.1, 2],
  ['keys', 'Redis keys', 1.1, 200],
];
/** What grows with use until the cleaner removes it. */
const GROWING = ['outbox', 'idempotency_keys', 'exercisetracking'];
/** Proofs and limits stay in Redis for three minutes; before, everything grows. */
const WARM_UP_SECONDS = 240;

function printVerdicts(samples: Sample[], sets: { rows: number; expected: number }): void {
  const warmUp = Math.min(WARM_UP_SECONDS / SAMPLE_SECONDS, Math.floor(samples.length / 4));
  const judged = samples.slice(warmUp);
  const third = Math.max(1, Math.floor(judged.length / 3));
  const [first, last] = [judged.slice(0, third), judged.slice(-third)];
  const minutes = (third * SAMPLE_SECONDS) / 60;
  console.log(`\nFirst against last third, ${minutes.toFixed(1)} minutes each; medians.`);
  if (warmUp * SAMPLE_SECONDS < WARM_UP_SECONDS) {
    console.log('Too short for a judgement of memory and Redis: used proofs alone stay there for three minutes.');
  }
  console.log('\n| figure | first | last | change | verdict |\n|---|---:|---:|---:|---|');
  for (const [name, title, times, more] of LEVEL) {
    const [before, after] = [median(first, name), median(last, name)];
    const change = before > 0 ? `${shown((after / before - 1) * 100)} %` : shown(after - before);
    const verdict = after <= before * times + more ? 'level' : 'GROWS';
    console.log(`| ${title} | ${shown(before, 1)} | ${shown(after, 1)} | ${change} | ${verdict} |`);
  }
  const hours = ((judged.length - third) * SAMPLE_SECONDS) / 3600; // from the middle of one third to that of the other
  for (const table of GROWING) {
    const [before, after] = [median(first, table), median(last, table)];
    const mib = (median(last, `${table}_mib`) - median(first, `${table}_mib`)) / hours;
    const verdict = `${shown((after - before) / hours)} rows and ${shown(mib, 1)} MiB an hour`;
    console.log(`| rows of ${table} | ${shown(before)} | ${shown(after)} | ${shown(after - before)} | ${verdict} |`);
  }
  console.log('\n| request | number | p50 first | p50 last | p99 first | p99 last |\n|---|---:|---:|---:|---:|---:|');
  const kinds = new Set(samples.flatMap(({ counts }) => [...counts.times.keys()]));
  for (const kind of [...kinds].toSorted()) {
    const [before, after] = [allTimes(first, kind), allTimes(last, kind)];
    const cells = [0.5, 0.99].flatMap((share) => [before, after].map((times) => shown(quantile(times, share), 1)));
    console.log(`| ${kind} | ${allTimes(samples, kind).length} | ${cells.join(' | ')} |`);
  }
  const failures = allFailures(samples);
  const total = sum(samples, ({ counts }) => counts.requests);
  console.log(
    `\nFailures: ${failures.total === 0 ? `none of ${total}` : `${failures.total} of ${total}: ${failures}`}.`,
  );
  const { rows, expected } = sets;
  console.log(`Tracked exercises: ${rows}, acknowledged ${expected}${rows === expected ? '' : ': NOT THE SAME'}.`);
}

function median(samples: Sample[], name: string): number {
  const sorted = samples.map(({ figures }) => figures[name] ?? Number.NaN).toSorted((a, b) => a - b);
  return quantile(sorted, 0.5);
}

// ---------------------------------------------------------------------------

async function main(): Promise<void> {
  const expo = await startExpo();
  const bench = await startBench({ EXPO_BASE_URL: expo.url });
  const redis = new Redis(bench.redisUrl);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      stopping = true;
    });
  }
  const day = new Day(bench.url, await makePeople(bench), await makePhoto());
  try {
    const rate = values.rate ? Number(values.rate) : Math.max(1, LOAD * (await calibrate(day)));
    console.log(`${PEOPLE} people, ${rate.toFixed(0)} requests a second, ${MINUTES} minutes; Node ${process.version}.`);
    const samples = await watch(bench, redis, day, keepBusy(day, rate, MINUTES * 60));
    const { rows } = await bench.sql.query('select count(*)::int as n from exercisetracking');
    const expected = (PEOPLE * WORKOUTS_EACH + day.storedWorkouts) * EXERCISES_A_WORKOUT;
    printVerdicts(samples, { rows: rows[0].n, expected });
    console.log(`Pushes that arrived: ${expo.pushes.length}.`);
    for (const [text, times] of await bench.errors()) console.log(`The server logged ${times} × ${text}`);
  } finally {
    day.close();
    redis.disconnect();
    await bench.stop();
    await expo.close();
  }
}

await main();
