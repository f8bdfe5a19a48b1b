// The hostile account of neighbour.ts, in a process of its own: what it costs to be hostile is not the server's cost.
import { Agent, type ClientRequest, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKey } from '@strong-together/client';
import sharp from 'sharp';
import {
  type Answer,
  exercisesIn,
  keepTokens,
  type Phone,
  type Prepared,
  pictureForm,
  prepare,
  prepareLogin,
  prepareRefresh,
  send,
  Tally,
  withToken,
} from './helpers.ts';

/** What the process is told when it starts. */
export interface Orders {
  scenario: string;
  url: string;
  username: string;
}

/** What it tells: first that it is prepared, later how it went. */
export type Report =
  | { prepared: string }
  | {
      /** Statuses of the answers, and how often each came. */
      statuses: Array<[string, number]>;
      /** Processor time of this process, in cores. */
      cores: number;
      /** Received, in MiB. */
      received: number;
    };

/** One way to be hostile. */
interface Attack {
  /** Pieces of work at the same time; each begins again when it is over. */
  lanes: number;
  /** @returns what was prepared, in words */
  prepare?(): Promise<string>;
  work(lane: number): Promise<void>;
}

const SPLITS = 26;
const EXERCISES_A_SPLIT = 50;
const CATALOGUE = 127;
const PARALLEL = 15;
const STORED_WORKOUTS = 100;
const STORING_MS = 30_000;
const UPLOADS = 60;
const LOGINS = 95;
const HELD = 200;
const ZONES = Intl.supportedValuesOf('timeZone');
/** An answer may take that long; the process ends sooner. */
const PATIENCE_MS = 120_000;

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const { url } = orders;
const agent = new Agent({ keepAlive: true });
const tally = new Tally();
let received = 0;
let ending = false;

/** Another address for every request. */
const address = () => [1, 2, 3, 4].map((part) => 1 + Math.floor(Math.random() * (part === 1 ? 223 : 254))).join('.');
const phone: Phone = {
  username: orders.username,
  key: await generateKey(),
  accessToken: '',
  refreshToken: '',
  address,
};

async function sendCounted(prepared: Prepared): Promise<Answer> {
  const answer = await send(agent, url, prepared, PATIENCE_MS);
  received += answer.body.length;
  if (!ending) tally.add(answer.status);
  return answer;
}

const sendSigned = async (method: string, path: string, body?: object | Buffer, headers?: Record<string, string>) =>
  sendCounted(await prepare(url, phone, method, path, body, { 'accept-encoding': 'gzip', ...headers }));

// ---------------------------------------------------------------------------
// Plans and workouts as large as they may be
// ---------------------------------------------------------------------------

let plans = 0;

/** Every time other exercises and other sets: 38 kB and 87 kB in turn. */
function hugePlan(): object {
  const round = plans++;
  const sets = Array.from({ length: round % 2 ? 20 : 3 }, (_, n) => 1 + ((round + n) % 9));
  const exercise = (n: number) => ({ id: 1 + ((round * 7 + n) % CATALOGUE), sets });
  const split = () => Array.from({ length: EXERCISES_A_SPLIT }, (_, n) => exercise(n));
  const names = Array.from({ length: SPLITS }, (_, n) => String.fromCharCode(65 + n));
  return { workoutData: Object.fromEntries(names.map((name) => [name, split()])) };
}

let exercises: number[] = [];
let workouts = 0;

/** 100 exercises of 92 sets each, 86 kB; each at another time of the last 45 days. */
function hugeWorkout(): object {
  const start = new Date(Date.now() - 3_600_000 - (workouts++ % 4_000) * 15 * 60_000).toISOString();
  const weight = Array.from({ length: 92 }, (_, n) => 40 + (n % 50) + (n % 10 ? 0.5 : 0));
  const reps = weight.map((_, n) => 1 + (n % 20));
  const entry = (n: number) => ({ exercisetosplit_id: exercises[n % exercises.length], weight, reps });
  return {
    workout: Array.from({ length: 100 }, (_, n) => entry(n)),
    workout_start_utc: start,
    workout_end_utc: start,
    tz: 'UTC',
  };
}

async function savePlan(): Promise<string> {
  const prepared = await prepare(url, phone, 'POST', '/api/workouts/add', hugePlan());
  exercises = exercisesIn(await send(agent, url, prepared, PATIENCE_MS))[0] ?? [];
  return `a plan of ${SPLITS} × ${EXERCISES_A_SPLIT} exercises`;
}

/** Stores what it may, three at a time, until it is refused again and again. */
async function storeWorkouts(): Promise<string> {
  await savePlan();
  const answers = new Tally();
  const deadline = performance.now() + STORING_MS;
  let left = STORED_WORKOUTS;
  let refused = 0;
  const store = async () => {
    while (left-- > 0 && refused < 20 && performance.now() < deadline) {
      const prepared = await prepare(url, phone, 'POST', '/api/workouts/finishworkout', hugeWorkout(), {
        'accept-encoding': 'gzip',
      });
      const { status } = await send(agent, url, prepared, PATIENCE_MS);
      answers.add(status);
      if (status !== 200) refused++;
    }
  };
  await Promise.all([store(), store(), store()]);
  return `stored workouts: ${answers}`;
}

// ---------------------------------------------------------------------------
// Files, and a log as large as it may be
// ---------------------------------------------------------------------------

const STRONG = 'Date;Workout Name;Exercise Name;Set Order;Weight (kg);Reps;Notes';
const COMMIT_MS = 180_000;
let files = 0;

/** A file of Strong, and its form. @param rows of it, each with what changes from row to row */
function uploadOf(rows: number, row: (n: number) => string): [Buffer, Record<string, string>] {
  const part = (name: string, content: string, more = '') =>
    `--hostile\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const file = [STRONG, ...Array.from({ length: rows }, (_, n) => row(n))].join('\n');
  const form = `${part('timeZone', 'UTC') + part('file', file, '; filename="strong.csv"')}--hostile--\r\n`;
  return [Buffer.from(form), { 'content-type': 'multipart/form-data; boundary=hostile' }];
}

const dayOf = (n: number) => new Date(Date.UTC(1960, 0, 1 + n)).toISOString().slice(0, 10);
/** 6 MB. */
const longFile = () =>
  uploadOf(90_000, (n) => `${dayOf(n % 9_000)} 10:00:00;${files++};Squat (Barbell);${n % 10};100;5;slept well`);
const fileOfNames = (names: number) =>
  uploadOf(
    names,
    (n) => `${dayOf(n >> 5)} 10:00:00;A;An exercise that nobody knows, number ${n};1;100;5;${'x'.repeat(40)}`,
  );

interface Preview {
  id: string;
  state: string;
  exercises: Array<{ name: string }>;
}
async function told(method: string, path: string, body?: object | Buffer, headers?: Record<string, string>) {
  const answer = await send(agent, url, await prepare(url, phone, method, path, body, headers), PATIENCE_MS);
  return JSON.parse(answer.body.toString() || '{}') as Preview;
}

let known: Preview = { id: '', state: '', exercises: [] };

async function importNames(): Promise<string> {
  const [body, headers] = fileOfNames(2_000);
  known = await told('POST', '/api/v1/imports', body, headers);
  return `an import with ${known.exercises.length} names`;
}

async function importWorkouts(): Promise<string> {
  const [body, headers] = uploadOf(20_000, (n) => `${dayOf(n)} 10:00:00;Day ${n};Squat (Barbell);1;100;5;`);
  const { id } = await told('POST', '/api/v1/imports', body, headers);
  await told('POST', `/api/v1/imports/${id}/commit`);
  const deadline = performance.now() + COMMIT_MS;
  let state = 'committing';
  while (state === 'committing' && performance.now() < deadline) {
    await pause(500);
    ({ state } = await told('GET', `/api/v1/imports/${id}`));
  }
  return `20,000 workouts, ${state}`;
}

const largeWorkout = () => ({
  title: 'Large',
  startedAt: '2020-01-01T10:00:00Z',
  endedAt: '2020-01-01T11:00:00Z',
  timeZone: 'UTC',
  blocks: Array.from({ length: 100 }, () => ({
    id: crypto.randomUUID(),
    exerciseId: 1,
    notes: 'x'.repeat(2_000),
    sets: Array.from({ length: 50 }, () => ({ weight: 100, unit: 'kg', reps: 5 })),
  })),
});
let large = '';

async function storeLarge(): Promise<string> {
  large = crypto.randomUUID();
  const { status } = await send(
    agent,
    url,
    await prepare(url, phone, 'PUT', `/api/v1/workouts/${large}`, largeWorkout()),
    PATIENCE_MS,
  );
  return `a workout of 630 kB: ${status}`;
}

// ---------------------------------------------------------------------------
// The ways to be hostile
// ---------------------------------------------------------------------------

let zone = 0;
let hugePicture = Buffer.alloc(0);

const ATTACKS: Record<string, Attack> = {
  plans: {
    lanes: PARALLEL,
    work: async () => void (await sendSigned('POST', '/api/workouts/add', hugePlan())),
  },

  workouts: {
    lanes: PARALLEL,
    prepare: savePlan,
    work: async () => void (await sendSigned('POST', '/api/workouts/finishworkout', hugeWorkout())),
  },

  reads: {
    lanes: PARALLEL,
    prepare: storeWorkouts,
    async work() {
      const path = zone % 3 ? '/api/workouts/gettracking' : '/api/bootstrap/get';
      await sendSigned('GET', `${path}?tz=${encodeURIComponent(ZONES[zone++ % ZONES.length] ?? 'UTC')}`);
    },
  },

  pictures: {
    lanes: UPLOADS,
    async prepare() {
      const noise = { type: 'gaussian', mean: 128, sigma: 2 } as const;
      const small = await sharp({ create: { width: 500, height: 500, channels: 3, background: 'grey', noise } })
        .png()
        .toBuffer();
      hugePicture = await sharp(small).resize(5000, 5000).jpeg({ quality: 30 }).toBuffer();
      return `a picture of 5000 × 5000 pixels in ${Math.round(hugePicture.length / 1000)} kB`;
    },
    async work(lane) {
      const { body, headers } = pictureForm(hugePicture);
      if (lane % 3) await sendSigned('PUT', '/api/users/setprofilepic', body, headers);
      else await abort(await prepare(url, phone, 'PUT', '/api/users/setprofilepic', body, headers), lane % 2 ? 0.5 : 1);
    },
  },

  logins: {
    lanes: LOGINS,
    async work(lane) {
      const identifier = lane % 2 ? phone.username : `nobody_${Math.floor(Math.random() * 1e6)}`;
      await sendCounted(prepareLogin(phone, 'a wrong password', identifier));
    },
  },

  refreshes: {
    lanes: 20,
    async work(lane) {
      if (lane % 2) {
        const answer = await sendCounted(withToken(await prepareRefresh(url, phone), phone));
        if (answer.status === 200) keepTokens(phone, answer);
      } else {
        const paths = ['/api/users/get', '/api/messages/getmessages', '/api/workouts/gettracking'];
        await sendSigned('GET', paths[lane % paths.length] ?? '');
      }
    },
  },

  held: {
    lanes: HELD,
    async work(lane) {
      const paths = ['workouts/add', 'workouts/finishworkout', 'aerobics/add', 'ws/generateticket', 'auth/login'];
      const headers = { 'content-length': '2000', 'dpop-key-binding': phone.key.thumbprint };
      await holdBody(await prepare(url, phone, 'POST', `/api/${paths[lane % paths.length]}`, {}, headers));
      await pause(250); // it holds, it does not flood
    },
  },

  files: {
    lanes: 8,
    async work(lane) {
      const [body, headers] = lane % 2 ? fileOfNames(20_000) : longFile();
      await sendSigned('POST', '/api/v1/imports', body, headers);
    },
  },

  names: {
    lanes: 8,
    prepare: importNames,
    async work(lane) {
      const path = `/api/v1/imports/${known.id}`;
      const mapping = Object.fromEntries(known.exercises.map(({ name }) => [name, lane % 4 ? 'skip' : 'create']));
      if (lane % 2) await sendSigned('PATCH', path, { mapping });
      else await sendSigned('GET', lane % 4 ? path : '/api/v1/imports');
    },
  },

  ranges: {
    lanes: PARALLEL,
    async work(lane) {
      const spans = ['from=1996-01-01&to=2025-12-31', 'from=9990-01-01&to=9999-12-31', 'from=0000-01-01&to=0001-01-01'];
      const calls = ['stats/muscles', 'stats/volume', 'stats/calendar'];
      await sendSigned('GET', `/api/v1/${calls[lane % 3]}?${spans[Math.floor(lane / 3) % 3]}`);
    },
  },

  pages: {
    lanes: PARALLEL,
    prepare: storeLarge,
    async work(lane) {
      if (lane % 5 === 0) await sendSigned('POST', `/api/v1/workouts/${large}/duplicate`);
      else await sendSigned('GET', '/api/v1/workouts?limit=200');
    },
  },

  search: {
    lanes: PARALLEL,
    prepare: importWorkouts,
    work: async (lane) => void (await sendSigned('GET', `/api/v1/workouts?q=nothing%20like%20this%20${lane}`)),
  },
};

/** Sends that share of the body, then cuts the connection. */
async function abort({ method, path, headers, body = '' }: Prepared, share: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const length = { 'content-length': String(body.length) };
  const sent = request(url + path, { method, agent, headers: { ...headers, ...length } }, (answer) => answer.resume());
  sent.once('error', resolve).once('close', resolve);
  sent.write(body.slice(0, body.length * share), () => setTimeout(() => sent.destroy(), 10));
  await promise;
  if (!ending) tally.add('aborted');
}

const held = new Set<ClientRequest>();

/** Sends the headers and never the body; ends with an answer, or when the server has had enough. */
async function holdBody({ method, path, headers }: Prepared): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string | number>();
  const sent = request(url + path, { method, headers, agent: false }, (response) => {
    response.resume().once('end', () => resolve(response.statusCode ?? 0));
  });
  sent.once('error', () => resolve('cut off'));
  held.add(sent);
  sent.flushHeaders();
  const status = await promise;
  held.delete(sent);
  sent.destroy();
  if (!ending) tally.add(status);
}
// ---------------------------------------------------------------------------

const attack = ATTACKS[orders.scenario];
if (!attack) throw new Error(`unknown scenario ${orders.scenario}`);
process.once('disconnect', () => process.exit(0)); // never without the benchmark
keepTokens(phone, await send(agent, url, prepareLogin(phone)));
tell({ prepared: (await attack.prepare?.()) ?? 'nothing' });

process.once('message', async (seconds: number) => {
  const started = performance.now();
  const before = process.cpuUsage();
  const lanes = Array.from({ length: attack.lanes }, async (_, lane) => {
    while (!ending) await attack.work(lane);
  });
  await Promise.race([pause(seconds * 1000), Promise.all(lanes)]);
  ending = true;
  const { user, system } = process.cpuUsage(before);
  if (held.size > 0) tally.add('held', held.size);
  for (const sent of held) sent.destroy();
  agent.destroy();
  const cores = (user + system) / 1000 / (performance.now() - started);
  tell({ statuses: [...tally.counts], cores, received: received / 2 ** 20 }, () => process.exit(0));
});

function tell(report: Report, told?: () => void): void {
  process.send?.(report, undefined, undefined, told);
}
