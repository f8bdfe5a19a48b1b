import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { api } from '#src/api.ts';
import { isLogbook } from '#transport/face.ts';
import type { AnyRoute } from '#transport/route.ts';
import { block, hoursAgo, type Person, set, signedIn, workout } from './helpers/logbook.ts';
import { withServer } from './helpers/server.ts';

/*
 * Two people, and every route of the logbook: what one has cannot be named, planned, logged, changed, removed or seen by the
 * other, and asking for it does not tell that it exists.
 */

const SECRET = 'Zercher carry of the first';
const HEVY = [
  'title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe',
  `${SECRET},"15 Sep 2025, 07:48","15 Sep 2025, 08:48",,${SECRET},,,0,normal,60,5,,,`,
].join('\n');

const it = withServer()
  .extend('first', ({ server }) => signedIn(server))
  .extend('second', ({ server }) => signedIn(server));

interface Things {
  workout: string;
  measurement: string;
  upload: string;
  own: number;
  block: string;
}

/** One of everything, named in words that nobody else uses. */
async function furnish({ call, send, split }: Person): Promise<Things> {
  const own = (await (await call('POST', '/exercises', { name: SECRET, muscle: 'Legs' })).json()) as { id: number };
  const things = { workout: randomUUID(), measurement: randomUUID(), own: own.id, block: randomUUID() };
  const blocks = [{ ...block(own.id, set(100, 5)), id: things.block }];
  const done = workout({ title: SECRET, notes: SECRET, splitId: split, blocks });
  expect((await call('PUT', `/workouts/${things.workout}`, done)).status).toBe(201);
  const measured = { kind: SECRET, value: 80, unit: 'kg', measuredAt: hoursAgo(1) };
  expect((await call('PUT', `/measurements/${things.measurement}`, measured)).status).toBe(201);
  const form = new FormData();
  form.append('timeZone', 'UTC');
  form.append('file', new Blob([HEVY], { type: 'text/csv' }), 'x.csv');
  const upload = (await (await send('POST', '/imports', form)).json()) as { id: string };
  return { ...things, upload: upload.id };
}

/** Everything that a person can read of the logbook, as text. */
async function everything({ call }: Person): Promise<string> {
  const reads = (api as AnyRoute[]).filter(
    // The archive, whose bytes differ with the minute, has a test of two people of its own.
    ({ method, path }) => method === 'GET' && isLogbook(path) && !path.includes(':') && !path.endsWith('.zip'),
  );
  const span = '?from=2026-01-01&to=2026-12-31';
  const texts: string[] = [];
  for (const { path } of reads) {
    const query = (path.includes('/stats/') && !path.includes('summary')) || path.includes('overview') ? span : '';
    const answer = await call('GET', path.replace('/api/v1', '') + query);
    expect([path, answer.status]).toEqual([path, 200]);
    texts.push(await answer.text());
  }
  return texts.join('\n');
}

it('nothing of the first is in what the second reads, and their own is', async ({ first, second }) => {
  const [theirs, mine] = [await furnish(first), await furnish(second)];
  const seen = await everything(second);
  expect(Object.values(mine).filter((id) => !seen.includes(String(id)))).toEqual([]);
  for (const id of [
    theirs.workout,
    theirs.measurement,
    theirs.upload,
    theirs.block,
    first.phone.id,
    first.phone.email,
  ]) {
    expect(seen).not.toContain(id);
  }
});

it('every route with an id answers to the second as if the first had nothing', async ({ server, first, second }) => {
  const theirs = await furnish(first);
  const before = await everything(first);
  const idOf = (path: string): string | number => {
    if (path.includes('/workouts/')) return theirs.workout;
    if (path.includes('/measurements/')) return theirs.measurement;
    if (path.includes('/imports/')) return theirs.upload;
    return path.includes('/sessions/') ? randomUUID() : theirs.own;
  };
  const bodies: Record<string, object> = {
    '/exercises/:id': { name: 'Taken', muscle: 'Legs' },
    '/imports/:id': { duplicates: 'import' },
    '/workouts/:id': workout({ title: 'Mine' }),
    '/measurements/:id': { kind: 'waist', value: 1, unit: 'cm', measuredAt: hoursAgo(1) },
  };
  const routes = (api as AnyRoute[]).filter(({ path }) => isLogbook(path) && path.includes(':id'));
  for (const { method, path } of routes) {
    const short = path.replace('/api/v1', '');
    const body = ['PUT', 'PATCH'].includes(method) ? bodies[short] : undefined;
    const answer = await second.call(method, short.replace(':id', String(idOf(short))), body);
    // Under an id that only the first has, the second may make their own.
    const isMaking = method === 'PUT' && !short.startsWith('/exercises');
    expect([method, short, answer.status]).toEqual([method, short, isMaking ? 201 : 404]);
    // What the second made is removed by the second, and the first's stays.
    if (isMaking) expect((await second.call('DELETE', short.replace(':id', String(idOf(short))))).status).toBe(204);
  }
  expect(await everything(first)).toBe(before);
  const rows = await server.sql('select from log_workouts where user_id = $1', [second.phone.id]);
  expect(rows).toEqual([]);
});

it('an own exercise of the first cannot be named by the second anywhere', async ({ server, first, second }) => {
  const { own } = await furnish(first);
  const refused: Array<[string, string, object]> = [
    ['PUT', `/workouts/${randomUUID()}`, workout({ blocks: [block(own, set(1, 1))] })],
    ['PUT', '/plan', { name: 'P', splits: [{ name: 'A', exercises: [{ exerciseId: own, sets: [5] }] }] }],
  ];
  for (const [method, path, body] of refused) {
    expect([path, (await second.call(method, path, body)).status]).toEqual([path, 422]);
  }
  const add = { workoutData: { A: [{ id: own, sets: [5] }] } };
  const { accessToken } = await second.phone.tokens();
  expect((await second.phone.post('/api/workouts/add', accessToken, add)).status).toBe(400);
  const catalogue = await second.phone.get('/api/exercises/getall', accessToken);
  expect(await catalogue.text()).not.toContain(SECRET);
  const listed = await second.phone.get(`/api/v1/workouts?exerciseId=${own}`, accessToken);
  expect(((await listed.json()) as { items: unknown[] }).items).toEqual([]);
  // A file that names it is not matched with it.
  const third = await signedIn(server);
  const form = new FormData();
  form.append('timeZone', 'UTC');
  form.append('file', new Blob([HEVY], { type: 'text/csv' }), 'x.csv');
  const { exercises } = (await (await third.send('POST', '/imports', form)).json()) as { exercises: unknown[] };
  expect(JSON.stringify(exercises)).not.toContain(`:${own}`);
});
