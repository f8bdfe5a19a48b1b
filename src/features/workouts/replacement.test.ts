import { describe, expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

/** Exercise-to-split ids of the plan: Bench Press and Bent Over Row in A, Back Squat in B. */
interface Ets {
  bench: number;
  row: number;
  squat: number;
}

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken)
  .extend('ets', async ({ server, phone, token }): Promise<Ets> => {
    const names = ['Bench Press', 'Bent Over Row', 'Back Squat'];
    const rows = await server.sql<{ id: string; name: string }>(
      'select id, name from exercises where name = any ($1)',
      [names],
    );
    const id = (name: string) => Number(rows.find((row) => row.name === name)?.id);
    await phone.post('/api/workouts/add', token, {
      workoutData: {
        A: [
          { id: id('Bench Press'), sets: [5, 5] },
          { id: id('Bent Over Row'), sets: [5] },
        ],
        B: [{ id: id('Back Squat'), sets: [5] }],
      },
    });
    const planned = await server.sql<{ id: string; exercise: string }>(
      'select id, exercise from v_exercisetoworkoutsplit_expanded where user_id = $1',
      [phone.id],
    );
    const etsOf = (name: string) => Number(planned.find((row) => row.exercise === name)?.id);
    return { bench: etsOf('Bench Press'), row: etsOf('Bent Over Row'), squat: etsOf('Back Squat') };
  });

interface Entry {
  exercisetosplit_id: number;
  weight: number[];
  reps: number[];
  notes?: string | null;
}
interface Tracking {
  exerciseTrackingAnalysis: { unique_days: number; prs: { pr_max: { weight: number; exercise: string } | null } };
  exerciseTrackingMaps: { byDate: Record<string, Array<{ exercise: string; weight: number[]; notes: string }>> };
}
interface Refusal {
  message: string;
  code: string;
  errors: Array<{ path: string; message: string }>;
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const daysAgo = (days: number) => minutesAgo(days * 24 * 60);
const set = (exercisetosplit_id: number, ...weight: number[]): Entry => ({
  exercisetosplit_id,
  weight,
  reps: weight.map(() => 5),
  notes: null,
});

async function finish(
  phone: Phone,
  token: string,
  workout: Entry[],
  start: string,
  end?: string,
  headers: Record<string, string> = {},
) {
  const body = { workout, workout_start_utc: start, tz: 'UTC', ...(end === undefined ? {} : { workout_end_utc: end }) };
  const response = await phone.post('/api/workouts/finishworkout', token, body, headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Tracking & Refusal };
}
const tracking = async (phone: Phone, token: string) =>
  (await (await phone.get('/api/workouts/gettracking?tz=UTC', token)).json()) as Tracking;
const oneRepMaxima = async (phone: Phone, token: string) => {
  const answer = await phone.get('/api/analytics/get', token);
  const { _1RM } = (await answer.json()) as { _1RM: Record<string, { exercise: string; max_1rm: number }> };
  return Object.fromEntries(Object.values(_1RM).map(({ exercise, max_1rm }) => [exercise, max_1rm]));
};
const stored = (server: TestServer, phone: Phone) =>
  server.sql<{ exercise: string; weight: number[] }>(
    `select exercise, weight from v_exercisetracking_expanded where user_id = $1 order by id`,
    [phone.id],
  );
const doneMessages = async (server: TestServer, phone: Phone) =>
  (await server.sql("select 1 from messages where receiver_id = $1 and subject = 'Workout Done!'", [phone.id])).length;
const dataVersion = async (server: TestServer, phone: Phone) =>
  Number((await server.sql<{ v: string }>('select data_version as v from users where id = $1', [phone.id]))[0]?.v);
const compact = (server: TestServer, now = 'now()') => server.sql(`select housekeeping_compact_old_workouts(${now})`);

describe('the same start again (behaviour 1.5)', () => {
  it('with more sets, because the answer was lost: the stored workout is replaced whole, without a second message', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const before = await dataVersion(server, phone);
    const again = await finish(phone, token, [set(ets.bench, 80, 82.5), set(ets.row, 60)], start, minutesAgo(5));
    expect(again.status).toBe(200);
    expect(await stored(server, phone)).toEqual([
      { exercise: 'Bench Press', weight: [80, 82.5] },
      { exercise: 'Bent Over Row', weight: [60] },
    ]);
    expect(again.body.exerciseTrackingAnalysis).toMatchObject({ unique_days: 1, prs: { pr_max: { weight: 82.5 } } });
    expect(await tracking(phone, token)).toEqual(again.body);
    expect([await doneMessages(server, phone), (await dataVersion(server, phone)) > before]).toEqual([1, true]);
  });

  it('with the same content and a later end: nothing changes', async ({ server, phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [{ ...set(ets.bench, 20.1), notes: 'slow' }], start, minutesAgo(10));
    const rows = () => server.sql('select et.* from exercisetracking et order by et.id');
    const [before, version] = [await rows(), await dataVersion(server, phone)];
    const again = await finish(phone, token, [{ ...set(ets.bench, 20.1), notes: 'slow' }], start, minutesAgo(1));
    expect([again.status, await rows(), await dataVersion(server, phone)]).toEqual([200, before, version]);
  });

  it('an older version that arrives late does not undo the newer one', async ({ server, phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80, 90)], start, minutesAgo(5));
    const late = await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    expect([late.status, await stored(server, phone)]).toEqual([200, [{ exercise: 'Bench Press', weight: [80, 90] }]]);
    // Without an end it is now, which is later.
    await finish(phone, token, [set(ets.bench, 70)], start);
    expect(await stored(server, phone)).toEqual([{ exercise: 'Bench Press', weight: [70] }]);
  });

  it('both at once, many times: the one that ended later is what stands, one workout, one message', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    for (let round = 0; round < 5; round++) {
      const start = minutesAgo(600 - round * 60);
      const ends = [4, 3, 2, 1].map((minutes) => minutesAgo(minutes));
      const answers = await Promise.all(
        ends.map((end, n) => finish(phone, token, [set(ets.bench, 50 + n)], start, end)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const [workout] = await server.sql(
        `select v.weight from v_exercisetracking_expanded v where v.user_id = $1 and v.workout_start_utc = $2`,
        [phone.id, start],
      );
      expect(workout).toEqual({ weight: [53] });
    }
    expect(await doneMessages(server, phone)).toBe(5);
  });

  it('without a start is that of its end', async ({ server, phone, token, ets }) => {
    const end = minutesAgo(10);
    const send = async (weight: number) => {
      const body = { workout: [set(ets.bench, weight)], workout_end_utc: end };
      return (await phone.post('/api/workouts/finishworkout', token, body)).status;
    };
    expect([await send(50), await send(50), await send(60)]).toEqual([200, 200, 200]);
    expect(await stored(server, phone)).toEqual([{ exercise: 'Bench Press', weight: [60] }]);
  });

  it('may be another split', async ({ phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const again = await finish(phone, token, [set(ets.squat, 100)], start, minutesAgo(5));
    expect(again.body.exerciseTrackingAnalysis).toMatchObject({ splitDaysByName: { B: 1 } });
    expect(await oneRepMaxima(phone, token)).toEqual({ 'Back Squat': 116.7 });
  });

  it('that is refused leaves the stored one as it was', async ({ server, phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const [other] = await server.sql<{ id: string }>('select max(id) + 1 as id from exercisetoworkoutsplit');
    for (const workout of [[set(Number(other?.id), 1)], [set(ets.bench, 1), set(ets.squat, 1)], [set(ets.bench, -1)]]) {
      expect((await finish(phone, token, workout, start, minutesAgo(1))).status).toBe(400);
    }
    expect(await stored(server, phone)).toEqual([{ exercise: 'Bench Press', weight: [80] }]);
  });

  it('takes a record back, exactly', async ({ phone, token, ets }) => {
    await finish(phone, token, [set(ets.bench, 100), set(ets.row, 70)], minutesAgo(3000), minutesAgo(2900));
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 140), set(ets.row, 60)], start, minutesAgo(10));
    expect((await tracking(phone, token)).exerciseTrackingAnalysis.prs.pr_max?.weight).toBe(140);
    await finish(phone, token, [set(ets.bench, 104)], start, minutesAgo(5));
    expect((await tracking(phone, token)).exerciseTrackingAnalysis.prs.pr_max?.weight).toBe(104);
    expect(await oneRepMaxima(phone, token)).toEqual({ 'Bench Press': 121.3, 'Bent Over Row': 81.7 });
  });

  it('between housekeeping: the record that was beaten and removed comes back', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    await finish(phone, token, [set(ets.bench, 120)], daysAgo(60), daysAgo(59.9));
    await finish(phone, token, [set(ets.bench, 110)], daysAgo(58), daysAgo(57.9));
    await server.sql(
      `insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
       select $1, (select workoutsplit_id from exercisetoworkoutsplit where id = $2), t, t
       from generate_series(now() - interval '40 days', now() - interval '4 days', interval '1 day') t`,
      [phone.id, ets.bench],
    );
    await server.sql(
      `insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id)
       select $2, '{50}', '{5}', ws.id from workout_summary ws
       where ws.user_id = $1 and not exists (select from exercisetracking et where et.workout_summary_id = ws.id)`,
      [phone.id, ets.bench],
    );
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 150)], start, minutesAgo(10));
    await compact(server); // 120 and 110 are no records any more: both go
    expect((await stored(server, phone)).some(({ weight }) => weight[0] === 120)).toBe(false);
    await finish(phone, token, [set(ets.bench, 115)], start, minutesAgo(5)); // 150 was a slip
    expect((await tracking(phone, token)).exerciseTrackingAnalysis.prs.pr_max?.weight).toBe(120);
    expect(await oneRepMaxima(phone, token)).toEqual({ 'Bench Press': 140 });
    await compact(server);
    expect((await tracking(phone, token)).exerciseTrackingAnalysis.prs.pr_max?.weight).toBe(120);
  });

  it('of workouts that housekeeping has compacted: the next best of the others is the record', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const once = (weight: number): Entry => ({
      exercisetosplit_id: ets.bench,
      weight: [weight],
      reps: [20],
      notes: null,
    });
    const times = (n: number) => ({ start: daysAgo(n), end: daysAgo(n - 0.01), later: daysAgo(n - 0.02) });
    const [first, second, third] = [times(202), times(201), times(200)];
    await finish(phone, token, [once(120)], first.start, first.end);
    await finish(phone, token, [once(100)], second.start, second.end);
    await finish(phone, token, [once(99)], third.start, third.end);
    for (let n = 1; n <= 36; n++) await finish(phone, token, [once(50)], daysAgo(n), daysAgo(n - 0.01));
    await compact(server);
    await finish(phone, token, [once(10)], second.start, second.later);
    await finish(phone, token, [once(10)], first.start, first.later);
    expect((await tracking(phone, token)).exerciseTrackingAnalysis.prs.pr_max?.weight).toBe(99);
    expect(await server.sql('select app.wrong_records($1) as wrong', [phone.id])).toEqual([{ wrong: [] }]);
  });

  it('between plan edits: the exercise may have left the plan meanwhile', async ({ server, phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const [squat] = await server.sql<{ id: string }>("select id from exercises where name = 'Back Squat'");
    await phone.post('/api/workouts/add', token, { workoutData: { C: [{ id: Number(squat?.id), sets: [5] }] } });
    const again = await finish(phone, token, [set(ets.bench, 85)], start, minutesAgo(5));
    expect([again.status, await stored(server, phone)]).toEqual([200, [{ exercise: 'Bench Press', weight: [85] }]]);
  });

  it("another person's workout at the same instant is theirs", async ({ server, phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const mine = [phone, token] as const;
    const other = await newPhone(server);
    const otherToken = (await other.tokens()).accessToken;
    const theirs = await other.post('/api/workouts/finishworkout', otherToken, {
      workout: [set(ets.bench, 1)],
      workout_start_utc: start,
    });
    expect(theirs.status).toBe(400);
    [phone, token] = mine;
    expect(await stored(server, phone)).toEqual([{ exercise: 'Bench Press', weight: [80] }]);
  });

  it('a repeated Idempotency-Key answers with the tracking of now, and stores no body', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const [start, end] = [minutesAgo(60), minutesAgo(10)];
    const key = { 'idempotency-key': 'finish-1' };
    const first = await finish(phone, token, [set(ets.bench, 80)], start, end, key);
    await finish(phone, token, [set(ets.bench, 90)], minutesAgo(30), minutesAgo(20));
    const again = await finish(phone, token, [set(ets.bench, 80)], start, end, key);
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 200, 'true']);
    expect(again.body).toEqual(await tracking(phone, token));
    expect(await server.sql('select body from idempotency_keys where user_id = $1', [phone.id])).toEqual([
      { body: '' },
    ]);
  });
});

describe('the same start again, after a desk has changed the workout', () => {
  interface Logged {
    id: string;
    startedAt: string;
    endedAt: string;
    blocks: Array<{ sets: Array<Record<string, unknown>> }>;
  }
  const items = async (phone: Phone, token: string) =>
    ((await (await phone.get('/api/v1/workouts', token)).json()) as { items: Logged[] }).items;
  async function edited(phone: Phone, token: string, change: (document: Logged) => void): Promise<void> {
    const [document] = await items(phone, token);
    if (!document) throw new Error('nothing in the log');
    change(document);
    expect((await phone.send('PUT', `/api/v1/workouts/${document.id}`, token, document)).status).toBe(200);
  }
  const added = (document: Logged) => {
    const [first] = document.blocks[0]?.sets ?? [];
    document.blocks[0]?.sets.push({ ...first, weight: 85 });
  };
  const shown = async (phone: Phone, token: string) =>
    Object.values((await tracking(phone, token)).exerciseTrackingMaps.byDate).flatMap((rows) =>
      rows.map(({ weight }) => weight),
    );

  it('with the same content: what the desk added stays', async ({ server, phone, token, ets }) => {
    const [start, end] = [minutesAgo(60), minutesAgo(10)];
    const sent = [{ ...set(ets.bench, 80.1, 75), notes: 'slow' }, set(ets.row, 60)];
    await finish(phone, token, sent, start, end);
    await edited(phone, token, added);
    const before = await items(phone, token);
    for (const later of [end, minutesAgo(1), undefined]) {
      expect((await finish(phone, token, sent, start, later)).status).toBe(200);
    }
    expect([await items(phone, token), await shown(phone, token)]).toEqual([
      before,
      [[Math.fround(80.1), 75, 85].map((kg) => expect.closeTo(kg, 4)), [60]],
    ]);
    expect(await doneMessages(server, phone)).toBe(1);
  });

  it('with other content: it is replaced whole, unless the last finish ended later', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    await edited(phone, token, (document) => {
      added(document);
      document.endedAt = minutesAgo(1); // later than the next finish, but it is the finish before that counts
    });
    await finish(phone, token, [set(ets.bench, 70)], start, minutesAgo(20));
    expect(await shown(phone, token)).toEqual([[80, 85]]);
    await finish(phone, token, [set(ets.bench, 81)], start, minutesAgo(5));
    expect(await shown(phone, token)).toEqual([[81]]);
    expect(await items(phone, token)).toMatchObject([{ blocks: [{ sets: [{ weight: 81 }] }] }]);
    expect(await doneMessages(server, phone)).toBe(1);
    // What was replaced is not what was said last any more.
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(4));
    expect(await shown(phone, token)).toEqual([[80]]);
  });

  it('that moved its start: it is one workout, and comes back with other content', async ({ phone, token, ets }) => {
    const [start, moved] = [minutesAgo(60), minutesAgo(90)];
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    await edited(phone, token, (document) => {
      document.startedAt = moved;
    });
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(9));
    expect(await items(phone, token)).toMatchObject([{ startedAt: moved }]);
    const again = await finish(phone, token, [set(ets.bench, 82)], start, minutesAgo(8));
    expect(again.body.exerciseTrackingAnalysis).toMatchObject({ unique_days: 1, prs: { pr_max: { weight: 82 } } });
    expect(await items(phone, token)).toMatchObject([{ startedAt: start, blocks: [{ sets: [{ weight: 82 }] }] }]);
  });

  it('that moved its end before that start: other content brings it back', async ({ phone, token, ets }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    await edited(phone, token, (document) =>
      Object.assign(document, { startedAt: minutesAgo(5), endedAt: minutesAgo(4) }),
    );
    await finish(phone, token, [set(ets.bench, 82)], start, minutesAgo(8));
    expect(await items(phone, token)).toMatchObject([{ startedAt: start, blocks: [{ sets: [{ weight: 82 }] }] }]);
  });

  it('that hid it from the app: it is one workout, and other content shows it again', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    await edited(phone, token, (document) => {
      for (const one of document.blocks.flatMap(({ sets }) => sets)) one.kind = 'warmup';
    });
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(9));
    expect([(await items(phone, token)).length, await shown(phone, token)]).toEqual([1, []]);
    await finish(phone, token, [set(ets.bench, 82)], start, minutesAgo(8));
    expect(await shown(phone, token)).toEqual([[82]]);
    expect(await items(phone, token)).toMatchObject([{ blocks: [{ sets: [{ kind: 'normal', weight: 82 }] }] }]);
    expect(await doneMessages(server, phone)).toBe(1);
    expect(await server.sql('select app.wrong_records($1) as wrong', [phone.id])).toEqual([{ wrong: [] }]);
  });

  it('that removed it: the same content does not bring it back, other content is a workout again', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const start = minutesAgo(60);
    await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(10));
    const [document] = await items(phone, token);
    expect((await phone.send('DELETE', `/api/v1/workouts/${document?.id}`, token)).status).toBe(204);
    const again = await finish(phone, token, [set(ets.bench, 80)], start, minutesAgo(9));
    expect([again.status, await items(phone, token)]).toEqual([200, []]);
    await finish(phone, token, [set(ets.bench, 82)], start, minutesAgo(8));
    expect(await items(phone, token)).toMatchObject([{ startedAt: start, blocks: [{ sets: [{ weight: 82 }] }] }]);
    expect([await shown(phone, token), await doneMessages(server, phone)]).toEqual([[[82]], 1]);
  });

  it('of which no finish is kept, because it was finished long ago: the app’s tables say what it was', async ({
    server,
    phone,
    token,
    ets,
  }) => {
    const start = minutesAgo(60);
    const sent = [{ ...set(ets.bench, 20.1, 20.3), notes: 'slow' }, set(ets.row, 0)];
    await finish(phone, token, sent, start, minutesAgo(10));
    await server.sql('delete from app_finishes where user_id = $1', [phone.id]);
    const version = await dataVersion(server, phone);
    await finish(phone, token, sent, start, minutesAgo(5));
    expect(await dataVersion(server, phone)).toBe(version);
    await finish(phone, token, [set(ets.bench, 30)], start, minutesAgo(11));
    expect(await dataVersion(server, phone)).toBe(version);
    await finish(phone, token, [set(ets.bench, 30)], start, minutesAgo(5));
    expect(await shown(phone, token)).toEqual([[30]]);
  });
});

describe('a refusal in words that a person understands', () => {
  it.for<[object, string]>([
    [{ weight: [80, -1], reps: [5, 5] }, 'Bench Press, set 2: weight must be between 0 and 10000 kg'],
    [{ weight: [80], reps: [0] }, 'Bench Press, set 1: reps must be a whole number between 1 and 10000'],
    [{ weight: 'heavy', reps: [5] }, 'Bench Press: weight must be a list of kilograms, one for each set'],
    [{ weight: [80], reps: [5, 5] }, 'Bench Press: weight and reps must have the same length'],
    [{ weight: [80], reps: [5], notes: 'x'.repeat(1001) }, 'Bench Press: notes may have at most 1000 characters'],
  ])('%o', async ([entry, message], { phone, token, ets }) => {
    const workout = [{ exercisetosplit_id: ets.bench, ...entry }] as Entry[];
    const { status, body } = await finish(phone, token, workout, minutesAgo(5));
    expect([status, body.code, body.message]).toEqual([400, 'VALIDATION_FAILED', message]);
  });

  it('counts exercises that it cannot name, and names nobody else’s', async ({ server, ets }) => {
    const stranger = await newPhone(server);
    const strangersToken = (await stranger.tokens()).accessToken;
    const body = { workout: [set(ets.bench, -1)] };
    const answer = await stranger.post('/api/workouts/finishworkout', strangersToken, body);
    expect(((await answer.json()) as Refusal).message).toBe('Exercise 1, set 1: weight must be between 0 and 10000 kg');
  });

  it('names split and exercise of a plan', async ({ server, phone, token }) => {
    const [bench] = await server.sql<{ id: string }>("select id from exercises where name = 'Bench Press'");
    const add = async (workoutData: unknown) =>
      ((await (await phone.post('/api/workouts/add', token, { workoutData })).json()) as Refusal).message;
    expect(await add({ Push: [{ id: Number(bench?.id), sets: [5, 0] }] })).toBe(
      'Split Push, Bench Press, set 2: sets must be at least 1 rep each',
    );
    expect(await add({ Push: [] })).toBe('Split Push: A split must have at least one exercise');
  });

  it('has at most twenty problems, however many there are', async ({ phone, token, ets }) => {
    const workout = Array.from({ length: 100 }, () => set(ets.bench, ...Array.from({ length: 100 }, () => -1)));
    const { status, body } = await finish(phone, token, workout, minutesAgo(5));
    expect([status, body.errors.length]).toEqual([400, 20]);
    expect(JSON.stringify(body).length).toBeLessThan(4_000);
  });
});

describe('what a person can store', () => {
  it('is bounded in the window of 45 days, and says the number', async ({ server, phone, token, ets }) => {
    const large = Array.from({ length: 100 }, () => set(ets.bench, ...Array.from({ length: 100 }, () => 1)));
    expect((await finish(phone, token, large, minutesAgo(50))).status).toBe(200);
    expect((await finish(phone, token, large, minutesAgo(40))).status).toBe(200);
    const refused = await finish(phone, token, [set(ets.bench, 1)], minutesAgo(30));
    expect([refused.status, refused.body.code]).toEqual([409, 'TRAINING_LIMIT_REACHED']);
    expect(refused.body.message).toBe(
      'At most 2000 exercises, 20000 sets and 200 kB of notes can be stored for 45 days',
    );
    expect((await finish(phone, token, [set(ets.bench, 1)], daysAgo(100), daysAgo(99))).status).toBe(409);
    // What is about to leave the window counts as well: housekeeping has not removed it.
    await server.sql(
      "update workout_summary set workout_start_utc = workout_start_utc - interval '46 days' where user_id = $1",
      [phone.id],
    );
    expect((await finish(phone, token, [set(ets.bench, 1)], minutesAgo(20))).status).toBe(409);
    const [rows] = await server.sql<{ n: string }>('select count(*) as n from workout_summary where user_id = $1', [
      phone.id,
    ]);
    expect(Number(rows?.n)).toBe(2);
    const answer = await (await phone.get('/api/workouts/gettracking', token)).text();
    expect(answer.length).toBeLessThan(3_000_000);
  });

  it('is bounded in a plan over time, too', async ({ server, phone, token }) => {
    const ids = (await server.sql<{ id: string }>('select id from exercises order by id limit 50')).map(({ id }) =>
      Number(id),
    );
    const plan = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`${prefix}${n}`, ids.map((id) => ({ id, sets: [5] }))]));
    const statuses: number[] = [];
    for (const prefix of ['a', 'b', 'c', 'd']) {
      const response = await phone.post('/api/workouts/add', token, { workoutData: plan(prefix) });
      statuses.push(response.status);
      if (response.status === 409) expect(await response.json()).toMatchObject({ code: 'PLAN_LIMIT_REACHED' });
    }
    expect(statuses).toEqual([200, 200, 200, 409]);
  });
});
