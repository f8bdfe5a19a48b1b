// A person with 5,000 workouts and 100,000 sets: an import of them, every call of the logbook, exports, and a finished
// workout of the app; see README.md in this folder.

import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Answer,
  exercisesIn,
  hoursAgo,
  keepTokens,
  makePhones,
  type Phone,
  prepare,
  prepareLogin,
  quantile,
  send,
  startBench,
  workoutOf,
} from './helpers.ts';

const WORKOUTS = Number(process.env.BENCH_WORKOUTS ?? 5_000);
const REPEATS = 20;
const EXERCISES = [
  'Squat (Barbell)',
  'Bench Press (Barbell)',
  'Deadlift (Barbell)',
  'Pull Up',
  'Bicep Curl (Dumbbell)',
];
const FIRST = Date.UTC(2006, 0, 1);

/** A workout every 35 hours, four exercises of five sets, in Hevy's columns. */
function hevyFile(): string {
  const header =
    'title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe';
  const lines = Array.from({ length: WORKOUTS }, (_, n) => {
    const time = (ms: number) => {
      const [, day, month, year, clock] = new Date(ms).toUTCString().split(' ');
      return `"${Number(day)} ${month} ${year}, ${clock?.slice(0, 5)}"`;
    };
    const start = FIRST + n * 35 * 3_600_000;
    const begin = `Workout ${n % 4},${time(start)},${time(start + 3_600_000)},`;
    return [0, 1, 2, 3].flatMap((of) =>
      [0, 1, 2, 3, 4].map((index) => {
        const weight = 40 + ((n * 7 + of * 13 + index) % 240) / 2;
        return `${begin},${EXERCISES[(n + of) % EXERCISES.length]},,,${index},normal,${weight},${3 + (index % 8)},,,8`;
      }),
    );
  });
  return [header, ...lines.flat()].join('\n');
}

function form(file: string): { body: Buffer; headers: Record<string, string> } {
  const part = (name: string, content: string, more = '') =>
    `--logbook\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const text = part('timeZone', 'UTC') + part('file', file, '; filename="hevy.csv"');
  return {
    body: Buffer.from(`${text}--logbook--\r\n`),
    headers: { 'content-type': 'multipart/form-data; boundary=logbook' },
  };
}

const bench = await startBench({ RATE_LIMIT_ENABLED: 'false' });
const agent = new Agent({ keepAlive: true });
const [phone] = (await makePhones(bench.sql, 'veteran', 1)) as [Phone];
keepTokens(phone, await send(agent, bench.url, prepareLogin(phone)));

async function call(
  method: string,
  path: string,
  body?: object | Buffer,
  headers?: Record<string, string>,
): Promise<Answer> {
  const answer = await send(agent, bench.url, await prepare(bench.url, phone, method, path, body, headers), 120_000);
  if (Number(answer.status) >= 300 || typeof answer.status !== 'number') {
    throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.body.subarray(0, 300)}`);
  }
  return answer;
}
const json = <Body>(answer: Answer): Body => JSON.parse(answer.body.toString()) as Body;

/** Longest pause of the server's event loop since the last question, in milliseconds. */
const longestPause = async () => 1000 * ((await bench.metrics()).get('nodejs_eventloop_lag_max_seconds') ?? 0);

const saved = await call('POST', '/api/workouts/add', {
  workoutData: { A: [1, 2, 3, 4, 5, 6].map((id) => ({ id, sets: [10, 8, 6] })) },
});
const planned = exercisesIn(saved)[0] ?? [];
let finished = 0;
const finish = () => call('POST', '/api/workouts/finishworkout', workoutOf(planned, hoursAgo(24 * 60 + finished++)));

async function median(work: () => Promise<Answer>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < REPEATS; n++) times.push((await work()).milliseconds);
  return quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  );
}

try {
  const before = await median(finish);
  const file = hevyFile();
  await longestPause();
  const { body, headers } = form(file);
  const started = performance.now();
  const shown = json<{
    id: string;
    workouts: number;
    sets: number;
    exercises: Array<{ name: string; match: unknown }>;
  }>(await call('POST', '/api/v1/imports', body, headers));
  const previewed = performance.now() - started;
  const pausePreview = await longestPause();
  const mapping = Object.fromEntries(
    shown.exercises.filter(({ match }) => match === null).map(({ name }) => [name, 'create']),
  );
  await call('PATCH', `/api/v1/imports/${shown.id}`, { mapping });
  const committing = performance.now();
  await call('POST', `/api/v1/imports/${shown.id}/commit`);
  for (;;) {
    const { state } = json<{ state: string }>(await call('GET', `/api/v1/imports/${shown.id}`));
    if (state === 'committed') break;
    await pause(200);
  }
  const committed = performance.now() - committing;
  const pauseCommit = await longestPause();
  await bench.sql.query('analyze');
  console.log(`file: ${(file.length / 1e6).toFixed(1)} MB, ${shown.workouts} workouts, ${shown.sets} sets`);
  console.log(`preview: ${previewed.toFixed(0)} ms, longest pause ${pausePreview.toFixed(0)} ms`);
  console.log(`commit: ${(committed / 1000).toFixed(1)} s, longest pause ${pauseCommit.toFixed(0)} ms`);

  const { items } = json<{ items: Array<{ id: string }> }>(await call('GET', '/api/v1/workouts?limit=1'));
  const id = items[0]?.id ?? '';
  const document = json<{ title: string; blocks: Array<{ sets: object[] }> }>(
    await call('GET', `/api/v1/workouts/${id}`),
  );
  const span = 'from=2014-01-01&to=2014-12-31&tz=UTC';
  let edits = 0;
  const withWeight = (weight: number) => {
    const [first, ...others] = document.blocks;
    const [set, ...sets] = first?.sets ?? [];
    return { ...document, blocks: [{ ...first, sets: [{ ...set, weight }, ...sets] }, ...others] };
  };
  const calls: Record<string, () => Promise<Answer>> = {
    'GET /workouts (50)': () => call('GET', '/api/v1/workouts'),
    'GET /workouts?q=': () => call('GET', '/api/v1/workouts?q=workout%203'),
    'GET /workouts?exerciseId=': () => call('GET', '/api/v1/workouts?exerciseId=1'),
    'GET /workouts/{id}': () => call('GET', `/api/v1/workouts/${id}`),
    'PUT /workouts/{id}, a set': () => call('PUT', `/api/v1/workouts/${id}`, withWeight(100 + edits++)),
    'PUT /workouts/{id}, the title': () =>
      call('PUT', `/api/v1/workouts/${id}`, { ...document, title: `Edit ${edits++}` }),
    'PUT /workouts/{id}, unchanged': () =>
      call('PUT', `/api/v1/workouts/${id}`, { ...document, title: `Edit ${edits - 1}` }),
    'POST /workouts/{id}/duplicate': () => call('POST', `/api/v1/workouts/${id}/duplicate`),
    'GET /exercises': () => call('GET', '/api/v1/exercises'),
    'GET /exercises/{id}/history (50)': () => call('GET', '/api/v1/exercises/1/history'),
    'GET /exercises/{id}/last': () => call('GET', '/api/v1/exercises/1/last'),
    'GET /records, from the cache': () => call('GET', '/api/v1/records'),
    'GET /stats/summary': () => call('GET', '/api/v1/stats/summary'),
    'GET /stats/calendar, a year': () => call('GET', `/api/v1/stats/calendar?${span}`),
    'GET /stats/muscles, a year': () => call('GET', `/api/v1/stats/muscles?${span}`),
    'GET /stats/volume, a year': () => call('GET', `/api/v1/stats/volume?${span}`),
    'PUT /measurements/{id}': () =>
      call('PUT', `/api/v1/measurements/${randomUUID()}`, {
        kind: 'body_weight',
        value: 80,
        unit: 'kg',
        measuredAt: hoursAgo(edits++),
      }),
    'GET /measurements': () => call('GET', '/api/v1/measurements'),
  };
  console.log('\n| call | median, ms |\n|---|---:|');
  for (const [name, work] of Object.entries(calls)) console.log(`| ${name} | ${(await median(work)).toFixed(1)} |`);
  const cold: number[] = [];
  for (let n = 0; n < 5; n++) {
    await call('PUT', `/api/v1/workouts/${id}`, withWeight(50 + n));
    cold.push((await call('GET', '/api/v1/records')).milliseconds);
  }
  console.log(
    `| GET /records, computed | ${quantile(
      cold.toSorted((a, b) => a - b),
      0.5,
    ).toFixed(1)} |`,
  );
  const after = await median(finish);
  console.log(`| finishworkout before and after | ${before.toFixed(1)}, ${after.toFixed(1)} |`);
  for (const path of ['logbook.json', 'hevy.csv', 'strong.csv']) {
    const { milliseconds, body: exported } = await call('GET', `/api/v1/exports/${path}`);
    console.log(`| export ${path}, ${(exported.length / 1e6).toFixed(1)} MB | ${milliseconds.toFixed(0)} |`);
  }
  console.log(`longest pause in the calls and exports: ${(await longestPause()).toFixed(0)} ms`);
  const undo = await call('DELETE', `/api/v1/imports/${shown.id}`);
  console.log(`undo: ${undo.milliseconds.toFixed(0)} ms`);
} finally {
  agent.destroy();
  await bench.stop();
}
