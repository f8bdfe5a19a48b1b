import fc from 'fast-check';
import pg from 'pg';
import { describe, expect } from 'vitest';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { rebuildRecords, remaining } from '#src/cli/rebuildRecords.ts';
import { newPhone } from './helpers/person.ts';
import { asSuperuser, type TestServer, withServer } from './helpers/server.ts';
import {
  type DoneWorkout,
  type ReferencePlan,
  referenceBest,
  referenceGoals,
  referenceMaps,
  referenceOneRepMaxima,
  referenceRecords,
  referenceStatistics,
} from './helpers/trainingReference.ts';

const it = withServer().extend('ids', { scope: 'file' }, async ({ server }) => {
  const rows = await server.sql<{ id: string; name: string }>('select id, name from exercises');
  return new Map(rows.map(({ id, name }) => [name, Number(id)]));
});

const PLAN: ReferencePlan = {
  A: { 'Bench Press': [10, 8, 6], 'Bent Over Row': [12, 12], 'Back Squat': [5] },
  B: { 'Back Squat': [5, 5], 'Bicycle Crunch': [20] },
};
const ZONES = ['Asia/Jerusalem', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham', 'UTC'];
const MINUTE_MS = 60_000;
const WINDOW_MINUTES = 45 * 24 * 60;

const weight = fc.oneof(
  fc.integer({ min: 0, max: 800 }).map((n) => n / 4),
  fc.integer({ min: 1, max: 3000 }).map((n) => n / 10),
  fc.constantFrom(0, 20.1, 82.5, 9999.9),
);
const sets = fc.array(fc.record({ weight, reps: fc.integer({ min: 1, max: 15 }) }), { minLength: 1, maxLength: 4 });

const workout = fc
  .record({
    // Not within two minutes of the window's edge, which moves while the test runs.
    minutesAgo: fc.integer({ min: 1, max: 90 * 24 * 60 }).filter((n) => Math.abs(n - WINDOW_MINUTES) > 2),
    split: fc.constantFrom(...Object.keys(PLAN)),
  })
  .chain(({ minutesAgo, split }) =>
    fc
      .subarray(Object.keys(PLAN[split] ?? {}), { minLength: 1 })
      .chain((names) => fc.tuple(...names.map((exercise) => sets.map((done) => ({ exercise, done })))))
      .map((exercises) => ({ minutesAgo, split, exercises })),
  );
const history = fc.uniqueArray(workout, { selector: (w) => w.minutesAgo, maxLength: 9 });

interface Saved {
  workoutPlan: {
    workoutsplits: Array<{ name: string; exercisetoworkoutsplit: Array<{ id: number; exercise: string }> }>;
  };
}
interface Row {
  exercise: string;
  splitname?: string;
  workoutdate?: string;
  order_index: number;
  weight: number[];
  reps: number[];
}
interface Tracking {
  exerciseTrackingAnalysis: { prs: { pr_max: unknown } } & ReturnType<typeof referenceStatistics>;
  exerciseTrackingMaps: Record<'byDate' | 'byETSId' | 'bySplitName', Record<string, Row[]>>;
}
interface Analytics {
  _1RM: Record<string, { exercise: string; pr_weight: number; pr_reps: number; max_1rm: number }>;
  goals: Record<string, Record<string, { planned: number; actual: number; adherence_pct: number }>>;
}

/** A person who finishes these workouts in this order. */
async function trainee(server: TestServer, ids: Map<string, number>, done: DoneWorkout[]) {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const savePlan = async (plan: ReferencePlan) => {
    const workoutData = Object.fromEntries(
      Object.entries(plan).map(([split, exercises]) => [
        split,
        Object.entries(exercises).map(([name, planned]) => ({ id: ids.get(name), sets: planned })),
      ]),
    );
    const response = await phone.post('/api/workouts/add', accessToken, { workoutData });
    expect(response.status).toBe(200);
    return (await response.json()) as Saved;
  };
  const { workoutPlan } = await savePlan(PLAN);
  const ets = new Map(
    workoutPlan.workoutsplits.flatMap(({ name, exercisetoworkoutsplit }) =>
      exercisetoworkoutsplit.map(({ id, exercise }) => [`${name} ${exercise}`, id] as const),
    ),
  );
  for (const { start, split, exercises } of done) {
    const response = await phone.post('/api/workouts/finishworkout', accessToken, {
      workout: exercises.map(({ exercise, ...row }) => ({
        exercisetosplit_id: ets.get(`${split} ${exercise}`),
        ...row,
      })),
      workout_start_utc: start.toISOString(),
      workout_end_utc: start.toISOString(),
    });
    expect(response.status).toBe(200);
  }
  const get = async <T>(path: string) => (await (await phone.get(path, accessToken)).json()) as T;
  return {
    id: phone.id,
    ets,
    savePlan,
    tracking: (zone: string) => get<Tracking>(`/api/workouts/gettracking?tz=${encodeURIComponent(zone)}`),
    analytics: () => get<Analytics>('/api/analytics/get'),
  };
}

const fields = ({ exercise, weight: kilograms, reps }: Row) => ({ exercise, weight: kilograms, reps });
const mapped = <T, R>(map: Record<string, T[]>, change: (row: T) => R) =>
  Object.fromEntries(Object.entries(map).map(([key, rows]) => [key, rows.map(change)]));

async function rebuild(server: TestServer, args: string[] = [], shown: string[] = []): Promise<string[]> {
  const db = openDatabase({
    url: server.databaseUrl,
    poolSize: 1,
    preparedStatements: true,
    log: buildLog('silent'),
  });
  const said: string[] = [];
  try {
    await rebuildRecords({
      config: server.config,
      db,
      log: buildLog('silent'),
      outbox: buildOutbox(),
      args,
      say: (line) => said.push(line),
      ownerUrl: server.databaseUrl,
      progress: (line) => shown.push(line),
    });
  } finally {
    await db.close();
  }
  return said;
}

/** A connection of its own, in a transaction that is undone at the end. */
async function inTransaction(server: TestServer, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
  await client.connect();
  try {
    await client.query('begin');
    await work(client);
  } finally {
    await client.query('rollback');
    await client.end();
  }
}
const isFree = async (server: TestServer, id: string) =>
  (await server.sql('select 1 from users where id = $1 for update skip locked', [id])).length === 1;

describe('what is done to the rows of all people', () => {
  /** Somebody with a workout that is years old and one of today. */
  async function oldHand(server: TestServer, workouts: number): Promise<string> {
    const { id } = await newPhone(server);
    await server.sql(
      `with plan as (insert into workoutplans (user_id) values ($1) returning id),
       split as (insert into workoutsplits (workout_id, name) select id, 'A' from plan returning id),
       ets as (
         insert into exercisetoworkoutsplit (exercise_id, workoutsplit_id, sets, order_index)
         select 1, id, '{5}', 0 from split returning id, workoutsplit_id
       ),
       done as (
         insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
         select $1, ets.workoutsplit_id, t.at, t.at
         from ets, generate_series(1, $2) n, lateral (select now() - n * interval '2 days' as at) t
         returning id, workout_start_utc
       )
       insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id)
       select ets.id, '{50}', '{5}', done.id from ets, done order by done.workout_start_utc`,
      [id, workouts],
    );
    await server.sql('select app.log_missing_workouts($1)', [id]);
    return id;
  }

  it('housekeeping locks nobody who has nothing to remove', async ({ server }) => {
    const [few, many] = [await oldHand(server, 35), await oldHand(server, 60)];
    /** The last id that sorts before this one, so that it is the next to be looked at. */
    const idBefore = (id: string) => {
      const previous = (BigInt(`0x${id.replaceAll('-', '')}`) - 1n).toString(16).padStart(32, '0');
      return previous.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    };
    await inTransaction(server, async (client) => {
      await client.query('select * from app.compact_old_workouts($1, 1)', [idBefore(few)]);
      expect(await isFree(server, few)).toBe(true);
      await client.query('select * from app.compact_old_workouts($1, 1)', [idBefore(many)]);
      expect(await isFree(server, many)).toBe(false);
    });
  });

  it('a workout that a release without the log finished can be replaced, and counts for records', async ({
    server,
  }) => {
    const id = await oldHand(server, 2);
    const [newest] = await server.sql<{ id: string; split: string }>(
      `select ws.id, ws.workoutsplit_id as split from workout_summary ws
       where ws.user_id = $1 order by ws.workout_start_utc desc`,
      [id],
    );
    await server.sql('delete from log_workouts where user_id = $1', [id]);
    await inTransaction(server, async (client) => {
      await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify({ sub: id })]);
      await client.query('select app.begin_replacement($1, $2, now())', [newest?.id, newest?.split]);
      await client.query(
        `insert into exercisetracking (workout_summary_id, exercisetosplit_id, weight, reps)
         select $1, ets.id, '{40}', '{5}' from exercisetoworkoutsplit ets where ets.workoutsplit_id = $2`,
        [newest?.id, newest?.split],
      );
      await client.query("select app.finish_replacement($1, '{1}')", [newest?.id]);
      const { rows } = await client.query(
        `select w.summary_id = $2 as replaced, s.weight::float8 as weight, r.pr_weight as record
         from log_workouts w
         join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
         join log_sets s on s.user_id = b.user_id and s.block_id = b.id
         join exercise_records r on r.user_id = w.user_id
         where w.user_id = $1
         order by w.started_at`,
        [id, newest?.id],
      );
      expect(rows).toEqual([
        { replaced: false, weight: 50, record: 50 },
        { replaced: true, weight: 40, record: 50 },
      ]);
    });
  });

  it('rebuilding records locks nobody whose records are right, and says where it goes on', async ({ server }) => {
    const [right, wrong] = [await oldHand(server, 3), await oldHand(server, 3)];
    await server.sql('update exercise_records set pr_weight = 1 where user_id = $1', [wrong]);
    await inTransaction(server, async (client) => {
      expect((await client.query('select app.rebuild_exercise_records($1) as n', [right])).rows).toEqual([{ n: 0 }]);
      expect(await isFree(server, right)).toBe(true);
      expect((await client.query('select app.rebuild_exercise_records($1) as n', [wrong])).rows).toEqual([{ n: 1 }]);
      expect(await isFree(server, wrong)).toBe(false);
    });
    const shown: string[] = [];
    await rebuild(server, [], shown);
    expect(shown.at(-1)).toMatch(
      /^\[#{30}\] \d+ of \d+, about 0 s left; if this is interrupted, go on with --after [0-9a-f-]{36}$/,
    );
    expect(await rebuild(server, ['--after', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])).toEqual([
      'Every record was right.',
    ]);
  });
});

it('tracking, records, one-rep maxima and adherence of any history equal a plain computation, in any order of finishing', async ({
  server,
  ids,
}) => {
  await fc.assert(
    fc.asyncProperty(history, fc.constantFrom(...ZONES), async (generated, zone) => {
      const now = new Date();
      const done: DoneWorkout[] = generated.map(({ minutesAgo, split, exercises }) => ({
        start: new Date(now.getTime() - minutesAgo * MINUTE_MS),
        split,
        exercises: exercises.map((row) => ({
          exercise: row.exercise,
          weight: row.done.map((set) => set.weight),
          reps: row.done.map((set) => set.reps),
        })),
      }));
      const person = await trainee(server, ids, done); // generated in no order of time
      const { exerciseTrackingAnalysis, exerciseTrackingMaps: maps } = await person.tracking(zone);
      const { prs, ...statistics } = exerciseTrackingAnalysis;
      expect(statistics).toEqual(referenceStatistics(done, zone));

      const records = referenceRecords(done);
      expect(prs.pr_max).toEqual(referenceBest(done, zone));

      const expected = referenceMaps(done, PLAN, zone, now);
      expect(mapped(maps.byDate, fields)).toEqual(mapped(expected.byDate, fields));
      expect(mapped(maps.bySplitName, fields)).toEqual(mapped(expected.bySplitName, fields));
      const rowsOfExercise = Object.values(maps.byETSId).flat();
      for (const [key, id] of person.ets) {
        const split = key[0] as string;
        const wanted = expected.byExercise[key.slice(2)]?.filter((row) => row.splitname === split) ?? [];
        expect((maps.byETSId[id] ?? []).map(fields)).toEqual(wanted.map(fields));
      }
      expect(rowsOfExercise.map((row) => [row.workoutdate, row.splitname]).toSorted()).toEqual(
        Object.values(expected.byExercise)
          .flat()
          .map((row) => [row.workoutdate, row.splitname])
          .toSorted(),
      );

      const { _1RM, goals } = await person.analytics();
      const maxima = referenceOneRepMaxima(done);
      expect(_1RM).toEqual(
        Object.fromEntries(
          [...maxima].map(([exercise, max_1rm]) => {
            const record = records.get(exercise);
            return [ids.get(exercise), { exercise, pr_weight: record?.weight, pr_reps: record?.reps, max_1rm }];
          }),
        ),
      );
      expect(goals).toEqual(
        Object.fromEntries(
          Object.entries(referenceGoals(done, PLAN)).map(([split, exercises]) => [
            split,
            Object.fromEntries(
              Object.entries(exercises).map(([name, { planned, actual }]) => [
                name,
                {
                  planned,
                  actual: expect.closeTo(actual, 9),
                  adherence_pct: expect.closeTo((100 * actual) / planned, 9),
                },
              ]),
            ),
          ]),
        ),
      );
    }),
    { numRuns: 25 },
  );
});

const editedPlan = fc
  .uniqueArray(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .uniqueArray(fc.constantFrom('Bench Press', 'Bent Over Row', 'Back Squat', 'Bicycle Crunch'), {
            minLength: 1,
          })
          .map((exercises) => [name, Object.fromEntries(exercises.map((exercise) => [exercise, [5, 5]]))] as const),
      ),
    ),
  )
  .map((splits): ReferencePlan => Object.fromEntries(splits));

it('plan edits and housekeeping never lose a record or the statistics, and records can be computed anew', async ({
  server,
  ids,
}) => {
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(editedPlan, { maxLength: 4 }),
      fc.integer({ min: 0, max: 400 }),
      async (generated, edits, daysLater) => {
        const now = Date.now();
        const done: DoneWorkout[] = generated.map(({ minutesAgo, split, exercises }) => ({
          start: new Date(now - minutesAgo * MINUTE_MS),
          split,
          exercises: exercises.map((row) => ({
            exercise: row.exercise,
            weight: row.done.map((set) => set.weight),
            reps: row.done.map((set) => set.reps),
          })),
        }));
        const person = await trainee(server, ids, done);
        const before = [await person.tracking('UTC'), (await person.analytics())._1RM] as const;
        for (const plan of edits) await person.savePlan(plan);
        const edited = await person.tracking('UTC');
        expect(edited.exerciseTrackingAnalysis).toEqual(before[0].exerciseTrackingAnalysis);
        const done45 = (tracking: Tracking) =>
          mapped(tracking.exerciseTrackingMaps.byETSId, (row) => ({ ...fields(row), day: row.workoutdate }));
        expect(done45(edited)).toEqual(done45(before[0]));

        await server.sql('select housekeeping_compact_old_workouts(now() + make_interval(days => $1))', [daysLater]);
        const kept = [(await person.tracking('UTC')).exerciseTrackingAnalysis, (await person.analytics())._1RM];
        expect(kept).toEqual([before[0].exerciseTrackingAnalysis, before[1]]);
        expect(await rebuild(server)).toEqual(['Every record was right.']);
      },
    ),
    { numRuns: 10 },
  );
});

it.for([
  [1_000, 1, 11, 'about 10 s left'],
  [60_000, 100, 1_000, 'about 9 min left'],
  [60_000, 100, 100_000, 'about 16.6 h left'],
  [5_000, 12, 10, 'about 0 s left'], // two people have registered meanwhile
] as const)('db:rebuild-records estimates: after %i ms with %i of %i, %s', ([elapsed, done, people, text]) => {
  expect(remaining(elapsed, done, people)).toBe(text);
});

it('db:rebuild-records mends what is wrong, missing or too much, and the cached payloads with it', async ({
  server,
  ids,
}) => {
  const start = new Date(Date.now() - 86_400_000);
  const exercises = [
    { exercise: 'Bench Press', weight: [80, 82.5], reps: [10, 8] },
    { exercise: 'Back Squat', weight: [100], reps: [5] },
  ];
  const person = await trainee(server, ids, [{ start, split: 'A', exercises }]);
  const right = await person.analytics();
  await server.sql(
    'update exercise_records set pr_weight = 1, one_rep_max = 999 where user_id = $1 and exercise_id = $2',
    [person.id, ids.get('Bench Press')],
  );
  await server.sql('delete from exercise_records where user_id = $1 and exercise_id = $2', [
    person.id,
    ids.get('Back Squat'),
  ]);
  await server.sql(
    `insert into exercise_records (user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id)
     values ($1, $2, 500, 1, now(), 1)`,
    [person.id, ids.get('Bicycle Crunch')],
  );
  expect(await person.analytics()).not.toEqual(right);
  const shown: string[] = [];
  expect(await rebuild(server, [], shown)).toEqual(['3 records were wrong and are right now.']);
  expect(await person.analytics()).toEqual(right);
  expect(shown.at(-1)).toMatch(/^\[#{30}\] (\d+) of \1, about 0 s left; if this is interrupted, go on with --after /);
});
