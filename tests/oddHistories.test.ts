// What the released app reads without a look (behaviour 2.5), from the answers to people with the emptiest and the oddest
// histories.
import { randomUUID } from 'node:crypto';
import { describe, expect, vi } from 'vitest';
import { block, hoursAgo, set, workout } from './helpers/logbook.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { type TestServer, withServer } from './helpers/server.ts';

const it = withServer({ env: { ACCESS_TOKEN_TTL_SEC: '3600' } }).extend('person', ({ server }) => newcomer(server));

const ZONES = ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu'];
const [SQUAT, BENCH] = [1, 45];

interface Person {
  server: TestServer;
  phone: Phone;
  /** A request of the app or, below /api/v1, of the logbook; its answer. @throws unless it succeeds */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<unknown>;
}

async function newcomer(server: TestServer): Promise<Person> {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const call: Person['call'] = async (method, path, body, headers = {}) => {
    const isForm = body instanceof FormData;
    const answer = await server.fetch(path, {
      method,
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(phone.key, `${method} ${server.url}${path.split('?')[0]}`, { accessToken }),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect([method, path, answer.status, answer.ok || text]).toEqual([method, path, answer.status, true]);
    return text === '' ? undefined : JSON.parse(text);
  };
  return { server, phone, call };
}

interface Row {
  exercisetosplit_id: number;
  weight: number[];
  reps: number[];
  exercise: string;
  splitname?: string;
  workoutdate?: string;
  notes: string;
  exercisetoworkoutsplit: { sets: number[]; exercises: { targetmuscle: string; specifictargetmuscle: string } };
}
interface Tracking {
  exerciseTrackingAnalysis: {
    unique_days: number;
    lastWorkoutDate: string | null;
    splitDaysByName: Record<string, number>;
    prs: { pr_max: { exercise: string; weight: number; reps: number; workout_time_utc: string } | null };
  };
  exerciseTrackingMaps: Record<'byDate' | 'byETSId' | 'bySplitName', Record<string, Row[]>>;
}
interface Plan {
  workoutPlan: {
    name: string;
    numberofsplits: number;
    updated_at: string;
    workoutsplits: Array<{
      id: number;
      name: string;
      muscle_group: string | null;
      exercisetoworkoutsplit: Array<{
        id: number;
        exercise: string;
        sets: number[];
        targetmuscle: string;
        specifictargetmuscle: string;
      }>;
    }>;
  } | null;
  workoutPlanForEditWorkout?: Record<string, Array<{ id: number; name: string; sets: number[]; targetmuscle: string }>>;
}
interface Bootstrap {
  user: { id: string; username: string; name: string | null; email: string | null; created_at: string };
  workout: Plan;
  tracking: Tracking;
  aerobics: {
    daily: Record<string, Array<{ type: string; duration_mins: number }>>;
    weekly: Record<string, { total_duration_mins: number; records: Array<{ workout_time_utc: string }> }>;
  };
  messages: {
    messages: Array<{ id: string; subject: string; msg: string; sent_at: string; sender_full_name: string }>;
  };
}

const DAY = /^\d{4}-\d\d-\d\d$/;
const dayOf = (text: string) => text.split('T')[0];

/** Reads rows as history, statistics and the workout screen do. */
function readRows(maps: Tracking['exerciseTrackingMaps']): void {
  for (const [day, rows] of Object.entries(maps.byDate)) {
    expect([day, rows[0]?.splitname?.length]).toEqual([expect.stringMatching(DAY), expect.any(Number)]);
  }
  for (const rows of Object.values(maps).flatMap(Object.values<Row[]>)) {
    expect(rows.length).toBeGreaterThan(0);
    for (const { exercisetosplit_id, weight, reps, exercise, notes, exercisetoworkoutsplit } of rows) {
      expect(exercisetosplit_id.toString()).toMatch(/^\d+$/);
      expect(weight.length > 0 && weight.length === reps.length && exercise.length > 0).toBe(true);
      expect([notes.length, exercisetoworkoutsplit.sets.length]).toEqual([expect.any(Number), expect.any(Number)]);
      const { targetmuscle, specifictargetmuscle } = exercisetoworkoutsplit.exercises;
      expect(targetmuscle.length * specifictargetmuscle.length).toBeGreaterThan(0);
    }
  }
}

function readPlan({ workoutPlan, workoutPlanForEditWorkout }: Plan): void {
  if (!workoutPlan) {
    expect(workoutPlanForEditWorkout).toBeUndefined();
    return;
  }
  expect(workoutPlan.name.length).toBeGreaterThan(0);
  expect(workoutPlan.numberofsplits).toBe(workoutPlan.workoutsplits.length);
  expect(dayOf(workoutPlan.updated_at)).toMatch(DAY);
  expect(Object.keys(workoutPlanForEditWorkout ?? {}).toSorted()).toEqual(
    workoutPlan.workoutsplits.map(({ name }) => name).toSorted(),
  );
  for (const { muscle_group, exercisetoworkoutsplit } of workoutPlan.workoutsplits) {
    expect((muscle_group ?? '').replace(/\(.*?\)/g, '').split(',').length).toBeGreaterThan(0);
    for (const { exercise, sets, targetmuscle, specifictargetmuscle } of exercisetoworkoutsplit) {
      expect(exercise.length * sets.length * targetmuscle.length * specifictargetmuscle.length).toBeGreaterThan(0);
    }
  }
}

/** Opens every screen as the app does. @throws where the app would crash */
async function openApp({ call }: Person, zone: string): Promise<Bootstrap> {
  const read = (await call('GET', `/api/bootstrap/get?tz=${zone}`)) as Bootstrap;
  expect(dayOf(read.user.created_at)).toMatch(DAY);
  expect((read.user.name ?? read.user.username).length).toBeGreaterThan(0);
  readPlan(read.workout);
  readRows(read.tracking.exerciseTrackingMaps);
  const { unique_days, lastWorkoutDate, splitDaysByName, prs } = read.tracking.exerciseTrackingAnalysis;
  expect(unique_days).toBe(Object.values(splitDaysByName).reduce((sum, days) => sum + days, 0));
  if (unique_days > 0) expect(lastWorkoutDate).toMatch(DAY);
  if (prs.pr_max) {
    // Analytics opens as soon as there is a record, and reads the name of the plan.
    expect([read.workout.workoutPlan?.name.length, prs.pr_max.reps]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(prs.pr_max.workout_time_utc).toMatch(DAY);
    const { _1RM, goals } = (await call('GET', '/api/analytics/get')) as {
      _1RM: Record<string, { exercise: string; pr_weight: number; pr_reps: number; max_1rm: number }>;
      goals: Record<string, Record<string, { planned: number; actual: number }>>;
    };
    for (const { exercise, pr_weight, pr_reps, max_1rm } of Object.values(_1RM)) {
      expect(exercise.length > 0 && pr_weight > 0 && pr_reps > 0 && max_1rm > 0).toBe(true);
    }
    for (const { planned, actual } of Object.values(goals).flatMap((split) => Object.values(split))) {
      expect(planned > 0 && actual >= 0).toBe(true);
    }
  }
  for (const [sunday, { records, total_duration_mins }] of Object.entries(read.aerobics.weekly)) {
    expect([new Date(sunday).getUTCDay(), total_duration_mins >= 0]).toEqual([0, true]);
    for (const { workout_time_utc } of records) expect(new Date(workout_time_utc).getTime()).toBeGreaterThan(0);
  }
  for (const rows of Object.values(read.aerobics.daily)) expect(rows[0]?.type.length).toBeGreaterThan(0);
  for (const { msg, subject, sent_at, sender_full_name } of read.messages.messages) {
    expect([msg.length, subject.length, dayOf(sent_at)]).toEqual([
      expect.any(Number),
      expect.any(Number),
      expect.stringMatching(DAY),
    ]);
    expect(sender_full_name.length).toBeGreaterThan(0);
  }
  const catalogue = (await call('GET', '/api/exercises/getall')) as Record<string, Array<{ name: string }>>;
  for (const [muscle, exercises] of Object.entries(catalogue)) {
    expect(muscle.length * exercises.length * (exercises[0]?.name.length ?? 0)).toBeGreaterThan(0);
  }
  return read;
}

async function planned({ call }: Person, workoutData: object): Promise<number[]> {
  const { workoutPlan } = (await call('POST', '/api/workouts/add', { workoutData })) as Plan;
  return (workoutPlan?.workoutsplits ?? []).flatMap(({ exercisetoworkoutsplit }) =>
    exercisetoworkoutsplit.map(({ id }) => id),
  );
}

const A = (...ids: number[]) => ({ A: ids.map((id) => ({ id, sets: [5, 5] })) });

/** Presses Finish, and reads the answer as the app does. */
async function finish({ call }: Person, ets: number | undefined, weight: number, more: object = {}): Promise<Tracking> {
  const answer = (await call('POST', '/api/workouts/finishworkout', {
    workout: [{ exercisetosplit_id: ets, weight: [weight], reps: [5], notes: null }],
    workout_start_utc: hoursAgo(1),
    workout_end_utc: hoursAgo(0),
    tz: 'UTC',
    ...more,
  })) as Tracking;
  readRows(answer.exerciseTrackingMaps);
  expect(answer.exerciseTrackingAnalysis.prs.pr_max?.reps).toEqual(expect.any(Number));
  return answer;
}

async function ownExercise({ call }: Person, form: object): Promise<number> {
  return ((await call('POST', '/api/v1/exercises', { name: 'Own One', muscle: 'Back', ...form })) as { id: number }).id;
}

const log = ({ call }: Person, ...blocks: object[]) =>
  call('PUT', `/api/v1/workouts/${randomUUID()}`, workout({ blocks }));

async function imported({ call }: Person): Promise<void> {
  const file = [
    'title,start_time,end_time,exercise_title,set_index,set_type,weight_kg,reps',
    `Legs,"15 Sep 2025, 07:48","15 Sep 2025, 08:48",Back Squat,0,normal,100,5`,
  ].join('\n');
  const form = new FormData();
  form.append('timeZone', 'UTC');
  form.append('file', new Blob([file]), 'hevy.csv');
  const { id } = (await call('POST', '/api/v1/imports', form)) as { id: string };
  await call('POST', `/api/v1/imports/${id}/commit`);
  await vi.waitFor(
    async () => expect(await call('GET', `/api/v1/imports/${id}`)).toMatchObject({ state: 'committed' }),
    { timeout: 20_000, interval: 50 },
  );
}

const HISTORIES: Record<string, (person: Person) => Promise<unknown>> = {
  'nothing at all': async () => undefined,
  'a plan without training': (person) => planned(person, A(SQUAT)),
  'an import before a plan': imported,
  'an import, then a plan': async (person) => {
    await imported(person);
    await planned(person, A(BENCH));
  },
  'only the log, without a plan': (person) => log(person, block(SQUAT, set(100, 5))),
  'only the log, with a plan': async (person) => {
    await planned(person, A(BENCH));
    await log(person, block(SQUAT, set(100, 5)));
  },
  'only warm-ups': async (person) => {
    await planned(person, A(SQUAT));
    await log(person, block(SQUAT, set(100, 5, { kind: 'warmup' })));
  },
  'only push-ups': async (person) => {
    const [ets] = await planned(person, A(await ownExercise(person, { measure: 'bodyweight_reps' })));
    await finish(person, ets, 0);
  },
  'only assisted pull-ups': async (person) => {
    const [ets] = await planned(person, A(await ownExercise(person, { measure: 'assisted_bodyweight' })));
    await finish(person, ets, 30);
  },
  'an own exercise that was done, planned and archived': async (person) => {
    const id = await ownExercise(person, {});
    const [ets] = await planned(person, A(id));
    await finish(person, ets, 30);
    await person.call('DELETE', `/api/v1/exercises/${id}`);
  },
  'a split that was trained and left the plan': async (person) => {
    const [ets] = await planned(person, A(SQUAT));
    await finish(person, ets, 60);
    await planned(person, { B: [{ id: BENCH, sets: [5] }] });
  },
  'a plan that was taken away after training': async (person) => {
    const [ets] = await planned(person, A(SQUAT));
    await finish(person, ets, 60);
    await person.server.sql('update workoutplans set is_active = false where user_id = $1', [person.phone.id]);
  },
  'sets that housekeeping has removed': async (person) => {
    const [ets] = await planned(person, A(await ownExercise(person, { measure: 'bodyweight_reps' })));
    await finish(person, ets, 0);
    await person.server.sql(
      'delete from exercisetracking et using workout_summary ws where ws.id = et.workout_summary_id and ws.user_id = $1',
      [person.phone.id],
    );
  },
  'names of splits that objects have': async (person) => {
    for (const name of ['constructor', 'toString', 'valueOf', '0']) {
      const splits = [{ name, exercises: [{ exerciseId: SQUAT, sets: [5] }] }];
      await person.call('PUT', '/api/v1/plan', { name: 'Odd', splits });
      const { workoutPlan } = (await person.call('GET', '/api/workouts/getworkout?tz=UTC')) as Plan;
      await finish(person, workoutPlan?.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id, 60, {
        workout_start_utc: null,
      });
      await openApp(person, 'UTC');
    }
  },
  'messages whose sender is gone': async ({ server, phone }) => {
    await server.sql("insert into messages (receiver_id, subject, msg) values ($1, '', '')", [phone.id]);
  },
  'a provider’s account without name and e-mail': async ({ server, phone }) => {
    await server.sql('update users set name = null, email = null, password = null where id = $1', [phone.id]);
  },
  'cardio and training at the date line': async (person) => {
    const [ets] = await planned(person, A(SQUAT));
    for (const zone of ZONES) {
      await finish(person, ets, 60, { tz: zone, workout_start_utc: null });
      await person.call('POST', '/api/aerobics/add', { record: { type: zone, durationMins: 5 }, tz: zone });
    }
  },
};

describe('the app opens with (behaviour 2.5)', () => {
  it.for(Object.entries(HISTORIES))('%s', async ([, live], { person }) => {
    await live(person);
    for (const zone of ZONES) await openApp(person, zone);
  });
});

describe('the best set (behaviour 4.1)', () => {
  const best = async (person: Person) => (await openApp(person, 'UTC')).tracking.exerciseTrackingAnalysis.prs.pr_max;

  it('is null while there is no active plan, and shows as soon as there is one, from a warm cache too', async ({
    person,
  }) => {
    await log(person, block(SQUAT, set(100, 5)));
    expect([await best(person), await best(person)]).toEqual([null, null]);
    await planned(person, A(BENCH));
    expect(await best(person)).toMatchObject({ exercise: 'Back Squat', weight: 100, reps: 5 });
    await person.server.sql('update workoutplans set is_active = false where user_id = $1', [person.phone.id]);
    expect(await best(person)).toBeNull();
  });

  it('without a weight record is that of the app’s sets by weight, reps and start; a weight record comes first', async ({
    person,
  }) => {
    const own = await ownExercise(person, { measure: 'assisted_bodyweight', name: 'Assisted Own' });
    const [pullUp, squat] = await planned(person, A(own, SQUAT));
    await finish(person, pullUp, 0, { workout_start_utc: hoursAgo(5), workout_end_utc: hoursAgo(4) });
    expect(await best(person)).toMatchObject({ exercise: 'Assisted Own', weight: 0, reps: 5 });
    const { exerciseTrackingAnalysis } = await finish(person, pullUp, 40);
    expect(exerciseTrackingAnalysis.prs.pr_max).toMatchObject({ exercise: 'Assisted Own', weight: 40, reps: 5 });
    await finish(person, squat, 20, { workout_start_utc: hoursAgo(3), workout_end_utc: hoursAgo(2) });
    expect(await best(person)).toMatchObject({ exercise: 'Back Squat', weight: 20 });
  });

  it('is never null after a finish: neither without an active plan, nor where a desk has hidden or removed the workout', async ({
    person,
  }) => {
    const [ets] = await planned(person, A(SQUAT));
    const times = { workout_start_utc: hoursAgo(2), workout_end_utc: hoursAgo(1) };
    const key = { 'idempotency-key': randomUUID() };
    const body = { workout: [{ exercisetosplit_id: ets, weight: [60], reps: [5] }], ...times, tz: 'Asia/Tokyo' };
    const press = async (headers = {}) =>
      ((await person.call('POST', '/api/workouts/finishworkout', body, headers)) as Tracking).exerciseTrackingAnalysis
        .prs.pr_max;
    const sent = { exercise: 'Back Squat', weight: 60, reps: 5 };
    expect(await press(key)).toMatchObject(sent);
    await person.server.sql('update workoutplans set is_active = false where user_id = $1', [person.phone.id]);
    expect([await press(key), await press()]).toMatchObject([sent, sent]);
    const { items } = (await person.call('GET', '/api/v1/workouts')) as { items: Array<{ id: string }> };
    await person.call('DELETE', `/api/v1/workouts/${items[0]?.id}`);
    expect([await press(key), await press()]).toMatchObject([sent, sent]);
  });
});
