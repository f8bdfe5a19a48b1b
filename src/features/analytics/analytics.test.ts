import { expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer();

interface Plan {
  workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number; exercise: string }> }> };
}

/** A person with one split of these exercises and planned sets. */
async function trainee(server: TestServer, plan: Record<string, number[]>) {
  const phone: Phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const rows = await server.sql<{ id: string; name: string }>('select id, name from exercises where name = any ($1)', [
    Object.keys(plan),
  ]);
  const idOf = (name: string) => Number(rows.find((row) => row.name === name)?.id);
  const savePlan = async (wanted: Record<string, number[]>) => {
    const A = Object.entries(wanted).map(([name, sets]) => ({ id: idOf(name), sets }));
    return (await (await phone.post('/api/workouts/add', accessToken, { workoutData: { A } })).json()) as Plan;
  };
  const { workoutPlan } = await savePlan(plan);
  const etsOf = (name: string) =>
    workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit.find((row) => row.exercise === name)?.id ?? 0;
  let workouts = 0;
  const finish = async (name: string, weight: number[], reps: number[]) => {
    const start = new Date(Date.now() - ++workouts * 3_600_000).toISOString();
    const response = await phone.post('/api/workouts/finishworkout', accessToken, {
      workout: [{ exercisetosplit_id: etsOf(name), weight, reps }],
      workout_start_utc: start,
      workout_end_utc: start,
    });
    expect(response.status).toBe(200);
  };
  const read = async () => (await phone.get('/api/analytics/get', accessToken)).json();
  return { phone, idOf, savePlan, finish, read };
}

it('is two empty maps without workouts', async ({ server }) => {
  const { read } = await trainee(server, { 'Bench Press': [10, 8, 6] });
  expect(await read()).toStrictEqual({ _1RM: {}, goals: {} });
});

it('80×10, 82.5×8 and 20.1×6: the estimate of the first, the record of the second (behaviour 4.4)', async ({
  server,
}) => {
  const { idOf, finish, read } = await trainee(server, { 'Bench Press': [10, 8, 6] });
  await finish('Bench Press', [80, 82.5, 20.1], [10, 8, 6]);
  expect(await read()).toMatchObject({
    _1RM: { [idOf('Bench Press')]: { exercise: 'Bench Press', pr_weight: 82.5, pr_reps: 8, max_1rm: 106.7 } },
  });
});

it('sets over twelve reps hold records but no estimate; without any other the exercise is absent', async ({
  server,
}) => {
  const { idOf, finish, read } = await trainee(server, { 'Bench Press': [10], 'Back Squat': [10] });
  await finish('Bench Press', [90], [13]);
  expect(await read()).toMatchObject({ _1RM: {} });
  await finish('Bench Press', [50], [11]);
  expect(await read()).toMatchObject({
    _1RM: { [idOf('Bench Press')]: { pr_weight: 90, pr_reps: 13, max_1rm: 63.8 } },
  });
});

it('[10,8,6] is 24; sessions of 24 and 20 reps are 22 on average (behaviour 4.5)', async ({ server }) => {
  const { finish, read } = await trainee(server, { 'Bench Press': [10, 8, 6], 'Back Squat': [5] });
  await finish('Bench Press', [50, 50, 50], [10, 8, 6]);
  await finish('Bench Press', [50, 50], [10, 10]);
  expect(await read()).toMatchObject({
    goals: { A: { 'Bench Press': { planned: 24, actual: 22, adherence_pct: 91.66666666666667 } } },
  });
});

it('goals list only what is active in the plan (DA8)', async ({ server }) => {
  const { finish, read, savePlan } = await trainee(server, { 'Bench Press': [10], 'Back Squat': [5] });
  await finish('Bench Press', [50], [10]);
  await finish('Back Squat', [50], [5]);
  await savePlan({ 'Back Squat': [5] });
  const { goals, _1RM } = (await read()) as { goals: Record<string, object>; _1RM: object };
  expect(Object.keys(goals.A ?? {})).toEqual(['Back Squat']);
  expect(Object.keys(_1RM)).toHaveLength(2);
});
