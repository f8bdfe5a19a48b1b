// Whoever changes data, and by whatever path: the next read shows it, though every answer was in the cache before.
import pg from 'pg';
import sharp from 'sharp';
import { describe, expect, vi } from 'vitest';
import { sendToEverybody } from '#features/messages/broadcast.service.ts';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { linkIn, startTestServer, type TestServer, withServer } from './helpers/server.ts';

const it = withServer({ env: { ACCESS_TOKEN_TTL_SEC: '3600' } })
  // On the same database, without a cache: what is true.
  .extend('cold', { scope: 'file' }, ({ untilEnd, server }) =>
    untilEnd(startTestServer({ sharing: server, env: { CACHE_ENABLED: 'false' } })),
  )
  .extend('other', { scope: 'file' }, ({ server }) => someone(server))
  .extend('person', ({ server }) => someone(server));

/** Somebody with something in every answer. */
interface Someone {
  phone: Phone;
  token: string;
  exercise: number;
  split: number;
}

interface Fixtures {
  server: TestServer;
  person: Someone;
  other: Someone;
}

const READS = [
  '/api/users/get',
  '/api/messages/getmessages?tz=UTC',
  '/api/exercises/getall',
  '/api/workouts/getworkout?tz=UTC',
  '/api/workouts/gettracking?tz=UTC',
  '/api/aerobics/get?tz=UTC',
  '/api/analytics/get',
  '/api/bootstrap/get?tz=UTC',
];
const LATEST = '2026-01-01';

async function call(server: TestServer, { phone, token }: Someone, method: string, path: string, body?: object) {
  const isForm = body instanceof FormData;
  return server.fetch(path, {
    method,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken: token }),
      ...(body && !isForm ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
  });
}

/** @throws when the answer is no success */
async function change(server: TestServer, who: Someone, method: string, path: string, body?: object): Promise<void> {
  const response = await call(server, who, method, path, body);
  expect([path, response.status, response.ok || (await response.text())]).toEqual([path, response.status, true]);
}

const workout = (who: Someone, weight: number, start = new Date(Date.now() - 3_600_000)) => ({
  workout: [{ exercisetosplit_id: who.exercise, weight: [weight], reps: [5] }],
  workout_start_utc: start.toISOString(),
  workout_end_utc: new Date().toISOString(),
});
const START = new Date(Date.now() - 7_200_000);

async function someone(server: TestServer): Promise<Someone> {
  const phone = await newPhone(server);
  const who = { phone, token: (await phone.tokens()).accessToken, exercise: 0, split: 0 };
  await change(server, who, 'POST', '/api/workouts/add', { workoutData: { A: [{ id: 1, sets: [5] }] } });
  const [row] = await server.sql<{ id: string; split: string }>(
    `select ets.id, s.id as split
     from exercisetoworkoutsplit ets
     join workoutsplits s on s.id = ets.workoutsplit_id
     join workoutplans p on p.id = s.workout_id
     where p.user_id = $1`,
    [phone.id],
  );
  Object.assign(who, { exercise: Number(row?.id), split: Number(row?.split) });
  await change(server, who, 'POST', '/api/workouts/finishworkout', workout(who, 40, START));
  await change(server, who, 'POST', '/api/aerobics/add', { record: { type: 'Run', durationMins: 5 } });
  return who;
}

async function ownExercise(server: TestServer, { phone }: Someone): Promise<number> {
  const [row] = await server.sql<{ id: string }>(
    `insert into exercises (owner_id, name, description, targetmuscle, specifictargetmuscle)
     values ($1, 'Own One', '', 'Chest', 'Upper') returning id`,
    [phone.id],
  );
  return Number(row?.id);
}

async function readAll(server: TestServer, who: Someone) {
  const responses = await Promise.all(READS.map((path) => call(server, who, 'GET', path)));
  const texts = await Promise.all(responses.map((response) => response.text()));
  expect(responses.map(({ status }) => status)).toEqual(READS.map(() => 200));
  return { texts, told: responses.map(({ headers }) => headers.get('x-cache')).filter(Boolean) };
}

const picture = () =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
const inDatabase =
  (text: string) =>
  async ({ server }: Fixtures) =>
    void (await server.sql(text));
const ofPerson =
  (text: string) =>
  async ({ server, person }: Fixtures) =>
    void (await server.sql(text, [person.phone.id]));
const inbox = async (server: TestServer, who: Someone) =>
  (
    await server.sql<{ id: string }>('select id from messages where receiver_id = $1 order by sent_at', [who.phone.id])
  ).map(({ id }) => id);
/** Runs with the service's rights in a connection of its own. */
async function asService(
  server: TestServer,
  work: (db: ReturnType<typeof openDatabase>) => Promise<unknown>,
): Promise<void> {
  const log = buildLog('silent');
  const db = openDatabase({ url: server.databaseUrl, poolSize: 2, preparedStatements: true, log });
  await work(db).finally(() => db.close());
}

/** What changes → how. Each changes at least one answer of the person. */
const CHANGES: Record<string, (fixtures: Fixtures) => Promise<void>> = {
  'POST workouts/add': ({ server, person }) =>
    change(server, person, 'POST', '/api/workouts/add', {
      workoutData: { A: [{ id: 1, sets: [5, 5] }], B: [{ id: 2, sets: [8] }] },
    }),
  'POST workouts/finishworkout': ({ server, person }) =>
    change(server, person, 'POST', '/api/workouts/finishworkout', workout(person, 50)),
  'POST workouts/finishworkout, in place of a stored one': ({ server, person }) =>
    change(server, person, 'POST', '/api/workouts/finishworkout', workout(person, 30, START)),
  'POST aerobics/add': ({ server, person }) =>
    change(server, person, 'POST', '/api/aerobics/add', { record: { type: 'Walk', durationMins: 9 } }),
  'PUT messages/markasread': async ({ server, person }) =>
    change(server, person, 'PUT', `/api/messages/markasread/${(await inbox(server, person))[0]}`),
  'DELETE messages/delete': async ({ server, person }) =>
    change(server, person, 'DELETE', `/api/messages/delete/${(await inbox(server, person))[0]}`),
  'PUT users/updateself': ({ server, person }) =>
    change(server, person, 'PUT', '/api/users/updateself', { fullName: 'Somebody Else' }),
  'PUT users/setprofilepic': async ({ server, person }) => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(await picture())], { type: 'image/jpeg' }), 'x.jpg');
    await change(server, person, 'PUT', '/api/users/setprofilepic', form);
  },
  'a changed address, when its link is opened': async ({ server, person }) => {
    const email = `moved-${person.phone.username}@example.com`;
    await change(server, person, 'PUT', '/api/users/updateself', { email });
    expect((await fetch(linkIn(await server.mailTo(email)))).status).toBe(200);
  },
  'a message to all': ({ server }) =>
    asService(server, async (db) => {
      for await (const _ of sendToEverybody(db, buildOutbox(), { subject: 'News', body: 'For all.' }));
    }),
  housekeeping: async ({ server, person }) => {
    await server.sql(
      `with workout as (
         insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
         select $1, $2, t.start, t.start from generate_series(50, 90) as n
         cross join lateral (select now() - make_interval(days => n) as start) t
         returning id
       )
       insert into exercisetracking (workout_summary_id, exercisetosplit_id, weight, reps)
       select w.id, $3, array[1], array[20] from workout w`,
      [person.phone.id, person.split, person.exercise],
    );
    await readAll(server, person);
    await server.sql('select housekeeping_compact_old_workouts()');
  },
  'rows that the service imports': ({ server, person }) =>
    asService(server, (db) =>
      db.asService((tx) => tx.rows({ name: 'test.import', text: IMPORT_RECORD }, [person.phone.id])),
    ),
  'sets that an operator imports': async ({ server, person }) => {
    await server.sql(
      `with workout as (
         insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
         values ($1, $2, now() - interval '1 day', now() - interval '1 day')
         returning id
       )
       insert into exercisetracking (workout_summary_id, exercisetosplit_id, weight, reps)
       select w.id, $3, array[77], array[7] from workout w`,
      [person.phone.id, person.split, person.exercise],
    );
  },
  'UPDATE of an exercise': inDatabase("update exercises set name = name || ' renamed' where id = 1"),
  'UPDATE of a plan': ofPerson("update workoutplans set name = 'By hand' where user_id = $1"),
  'a plan that is given up': ofPerson('update workoutplans set is_active = false where user_id = $1'),
  'the muscle of an own exercise': async ({ server, person }) => {
    await server.sql('update exercisetoworkoutsplit set exercise_id = $2 where id = $1', [
      person.exercise,
      await ownExercise(server, person),
    ]);
    await readAll(server, person);
    await server.sql("update exercises set targetmuscle = 'Back', specifictargetmuscle = 'Lats' where owner_id = $1", [
      person.phone.id,
    ]);
  },
  'UPDATE of a split': ofPerson(
    "update workoutsplits s set name = 'Z' from workoutplans p where p.id = s.workout_id and p.user_id = $1",
  ),
  'UPDATE of a planned exercise': async ({ server, person }) => {
    await server.sql("update exercisetoworkoutsplit set sets = '{9,9}' where id = $1", [person.exercise]);
  },
  'UPDATE of a workout': ofPerson(
    "update workout_summary set workout_start_utc = workout_start_utc - interval '2 days' where user_id = $1",
  ),
  'UPDATE of sets': ofPerson(`update exercisetracking et set weight = '{41}' from workout_summary ws
     where ws.id = et.workout_summary_id and ws.user_id = $1`),
  'UPDATE of a record': ofPerson('update exercise_records set pr_weight = 99 where user_id = $1'),
  'UPDATE of cardio': ofPerson('update aerobictracking set duration_mins = 77 where user_id = $1'),
  'UPDATE of a message': ofPerson("update messages set subject = 'Corrected' where receiver_id = $1"),
  'UPDATE of a profile': ofPerson("update users set gender = 'Female' where id = $1"),
  'UPDATE of the sender of messages': inDatabase("update users set name = name || ' renamed' where role = 'System'"),
  'a plan that goes to somebody else': async ({ server, person, other }) => {
    await server.sql('update workoutplans set is_active = false where user_id = $1', [other.phone.id]);
    await server.sql('update workoutplans set user_id = $2 where user_id = $1 and is_active', [
      person.phone.id,
      other.phone.id,
    ]);
  },
  'cardio that goes to somebody else': async ({ server, person, other }) => {
    await server.sql('update aerobictracking set user_id = $2 where user_id = $1', [person.phone.id, other.phone.id]);
  },
  'DELETE of a workout': ofPerson('delete from workout_summary where user_id = $1'),
  'DELETE of sets': ofPerson(
    'delete from exercisetracking et using workout_summary ws where ws.id = et.workout_summary_id and ws.user_id = $1',
  ),
  'DELETE of cardio': ofPerson('delete from aerobictracking where user_id = $1'),
  'DELETE of messages': ofPerson('delete from messages where receiver_id = $1'),
  'INSERT of an exercise': inDatabase(
    "insert into exercises (name, description, targetmuscle, specifictargetmuscle) values ('New One', '', 'Legs', 'Quads')",
  ),
};
const IMPORT_RECORD = `
  insert into exercise_records (user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id, one_rep_max)
  values ($1, 3, 120, 5, '${LATEST}', 1, 140)`;

describe('the next read after', () => {
  it.for(Object.keys(CHANGES))('%s is fresh', async (name, { server, cold, person, other }) => {
    await Promise.all([readAll(server, person), readAll(server, other)]);
    const before = await vi.waitFor(async () => {
      const read = await readAll(server, person);
      expect(read.told).toEqual(['HIT', 'HIT', 'HIT', 'HIT']);
      return read;
    });
    await CHANGES[name]?.({ server, person, other });
    const [after, others] = [await readAll(server, person), await readAll(server, other)];
    const wrong = (shown: string[], is: string[]) => READS.filter((_, n) => shown[n] !== is[n]);
    expect(wrong(after.texts, (await readAll(cold, person)).texts)).toEqual([]);
    expect(wrong(others.texts, (await readAll(cold, other)).texts)).toEqual([]);
    expect(wrong(after.texts, before.texts)).not.toEqual([]);
  });

  it('a change of one part leaves the answers about others in the cache', async ({ server, person }) => {
    await readAll(server, person);
    await vi.waitFor(async () => expect((await readAll(server, person)).told).toEqual(['HIT', 'HIT', 'HIT', 'HIT']));
    await change(server, person, 'POST', '/api/aerobics/add', { record: { type: 'Walk', durationMins: 9 } });
    expect((await readAll(server, person)).told).toEqual(['HIT', 'HIT', 'MISS', 'HIT']);
  });

  it('a change that is rolled back leaves everything in the cache', async ({ server, person }) => {
    await readAll(server, person);
    await vi.waitFor(async () => expect((await readAll(server, person)).told).toEqual(['HIT', 'HIT', 'HIT', 'HIT']));
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    await client.query('begin; set local role service');
    await client.query('delete from exercise_records where user_id = $1', [person.phone.id]);
    expect((await readAll(server, person)).told).toEqual(['HIT', 'HIT', 'HIT', 'HIT']); // not yet committed
    await client.query('rollback');
    await client.end();
    expect((await readAll(server, person)).told).toEqual(['HIT', 'HIT', 'HIT', 'HIT']);
  });
});
