import { describe, expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { withServer } from '#tests/helpers/server.ts';

/** Exercise-to-split ids: A holds Bench Press and Bent Over Row, B holds Back Squat. */
interface Ets {
  bench: number;
  row: number;
  squat: number;
}

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken)
  .extend('ets', async ({ server, phone, token }): Promise<Ets> => {
    const ids = await server.sql<{ name: string; id: string }>(
      "select name, id from exercises where name in ('Bench Press', 'Bent Over Row', 'Back Squat')",
    );
    const id = (name: string) => Number(ids.find((row) => row.name === name)?.id);
    const response = await phone.post('/api/workouts/add', token, {
      workoutData: {
        A: [
          { id: id('Bench Press'), sets: [10, 8, 6] },
          { id: id('Bent Over Row'), sets: [12] },
        ],
        B: [{ id: id('Back Squat'), sets: [5] }],
      },
    });
    const plan = (await response.json()) as {
      workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
    };
    const [a, b] = plan.workoutPlan.workoutsplits.map((split) => split.exercisetoworkoutsplit.map((row) => row.id));
    return { bench: a?.[0] ?? 0, row: a?.[1] ?? 0, squat: b?.[0] ?? 0 };
  });

interface Row {
  id: number;
  exercisetosplit_id: number;
  weight: number[];
  splitname?: string;
  workoutdate?: string;
}
interface Tracking {
  exerciseTrackingAnalysis: {
    unique_days: number;
    most_frequent_split: string | null;
    most_frequent_split_days: number | null;
    lastWorkoutDate: string | null;
    splitDaysByName: Record<string, number>;
    prs: { pr_max: { exercise: string; weight: number; reps: number; workout_time_utc: string } | null };
  };
  exerciseTrackingMaps: Record<'byDate' | 'byETSId' | 'bySplitName', Record<string, Row[]>>;
}

type Done = [exercise: keyof Ets, weight: number[], reps: number[]];
const finish = async (phone: Phone, token: string, ets: Ets, start: string, done: Done[], tz = 'UTC') => {
  const response = await phone.post('/api/workouts/finishworkout', token, {
    workout: done.map(([exercise, weight, reps]) => ({ exercisetosplit_id: ets[exercise], weight, reps })),
    workout_start_utc: start,
    workout_end_utc: start,
    tz,
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Tracking;
};
const read = async (phone: Phone, token: string, tz = 'UTC') =>
  (await (await phone.get(`/api/workouts/gettracking?tz=${encodeURIComponent(tz)}`, token)).json()) as Tracking;
/** That many days ago at this UTC time. */
const ago = (days: number, time = '12:00:00.000') =>
  `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)}T${time}Z`;

describe('statistics (behaviour 4.1)', () => {
  it('without workouts: empty maps and nulls, pr_max null', async ({ phone, token }) => {
    expect(await read(phone, token)).toEqual({
      exerciseTrackingAnalysis: {
        unique_days: 0,
        most_frequent_split: null,
        most_frequent_split_days: null,
        lastWorkoutDate: null,
        splitDaysByName: {},
        prs: { pr_max: null },
      },
      exerciseTrackingMaps: { byDate: {}, byETSId: {}, bySplitName: {} },
    });
  });

  it('Mon A, Wed B, Fri A, Fri A: four workouts, A three times', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(6), [['bench', [50], [5]]]);
    await finish(phone, token, ets, ago(4), [['squat', [50], [5]]]);
    await finish(phone, token, ets, ago(2, '08:00:00.000'), [['bench', [50], [5]]]);
    const { exerciseTrackingAnalysis } = await finish(phone, token, ets, ago(2, '18:00:00.000'), [
      ['bench', [50], [5]],
    ]);
    expect(exerciseTrackingAnalysis).toMatchObject({
      unique_days: 4,
      most_frequent_split: 'A',
      most_frequent_split_days: 3,
      splitDaysByName: { A: 3, B: 1 },
      lastWorkoutDate: ago(2).slice(0, 10),
    });
  });

  it('a tie goes to the split trained last, whatever the order of finishing', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(1), [['squat', [50], [5]]]);
    await finish(phone, token, ets, ago(3), [['bench', [50], [5]]]);
    expect((await read(phone, token)).exerciseTrackingAnalysis.most_frequent_split).toBe('B');
    expect((await read(phone, token)).exerciseTrackingAnalysis.lastWorkoutDate).toBe(ago(1).slice(0, 10));
  });

  it('counts workouts of all time, also of splits that were removed', async ({ server, phone, token, ets }) => {
    await finish(phone, token, ets, ago(200), [['squat', [50], [5]]]);
    const [bench] = await server.sql("select id::int from exercises where name = 'Bench Press'");
    await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: bench?.id, sets: [5] }] } });
    const tracking = await read(phone, token);
    expect(tracking.exerciseTrackingAnalysis).toMatchObject({ unique_days: 1, splitDaysByName: { B: 1 } });
    expect(tracking.exerciseTrackingMaps.byDate).toEqual({});
  });
});

describe('the record (behaviour 4.3)', () => {
  const best = async (phone: Phone, token: string) => (await read(phone, token)).exerciseTrackingAnalysis.prs.pr_max;

  it('is the largest weight; ties go to more reps, then to the later workout', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(9), [['bench', [80, 82.5], [10, 8]]]);
    expect(await best(phone, token)).toEqual({
      exercise: 'Bench Press',
      weight: 82.5,
      reps: 8,
      workout_time_utc: ago(9).slice(0, 10),
    });
    await finish(phone, token, ets, ago(8), [['bench', [82.5], [7]]]);
    expect((await best(phone, token))?.reps).toBe(8);
    await finish(phone, token, ets, ago(7), [['bench', [82.5], [8]]]);
    expect((await best(phone, token))?.workout_time_utc).toBe(ago(7).slice(0, 10));
    // Entered late, trained earlier: the later workout keeps the record.
    await finish(phone, token, ets, ago(20), [['bench', [82.5], [8]]]);
    expect((await best(phone, token))?.workout_time_utc).toBe(ago(7).slice(0, 10));
    await finish(phone, token, ets, ago(6), [['squat', [120], [3]]]);
    expect((await best(phone, token))?.exercise).toBe('Back Squat');
  });

  it('needs a weight; without one the best set stands in its place', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(1), [['bench', [0, 0], [20, 20]]]);
    expect(await best(phone, token)).toMatchObject({ exercise: 'Bench Press', weight: 0, reps: 20 });
    expect(await (await phone.get('/api/analytics/get', token)).json()).toMatchObject({ _1RM: {} });
  });

  it('is per user, also for a reader past row-level security (DA7)', async ({ server, phone, token, ets }) => {
    const first = phone.id;
    await finish(phone, token, ets, ago(1), [['bench', [60], [5]]]);
    phone = await newPhone(server);
    token = (await phone.tokens()).accessToken;
    const [bench] = await server.sql("select id::int from exercises where name = 'Bench Press'");
    const plan = (await (
      await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: bench?.id, sets: [5] }] } })
    ).json()) as { workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> } };
    ets.bench = plan.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id ?? 0;
    await finish(phone, token, ets, ago(1), [['bench', [70], [5]]]);
    const records = await server.sql('select user_id, weight from v_prs where user_id = any ($1) order by weight', [
      [first, phone.id],
    ]);
    expect(records).toEqual([
      { user_id: first, weight: 60 },
      { user_id: phone.id, weight: 70 },
    ]);
  });
});

describe('the maps (behaviour 4.2)', () => {
  it('Mon 50, Tue 60, Tue 70: newest first by exercise, oldest first by day (DA9)', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(3), [['bench', [50], [5]]]);
    await finish(phone, token, ets, ago(2, '08:00:00.000'), [['bench', [60], [5]]]);
    const { exerciseTrackingMaps: maps } = await finish(phone, token, ets, ago(2, '18:00:00.000'), [
      ['bench', [70], [5]],
    ]);
    const weights = (rows: Row[] | undefined) => rows?.map((row) => row.weight[0]);
    expect(weights(maps.byETSId[ets.bench])).toEqual([70, 60, 50]);
    expect(weights(maps.bySplitName.A)).toEqual([70, 60, 50]);
    expect(weights(maps.byDate[ago(2).slice(0, 10)])).toEqual([60, 70]);
    expect(Object.keys(maps.byDate).sort()).toEqual([ago(3).slice(0, 10), ago(2).slice(0, 10)]);
  });

  it('rows have exactly the fields that each map promises (behaviour 25)', async ({ phone, token, ets }) => {
    const { exerciseTrackingMaps: maps } = await finish(phone, token, ets, ago(1), [
      ['row', [40], [12]],
      ['bench', [80, 82.5], [10, 8]],
    ]);
    const day = ago(1).slice(0, 10);
    const full = {
      id: expect.any(Number),
      exercisetosplit_id: ets.bench,
      weight: [80, 82.5],
      reps: [10, 8],
      exercise_id: expect.any(Number),
      workoutsplit_id: expect.any(Number),
      splitname: 'A',
      exercise: 'Bench Press',
      notes: '',
      order_index: 0,
      exercisetoworkoutsplit: { sets: [10, 8, 6], exercises: { targetmuscle: 'Chest', specifictargetmuscle: 'Major' } },
      workoutdate: day,
    };
    const { workoutdate: _date, ...undated } = full;
    const { splitname: _split, ...nameless } = full;
    expect(maps.byDate[day]?.[0]).toStrictEqual(undated);
    expect(maps.byETSId[ets.bench]?.[0]).toStrictEqual(full);
    expect(maps.bySplitName.A?.[0]).toStrictEqual(nameless);
    expect(maps.byDate[day]?.map((row) => row.exercisetosplit_id)).toEqual([ets.bench, ets.row]);
  });

  it('reach 45 days back, to the millisecond', async ({ phone, token, ets }) => {
    const days45 = Date.now() - 45 * 86_400_000;
    await finish(phone, token, ets, new Date(days45 + 60_000).toISOString(), [['bench', [50], [5]]]);
    const { exerciseTrackingMaps } = await finish(phone, token, ets, new Date(days45 - 1_000).toISOString(), [
      ['bench', [60], [5]],
    ]);
    expect(exerciseTrackingMaps.byETSId[ets.bench]?.map((row) => row.weight)).toEqual([[50]]);
  });
});

describe('days belong to the zone of the request', () => {
  it('both sides of midnight', async ({ phone, token, ets }) => {
    // 23:26:43Z is the next day in Jerusalem (+2/+3) and the same evening in New York.
    const start = ago(2, '23:26:43.000');
    await finish(phone, token, ets, start, [['bench', [50], [5]]]);
    const day = (await read(phone, token, 'America/New_York')).exerciseTrackingAnalysis.lastWorkoutDate;
    expect(day).toBe(ago(2).slice(0, 10));
    const next = await read(phone, token, 'Asia/Jerusalem');
    expect(next.exerciseTrackingAnalysis.lastWorkoutDate).toBe(ago(1).slice(0, 10));
    expect(next.exerciseTrackingAnalysis.prs.pr_max?.workout_time_utc).toBe(ago(1).slice(0, 10));
    expect(Object.keys(next.exerciseTrackingMaps.byDate)).toEqual([ago(1).slice(0, 10)]);
  });

  // Each pair of instants is an hour before and after midnight at the end of a DST change's day, worked out by hand.
  it.for<[zone: string, start: string, day: string]>([
    // Clocks fell from 02:00 +3 to 01:00 +2 on 2026-10-25: midnight before it is 21:00Z, after it 22:00Z.
    ['Asia/Jerusalem', '2026-10-24T20:30:00.000Z', '2026-10-24'],
    ['Asia/Jerusalem', '2026-10-24T21:30:00.000Z', '2026-10-25'],
    ['Asia/Jerusalem', '2026-10-25T21:30:00.000Z', '2026-10-25'],
    ['Asia/Jerusalem', '2026-10-25T22:30:00.000Z', '2026-10-26'],
    // Clocks rose from 02:00 -5 to 03:00 -4 on 2026-03-08: midnight before it is 05:00Z, after it 04:00Z.
    ['America/New_York', '2026-03-08T04:30:00.000Z', '2026-03-07'],
    ['America/New_York', '2026-03-08T05:30:00.000Z', '2026-03-08'],
    ['America/New_York', '2026-03-09T03:30:00.000Z', '2026-03-08'],
    ['America/New_York', '2026-03-09T04:30:00.000Z', '2026-03-09'],
    // Half an hour only: +10:30 to +11:00 on 2026-10-04; midnight before it is 13:30Z, after it 13:00Z.
    ['Australia/Lord_Howe', '2026-10-03T13:15:00.000Z', '2026-10-03'],
    ['Australia/Lord_Howe', '2026-10-04T13:15:00.000Z', '2026-10-05'],
    // +12:45 to +13:45 on 2026-09-27; midnight before it is 11:15Z, after it 10:15Z.
    ['Pacific/Chatham', '2026-09-26T10:45:00.000Z', '2026-09-26'],
    ['Pacific/Chatham', '2026-09-27T10:45:00.000Z', '2026-09-28'],
  ])('in %s the instant %s is on %s', async ([zone, start, day], { phone, token, ets }) => {
    const { exerciseTrackingAnalysis } = await finish(phone, token, ets, start, [['bench', [50], [5]]], zone);
    expect(exerciseTrackingAnalysis.lastWorkoutDate).toBe(day);
  });

  it('without a zone it is DEFAULT_TZ', async ({ phone, token, ets }) => {
    await finish(phone, token, ets, ago(2, '23:00:00.000'), [['bench', [50], [5]]]);
    const response = await phone.get('/api/workouts/gettracking', token);
    const tracking = (await response.json()) as Tracking;
    expect(tracking.exerciseTrackingAnalysis.lastWorkoutDate).toBe(ago(1).slice(0, 10));
  });
});
