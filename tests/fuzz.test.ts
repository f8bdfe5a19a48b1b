import fc from 'fast-check';
import { expect } from 'vitest';
import { newPhone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { type TestServer, withServer } from './helpers/server.ts';

const it = withServer({ env: { ACCESS_TOKEN_TTL_SEC: '3600' } })
  .extend('phone', { scope: 'file' }, ({ server }) => newPhone(server))
  .extend('token', { scope: 'file' }, async ({ phone }) => (await phone.tokens()).accessToken)
  .extend('exercise', { scope: 'file' }, async ({ phone, token }) => {
    const saved = (await (
      await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 1, sets: [5] }] } })
    ).json()) as { workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> } };
    return saved.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id ?? 0;
  });

/** `FUZZ_RUNS` makes it look longer. */
const RUNS: Record<string, number> = { POST: Number(process.env.FUZZ_RUNS ?? 150) };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Bodies that are right, so that a change of one place comes far. */
const RIGHT: Record<string, (exercise: number) => Json> = {
  '/api/workouts/finishworkout': (exercise) => ({
    workout: [{ exercisetosplit_id: exercise, weight: [80, 82.5], reps: [10, 8], notes: 'good' }],
    workout_start_utc: new Date(Date.now() - 60_000).toISOString(),
    workout_end_utc: new Date().toISOString(),
    tz: 'Asia/Jerusalem',
  }),
  '/api/workouts/add': () => ({
    workoutData: { A: [{ id: 1, sets: [10, 8], order_index: 0 }], B: [{ id: 2, sets: [5] }] },
    workoutName: 'Mine',
    tz: 'UTC',
  }),
  '/api/aerobics/add': () => ({ record: { type: 'Walk', durationMins: 30, durationSec: 15 }, tz: 'UTC' }),
  '/api/workouts/delete': () => ({}),
  '/api/messages/markasread/': () => ({}),
  '/api/messages/delete/': () => ({}),
};

const NASTY = ['\u0000', 'a\u0000b', '\ud800', '__proto__', "'; drop table users; --", '1e400', '', ' ', 'NaN', '٣'];
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.constantFrom<Json>(...NASTY, -1, 0, 1e21, 2 ** 53, 2 ** 63, 1e308, -0.5, 1e-9, [], {}, [[]]),
);

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place in a value, as the keys that lead there. */
function places(value: Json, path: Array<string | number> = []): Array<Array<string | number>> {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, n) => places(item, [...path, n]))];
  if (isObject(value)) return [path, ...Object.entries(value).flatMap(([key, item]) => places(item, [...path, key]))];
  return [path];
}

function replaced(value: Json, [first, ...rest]: Array<string | number>, by: Json | undefined): Json | undefined {
  if (first === undefined) return by;
  if (Array.isArray(value)) {
    return value.flatMap((item, n) =>
      n === first ? [replaced(item, rest, by)].filter((x) => x !== undefined) : [item],
    );
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === first ? replaced(item, rest, by) : item]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

/** The right body with one place changed or gone, or anything at all, or no JSON. */
const bodyOf = (exercise: number, path: string) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.nat(), fc.option(json, { nil: undefined })).map(([n, by]) => {
        const right = RIGHT[path]?.(exercise) ?? {};
        const all = places(right);
        return JSON.stringify(replaced(right, all[n % all.length] ?? [], by));
      }),
    },
    { weight: 2, arbitrary: json.map((value) => JSON.stringify(value)) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('{', '[1,', '{"tz":"\\ud800"}', '', '{"record":{"type":"Run","durationMins":1e400}}'),
      ),
    },
  );

const PATHS: Array<[method: string, path: string]> = [
  ['POST', '/api/workouts/finishworkout'],
  ['POST', '/api/workouts/add'],
  ['POST', '/api/aerobics/add'],
  ['DELETE', '/api/workouts/delete'],
  ['PUT', '/api/messages/markasread/'],
  ['DELETE', '/api/messages/delete/'],
  ['GET', '/api/workouts/getworkout'],
  ['GET', '/api/workouts/gettracking'],
  ['GET', '/api/aerobics/get'],
  ['GET', '/api/analytics/get'],
  ['GET', '/api/exercises/getall'],
  ['GET', '/api/messages/getmessages'],
  ['GET', '/api/bootstrap/get'],
];

/** Everything that a request of these could write. */
const fingerprint = async (server: TestServer) =>
  (
    await server.sql(
      ['users', 'workoutplans', 'workoutsplits', 'exercisetoworkoutsplit', 'workout_summary', 'exercisetracking']
        .concat(['aerobictracking', 'messages', 'exercise_records', 'idempotency_keys', 'user_reminder_settings'])
        .map((table) => `select '${table}' as name, count(*), sum(hashtext(t::text)) from ${table} t`)
        .join(' union all '),
    )
  ).map((row) => Object.values(row).join(' '));

const zone = fc.oneof(fc.constantFrom(...NASTY, 'Asia/Jerusalem', 'Etc/GMT 2', '+02:00', 'Mars/Base'), fc.string());
const contentType = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', undefined);

it.for(PATHS)(
  '%s %s: whatever is sent, never a 5xx, and nothing is stored on a 4xx',
  async ([method, path], { server, phone, token, exercise }) => {
    await fc.assert(
      fc.asyncProperty(
        bodyOf(exercise, path),
        fc.option(zone, { nil: undefined }),
        contentType,
        fc.option(fc.constantFrom('key', ' ', 'k'.repeat(256)), { nil: undefined, freq: 5 }),
        fc.string(),
        async (body, tz, type, key, id) => {
          const target = path.endsWith('/') ? path + encodeURIComponent(id.toWellFormed()) : path;
          const query = tz === undefined ? '' : `?tz=${encodeURIComponent(tz.toWellFormed())}`;
          const before = await fingerprint(server);
          const response = await server.fetch(target + query, {
            method,
            headers: {
              authorization: `DPoP ${token}`,
              dpop: makeProof(phone.key, `${method} ${server.url}${target}`, { accessToken: token }),
              ...(type ? { 'content-type': type } : {}),
              ...(key ? { 'idempotency-key': key } : {}),
            },
            ...(method === 'GET' ? {} : { body: body ?? '' }),
          });
          const text = await response.text();
          const isExpected = response.status < 500 || path === '/api/workouts/delete';
          expect([isExpected, response.status, body, text.slice(0, 200)]).toEqual([
            true,
            response.status,
            body,
            expect.anything(),
          ]);
          if (response.status < 400) return;
          expect(await fingerprint(server)).toEqual(before);
          expect(JSON.parse(text)).toMatchObject({
            success: false,
            message: expect.any(String),
            code: expect.any(String),
          });
        },
      ),
      { numRuns: RUNS[method] ?? 25 },
    );
  },
);
