import { describe, expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken);

interface PlanAnswer {
  workoutPlan: {
    id: number;
    name: string;
    numberofsplits: number;
    updated_at: string;
    workoutsplits: Array<{
      id: number;
      name: string;
      muscle_group: string;
      exercisetoworkoutsplit: Array<{ id: number; exercise: string; sets: number[] }>;
    }>;
  };
  workoutPlanForEditWorkout: Record<string, Array<{ id: number; name: string; sets: number[]; order_index: number }>>;
}

const call = async (phone: Phone, token: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const response =
    body === undefined && headers === undefined
      ? await phone.get(path, token)
      : await phone.post(path, token, body, headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as never };
};
const save = (phone: Phone, token: string, workoutData: unknown, extra: object = {}) =>
  call(phone, token, '/api/workouts/add', { workoutData, ...extra });
const exerciseId = async (server: TestServer, name: string) => {
  const [row] = await server.sql<{ id: string }>('select id from exercises where name = $1', [name]);
  return Number(row?.id);
};
const count = async (server: TestServer, table: string) => {
  const [row] = await server.sql<{ n: string }>(`select count(*) as n from ${table}`);
  return Number(row?.n);
};

describe('the plan', () => {
  it('without one: null and no second key', async ({ phone, token }) => {
    const answer = await call(phone, token, '/api/workouts/getworkout?tz=Asia%2FJerusalem');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-cache')).toBe('MISS');
    expect(answer.body).toStrictEqual({ workoutPlan: null });
  });

  it('has the shape that the app reads (behaviour 24)', async ({ server, phone, token }) => {
    const [bench, row, squat] = await Promise.all(
      ['Bench Press', 'Bent Over Row', 'Back Squat'].map((name) => exerciseId(server, name)),
    );
    const added = await save(
      phone,
      token,
      {
        A: [
          { id: row, sets: [12, 12], order_index: 1, name: 'ignored', specificTargetMuscle: 'ignored' },
          { id: bench, sets: [10, 8, 6], order_index: 0 },
        ],
        B: [{ id: squat, sets: 5 }],
      },
      { tz: 'America/New_York' },
    );
    expect(added.status).toBe(200);
    const isoUtc = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const split = { workout_id: expect.any(Number), created_at: isoUtc, is_active: true, id: expect.any(Number) };
    const exercise = { id: expect.any(Number), is_active: true };
    const plan = {
      workoutPlan: {
        id: expect.any(Number),
        name: 'My Workout',
        numberofsplits: 2,
        created_at: isoUtc,
        is_deleted: false,
        level: 'Beginner',
        user_id: phone.id,
        trainer_id: phone.id,
        is_active: true,
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[45]:00$/),
        workoutsplits: [
          {
            ...split,
            name: 'A',
            muscle_group: 'Back (Lats), Chest (Major)',
            exercisetoworkoutsplit: [
              {
                ...exercise,
                sets: [10, 8, 6],
                exercise: 'Bench Press',
                workoutsplit: 'A',
                targetmuscle: 'Chest',
                specifictargetmuscle: 'Major',
              },
              {
                ...exercise,
                sets: [12, 12],
                exercise: 'Bent Over Row',
                workoutsplit: 'A',
                targetmuscle: 'Back',
                specifictargetmuscle: 'Lats',
              },
            ],
          },
          {
            ...split,
            name: 'B',
            muscle_group: 'Legs (Quads)',
            exercisetoworkoutsplit: [
              {
                ...exercise,
                sets: [5],
                exercise: 'Back Squat',
                workoutsplit: 'B',
                targetmuscle: 'Legs',
                specifictargetmuscle: 'Quads',
              },
            ],
          },
        ],
      },
      workoutPlanForEditWorkout: {
        A: [
          {
            id: bench,
            name: 'Bench Press',
            sets: [10, 8, 6],
            order_index: 0,
            targetmuscle: 'Chest',
            specifictargetmuscle: 'Major',
          },
          {
            id: row,
            name: 'Bent Over Row',
            sets: [12, 12],
            order_index: 1,
            targetmuscle: 'Back',
            specifictargetmuscle: 'Lats',
          },
        ],
        B: [
          {
            id: squat,
            name: 'Back Squat',
            sets: [5],
            order_index: 0,
            targetmuscle: 'Legs',
            specifictargetmuscle: 'Quads',
          },
        ],
      },
    };
    expect(added.body).toStrictEqual({ message: 'Workout created successfully!', ...plan });
    expect((await call(phone, token, '/api/workouts/getworkout?tz=America%2FNew_York')).body).toStrictEqual(plan);
  });

  it('keeps ids and name across edits; what leaves is deactivated and comes back the same (DA6)', async ({
    server,
    phone,
    token,
  }) => {
    const [bench, row, squat] = await Promise.all(
      ['Bench Press', 'Bent Over Row', 'Back Squat'].map((name) => exerciseId(server, name)),
    );
    const full = {
      A: [
        { id: bench, sets: [5] },
        { id: row, sets: [5] },
      ],
      B: [{ id: squat, sets: [5] }],
    };
    const first = (await save(phone, token, full, { workoutName: 'Heavy' })).body as PlanAnswer;
    const smaller = (await save(phone, token, { A: [{ id: row, sets: [8] }] })).body as PlanAnswer;
    expect(smaller.workoutPlan).toMatchObject({ id: first.workoutPlan.id, name: 'Heavy', numberofsplits: 1 });
    expect(Object.keys(smaller.workoutPlanForEditWorkout)).toEqual(['A']);
    expect(smaller.workoutPlan.workoutsplits[0]?.muscle_group).toBe('Back (Lats)');
    const again = (await save(phone, token, full)).body as PlanAnswer;
    const ids = (plan: PlanAnswer) =>
      plan.workoutPlan.workoutsplits.map((split) => [split.id, split.exercisetoworkoutsplit.map(({ id }) => id)]);
    expect(ids(again)).toEqual(ids(first));
  });

  it('twenty edits at a time leave one plan, whole as one of them wrote it', async ({ server, phone, token }) => {
    const ids = await Promise.all(
      ['Bench Press', 'Bent Over Row', 'Back Squat'].map((name) => exerciseId(server, name)),
    );
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        save(
          phone,
          token,
          Object.fromEntries(
            'ABC'
              .slice(0, 1 + (n % 3))
              .split('')
              .map((name) => [name, ids.map((id) => ({ id, sets: [n + 1] }))]),
          ),
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const { workoutPlan } = (await call(phone, token, '/api/workouts/getworkout')).body as PlanAnswer;
    expect(workoutPlan.numberofsplits).toBe(workoutPlan.workoutsplits.length);
    const reps = workoutPlan.workoutsplits.flatMap((s) => s.exercisetoworkoutsplit.map((e) => e.sets[0]));
    expect(new Set(reps).size).toBe(1);
    expect(await server.sql('select id from workoutplans where user_id = $1 and is_active', [phone.id])).toHaveLength(
      1,
    );
  });

  const good = { id: 1, sets: [10] };
  const badPlans: Array<[string, unknown, string?]> = [
    ['no workoutData', { tz: 'UTC' }],
    ['an empty object', { workoutData: {} }],
    ['a list', { workoutData: [] }],
    ['a split that is no list', { workoutData: { A: good } }],
    ['an empty split', { workoutData: { A: [] } }],
    ['a blank split name', { workoutData: { ' ': [good] } }],
    ['a split name of 51 characters', { workoutData: { ['x'.repeat(51)]: [good] } }],
    ['the split name __proto__', '{"workoutData":{"__proto__":[{"id":1,"sets":[10]}],"A":[{"id":1,"sets":[10]}]}}'],
    ['27 splits', { workoutData: Object.fromEntries(Array.from({ length: 27 }, (_, n) => [`S${n}`, [good]])) }],
    ['51 exercises', { workoutData: { A: Array.from({ length: 51 }, (_, n) => ({ id: n + 1, sets: [1] })) } }],
    ['21 sets', { workoutData: { A: [{ id: 1, sets: Array(21).fill(5) }] } }],
    ['an exercise twice', { workoutData: { A: [good, good] } }],
    ['an unknown exercise', { workoutData: { A: [{ id: 999_999, sets: [1] }] } }, 'UNKNOWN_EXERCISE'],
    ['no sets', { workoutData: { A: [{ id: 1 }] } }],
    ['empty sets', { workoutData: { A: [{ id: 1, sets: [] }] } }],
    ['zero reps', { workoutData: { A: [{ id: 1, sets: [0] }] } }],
    ['10001 reps', { workoutData: { A: [{ id: 1, sets: [10_001] }] } }],
    ['half a rep', { workoutData: { A: [{ id: 1, sets: [1.5] }] } }],
    ['reps as text', { workoutData: { A: [{ id: 1, sets: ['10'] }] } }],
    ['a negative order_index', { workoutData: { A: [{ ...good, order_index: -1 }] } }],
    ['order_index as text', { workoutData: { A: [{ ...good, order_index: '1' }] } }],
    ['workoutName null', { workoutData: { A: [good] }, workoutName: null }],
    ['a blank workoutName', { workoutData: { A: [good] }, workoutName: '  ' }],
    ['a workoutName of 101 characters', { workoutData: { A: [good] }, workoutName: 'x'.repeat(101) }],
    ['a NUL in workoutName', { workoutData: { A: [good] }, workoutName: 'a\u0000b' }],
    ['an unknown zone', { workoutData: { A: [good] }, tz: 'Mars/Base' }, 'INVALID_TIMEZONE'],
  ];
  it.for(badPlans)(
    'refuses %s and writes nothing (IN2)',
    async ([_, body, code = 'VALIDATION_FAILED'], { server, phone, token }) => {
      const before = [await count(server, 'workoutplans'), await count(server, 'workoutsplits')];
      const answer = await call(phone, token, '/api/workouts/add', body);
      expect(answer).toMatchObject({ status: 400, body: { success: false, code, message: expect.any(String) } });
      expect([await count(server, 'workoutplans'), await count(server, 'workoutsplits')]).toEqual(before);
    },
  );
});

describe('a finished workout', () => {
  let split: PlanAnswer['workoutPlan']['workoutsplits'][number];
  let otherSplit: typeof split;
  let ets: number;

  it.beforeEach(async ({ server, phone, token }) => {
    const [bench, row, squat] = await Promise.all(
      ['Bench Press', 'Bent Over Row', 'Back Squat'].map((name) => exerciseId(server, name)),
    );
    const plan = (
      await save(phone, token, {
        A: [
          { id: bench, sets: [10, 8, 6] },
          { id: row, sets: [12] },
        ],
        B: [{ id: squat, sets: [5] }],
      })
    ).body as PlanAnswer;
    [split, otherSplit] = plan.workoutPlan.workoutsplits as [typeof split, typeof split];
    ets = split.exercisetoworkoutsplit[0]?.id ?? 0;
  });
  const finish = (phone: Phone, token: string, body: unknown, headers?: Record<string, string>) =>
    call(phone, token, '/api/workouts/finishworkout', body, headers);
  const set = (changes: object = {}) => ({
    exercisetosplit_id: ets,
    weight: [80, 82.5],
    reps: [10, 8],
    notes: null,
    ...changes,
  });
  const workout = (changes: object = {}) => ({
    workout: [set()],
    workout_start_utc: '2026-11-22T17:00:03.120Z',
    workout_end_utc: '2026-11-22T18:04:10.002Z',
    tz: 'Asia/Jerusalem',
    ...changes,
  });
  const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

  it('is answered with the tracking that includes it', async ({ server, phone, token }) => {
    const start = minutesFromNow(-60);
    const answer = await finish(
      phone,
      token,
      workout({ workout_start_utc: start, workout_end_utc: minutesFromNow(0), tz: 'UTC' }),
    );
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      exerciseTrackingAnalysis: {
        unique_days: 1,
        most_frequent_split: 'A',
        prs: { pr_max: { exercise: 'Bench Press', weight: 82.5, reps: 8, workout_time_utc: start.slice(0, 10) } },
      },
    });
    expect((await call(phone, token, '/api/workouts/gettracking?tz=UTC')).body).toEqual(answer.body);
    expect(await server.sql('select notes from exercisetracking where exercisetosplit_id = $1', [ets])).toEqual([
      { notes: '' },
    ]);
  });

  it('twice or at the same time is one workout and one message; the first version stays (DA3)', async ({
    server,
    phone,
    token,
  }) => {
    const answers = await Promise.all([
      finish(phone, token, workout()),
      finish(phone, token, workout({ workout: [set({ weight: [1, 1] })] })),
      finish(phone, token, workout()),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const later = await finish(phone, token, workout({ workout: [set({ weight: [500], reps: [1] })] }));
    expect(later.body).toMatchObject({ exerciseTrackingAnalysis: { unique_days: 1 } });
    expect(await server.sql('select 1 from exercisetracking where exercisetosplit_id = $1', [ets])).toHaveLength(1);
    expect(
      await server.sql("select 1 from messages where receiver_id = $1 and subject = 'Workout Done!'", [phone.id]),
    ).toHaveLength(1);
  });

  it('without times: it ends now and starts when it ends (DA4)', async ({ server, phone, token }) => {
    expect((await finish(phone, token, { workout: [set()] })).status).toBe(200);
    const [row] = await server.sql<{ same: boolean; recent: boolean }>(
      `select workout_start_utc = workout_end_utc as same, now() - workout_end_utc < interval '10 s' as recent
       from workout_summary where user_id = $1`,
      [phone.id],
    );
    expect(row).toEqual({ same: true, recent: true });
  });

  it('stands when the message about it cannot be written (DA1)', async ({ server, phone, token }) => {
    const [system] = await server.sql("delete from users where role = 'System' returning *");
    try {
      expect((await finish(phone, token, workout())).body).toMatchObject({
        exerciseTrackingAnalysis: { unique_days: 1 },
      });
    } finally {
      await server.sql(
        `insert into users (id, username, name, profile_image_url, role, is_verified, is_first_login)
         values ($1, $2, $3, $4, 'System', true, false)`,
        [system?.id, system?.username, system?.name, system?.profile_image_url],
      );
    }
  });

  it('with half an emoji in the notes, cut off at a length limit, is stored', async ({ phone, token }) => {
    const answer = await finish(phone, token, workout({ workout: [set({ notes: 'ok \u{1F4AA}'.slice(0, 4) })] }));
    expect(answer.body).toMatchObject({ exerciseTrackingMaps: { byETSId: { [ets]: [{ notes: 'ok \ufffd' }] } } });
    expect((await save(phone, token, { 'A\ud83d': [{ id: 1, sets: [5] }] })).status).toBe(200);
  });

  it('may use rows that an edit during training deactivated', async ({ server, phone, token }) => {
    await save(phone, token, { B: [{ id: await exerciseId(server, 'Back Squat'), sets: [5] }] });
    expect((await finish(phone, token, workout())).status).toBe(200);
  });

  it('keeps weights exactly as entered, and their order', async ({ phone, token }) => {
    const weight = [20.1, 82.5, 0.5, 1234.5, 0];
    const answer = await finish(phone, token, workout({ workout: [set({ weight, reps: [6, 5, 4, 3, 2] })] }));
    expect(answer.body).toMatchObject({
      exerciseTrackingMaps: { byETSId: { [ets]: [{ weight, reps: [6, 5, 4, 3, 2] }] } },
    });
  });

  const refused: Array<[string, () => unknown, string?]> = [
    ['no body', () => undefined],
    ['no workout', () => workout({ workout: undefined })],
    ['a workout that is no list', () => workout({ workout: {} })],
    ['an empty workout', () => workout({ workout: [] })],
    ['a start that is no instant', () => workout({ workout_start_utc: '2026-11-22' })],
    ['a start without offset', () => workout({ workout_start_utc: '2026-11-22T17:00:03' })],
    ['a start in the year 0', () => workout({ workout_start_utc: '0000-01-01T00:00:00Z' })],
    ['an end before the start', () => workout({ workout_end_utc: '2026-11-22T16:00:00Z' })],
    [
      'a start 11 minutes ahead',
      () => workout({ workout_start_utc: minutesFromNow(11), workout_end_utc: minutesFromNow(12) }),
    ],
    ['an end in 2099', () => workout({ workout_end_utc: '2099-01-01T00:00:00Z' })],
    ['an unknown exercise', () => workout({ workout: [set({ exercisetosplit_id: 999_999 })] }), 'UNKNOWN_EXERCISE'],
    ['own and unknown', () => workout({ workout: [set(), set({ exercisetosplit_id: 999_999 })] }), 'UNKNOWN_EXERCISE'],
    [
      'two splits',
      () => workout({ workout: [set(), set({ exercisetosplit_id: otherSplit.exercisetoworkoutsplit[0]?.id })] }),
      'MIXED_SPLITS',
    ],
    ['no weight', () => workout({ workout: [set({ weight: undefined })] })],
    ['empty weight and reps', () => workout({ workout: [set({ weight: [], reps: [] })] })],
    ['unequal lengths', () => workout({ workout: [set({ reps: [10] })] })],
    ['weight as text', () => workout({ workout: [set({ weight: ['80', 82.5] })] })],
    ['weight NaN as text', () => workout({ workout: [set({ weight: ['NaN', 1] })] })],
    ['weight 1e39', () => workout({ workout: [set({ weight: [1e39, 1] })] })],
    ['weight 1e-50', () => workout({ workout: [set({ weight: [1e-50, 1] })] })],
    ['a negative weight', () => workout({ workout: [set({ weight: [-1, 1] })] })],
    ['weight null', () => workout({ workout: [set({ weight: [null, 1] })] })],
    ['zero reps', () => workout({ workout: [set({ reps: [0, 1] })] })],
    ['half a rep', () => workout({ workout: [set({ reps: [1.5, 1] })] })],
    ['10001 reps', () => workout({ workout: [set({ reps: [10_001, 1] })] })],
    ['notes of 1001 characters', () => workout({ workout: [set({ notes: 'x'.repeat(1001) })] })],
    ['101 entries', () => workout({ workout: Array(101).fill(set()) })],
    ['101 sets', () => workout({ workout: [set({ weight: Array(101).fill(1), reps: Array(101).fill(1) })] })],
    ['an unknown zone', () => workout({ tz: 'Mars/Base' }), 'INVALID_TIMEZONE'],
    ['an offset as zone', () => workout({ tz: '+02:00' }), 'INVALID_TIMEZONE'],
  ];
  it.for(refused)(
    'refuses %s and stores nothing (IN1, IS2)',
    async ([_, body, code = 'VALIDATION_FAILED'], { server, phone, token }) => {
      const answer = await finish(phone, token, body(), {});
      expect(answer).toMatchObject({ status: 400, body: { code } });
      expect(await server.sql('select 1 from workout_summary where user_id = $1', [phone.id])).toEqual([]);
    },
  );

  it('says "Not a valid workout" where there is none', async ({ phone, token }) => {
    for (const body of [undefined, {}, { workout: null }, { workout: [] }]) {
      expect((await finish(phone, token, body, {})).body).toMatchObject({ message: 'Not a valid workout' });
    }
  });

  it("refuses another person's exercise, alone or beside an own one (IS2)", async ({ server, phone, token }) => {
    const mine = { phone, token, ets };
    phone = await newPhone(server);
    token = (await phone.tokens()).accessToken;
    const plan = (await save(phone, token, { A: [{ id: await exerciseId(server, 'Bench Press'), sets: [5] }] }))
      .body as PlanAnswer;
    const own = plan.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id;
    for (const ids of [[mine.ets], [own, mine.ets]]) {
      const answer = await finish(phone, token, workout({ workout: ids.map((id) => set({ exercisetosplit_id: id })) }));
      expect(answer).toMatchObject({ status: 400, body: { code: 'UNKNOWN_EXERCISE' } });
    }
    expect(await count(server, `workout_summary where user_id in ('${phone.id}', '${mine.phone.id}')`)).toBe(0);
  });

  it.for([
    ['', 200],
    ['%20', 200],
    ['undefined', 200],
    ['null', 200],
    ['Etc/GMT%202', 200],
    ['asia/jerusalem', 200],
    ['Mars/Base', 400],
    ['%2B02:00', 400],
  ])('the zone "%s" is answered %i (IN3)', async ([zone, status], { phone, token }) => {
    expect((await call(phone, token, `/api/workouts/gettracking?tz=${zone}`)).status).toBe(status);
  });

  it('a repeated zone counts once: the first', async ({ phone, token }) => {
    expect((await call(phone, token, '/api/workouts/gettracking?tz=UTC&tz=Mars/Base')).status).toBe(200);
  });
});

describe('Idempotency-Key (behaviour 0.13)', () => {
  const body = async (server: TestServer) => ({
    workoutData: { A: [{ id: await exerciseId(server, 'Bench Press'), sets: [5] }] },
  });
  const add = (phone: Phone, token: string, sent: unknown, key: string) =>
    call(phone, token, '/api/workouts/add', sent, { 'idempotency-key': key });

  it('repeats the first answer for the same bytes, also in parallel', async ({ server, phone, token }) => {
    const sent = await body(server);
    const answers = await Promise.all(Array.from({ length: 5 }, () => add(phone, token, sent, 'k-1')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(4);
  });

  it('refuses another body, and a key that is none', async ({ server, phone, token }) => {
    await add(phone, token, await body(server), 'k-2');
    expect(await add(phone, token, { ...(await body(server)), workoutName: 'Other' }, 'k-2')).toMatchObject({
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED', message: 'Idempotency-Key was already used with another body' },
    });
    expect(await add(phone, token, await body(server), 'k'.repeat(256))).toMatchObject({
      status: 400,
      body: { code: 'IDEMPOTENCY_KEY_INVALID', message: 'Idempotency-Key is invalid' },
    });
  });

  it('keeps only successes, belongs to one person, and ends after a day', async ({ server, phone, token }) => {
    expect((await add(phone, token, { workoutData: {} }, 'k-3')).status).toBe(400);
    expect((await add(phone, token, await body(server), 'k-3')).status).toBe(200);
    await server.sql("update idempotency_keys set created_at = now() - interval '25 hours' where user_id = $1", [
      phone.id,
    ]);
    const renewed = await add(phone, token, { ...(await body(server)), workoutName: 'Next day' }, 'k-3');
    expect([renewed.status, renewed.headers.get('idempotency-replayed')]).toEqual([200, null]);
    phone = await newPhone(server);
    token = (await phone.tokens()).accessToken;
    expect((await add(phone, token, await body(server), 'k-3')).headers.get('idempotency-replayed')).toBe(null);
  });
});
