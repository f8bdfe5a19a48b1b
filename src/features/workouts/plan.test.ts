import { expect } from 'vitest';
import { signedIn } from '#tests/helpers/logbook.ts';
import { newPhone } from '#tests/helpers/person.ts';
import { withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));

interface Plan {
  version: number;
  id: number | null;
  name: string | null;
  splits: Array<{ id: number; name: string; exercises: Array<{ id: number; exerciseId: number; sets: number[] }> }>;
}
const plan = (name: string, ...splits: Array<[string, number[]]>) => ({
  name,
  splits: splits.map(([split, ids]) => ({
    name: split,
    exercises: ids.map((exerciseId) => ({ exerciseId, sets: [8, 8] })),
  })),
});

it('the plan is the one of the app, in both directions, and what stays keeps its ids', async ({ person }) => {
  const before = (await (await person.call('GET', '/plan')).json()) as Plan;
  expect(before.splits).toMatchObject([
    { id: person.split, name: 'A', exercises: [{ exerciseId: 1 }, { exerciseId: 2 }] },
  ]);
  const answer = await person.call('PUT', '/plan', plan('Two days', ['A', [2]], ['B', [5, 1]]));
  const after = (await answer.json()) as Plan;
  expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${after.version}"`]);
  expect(after).toMatchObject({ id: before.id, name: 'Two days' });
  expect(after.splits[0]).toMatchObject({ id: person.split, exercises: [{ id: before.splits[0]?.exercises[1]?.id }] });
  const { workoutPlan } = (await person.app('GET', '/api/workouts/getworkout')) as {
    workoutPlan: { name: string; workoutsplits: Array<{ name: string; exercisetoworkoutsplit: unknown[] }> };
  };
  expect([workoutPlan.name, workoutPlan.workoutsplits.map((split) => split.exercisetoworkoutsplit.length)]).toEqual([
    'Two days',
    [1, 2],
  ]);
  // What was read can be written as it is.
  expect((await person.call('PUT', '/plan', after)).status).toBe(200);
});

it('an edit of the app in between is not overwritten', async ({ person }) => {
  const read = await person.call('GET', '/plan');
  const [etag = ''] = [read.headers.get('etag') ?? undefined];
  expect((await person.call('GET', '/plan', undefined, { 'if-none-match': etag })).status).toBe(304);
  await person.app('POST', '/api/workouts/add', { workoutData: { C: [{ id: 3, sets: [5] }] } });
  expect((await person.call('GET', '/plan', undefined, { 'if-none-match': etag })).status).toBe(200);
  expect((await person.call('PUT', '/plan', plan('Mine', ['A', [1]]), { 'if-match': etag })).status).toBe(412);
  const racing = await person.call('GET', '/plan');
  const current = { 'if-match': racing.headers.get('etag') ?? '' };
  const answers = await Promise.all(
    ['X', 'Y'].map((name) => person.call('PUT', '/plan', plan(name, ['A', [1]]), current)),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
});

it('exercises of others and plans that cannot be are refused, and nothing is written', async ({ server, person }) => {
  const other = await signedIn(server);
  const own = (await (await other.call('POST', '/exercises', { name: 'Mine alone', muscle: 'Legs' })).json()) as {
    id: number;
  };
  const before = await (await person.call('GET', '/plan')).json();
  const [first] = plan('P', ['A', [1]]).splits;
  const refused: Array<[unknown, string]> = [
    [plan('P', ['A', [1, own.id]]), '/splits/0/exercises/1/exerciseId'],
    [plan('P', ['A', [1, 1]]), '/splits/0/exercises'],
    [plan('P', ['A', [1]], ['A', [2]]), '/splits'],
    [plan('P'), '/splits'],
    [plan(' ', ['A', [1]]), '/name'],
    [plan('P', ['__proto__', [1]]), '/splits/0/name'],
    [{ name: 'P', splits: [{ ...first, muscles: 'x' }] }, '/splits/0'],
  ];
  for (const [body, pointer] of refused) {
    const answer = await person.call('PUT', '/plan', body);
    const { errors } = (await answer.json()) as { errors: Array<{ pointer: string }> };
    expect([answer.status, errors[0]?.pointer]).toEqual([422, pointer]);
  }
  expect(await (await person.call('GET', '/plan')).json()).toEqual(before);
  expect((await other.call('PUT', '/plan', plan('P', ['A', [own.id]]))).status).toBe(200);
});

it('a split holds one exercise of a name, whatever the case', async ({ server, person }) => {
  const created = await person.call('POST', '/exercises', { name: 'My Squat', muscle: 'Legs' });
  const { id } = (await created.json()) as { id: number };
  await server.sql('alter table exercises disable trigger user');
  await server.sql("update exercises set name = 'back SQUAT' where id = $1", [id]); // since before this was refused
  await server.sql('alter table exercises enable trigger user');
  const refused = await person.call('PUT', '/plan', plan('P', ['A', [2, 1, id]]));
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { code: 'VALIDATION_FAILED', errors: [{ pointer: '/splits/0/exercises/2/exerciseId' }] },
  ]);
  const { accessToken } = await person.phone.tokens();
  const add = await person.phone.post('/api/workouts/add', accessToken, {
    workoutData: { B: [1, id].map((exercise) => ({ id: exercise, sets: [5] })) },
  });
  expect([add.status, await add.json()]).toMatchObject([
    400,
    {
      code: 'VALIDATION_FAILED',
      message: 'Split B, back SQUAT: another exercise of this split has the same name',
      errors: [{ path: 'workoutData.B.1.id' }],
    },
  ]);
  const apart = await person.phone.post('/api/workouts/add', accessToken, {
    workoutData: { A: [{ id: 1, sets: [5] }], B: [{ id, sets: [5] }] },
  });
  expect(apart.status).toBe(200);
});

it('a split that the app could not name gets the next free letter', async ({ person }) => {
  const sent = async (...names: string[]) => {
    const { workoutPlan, workoutPlanForEditWorkout } = (await person.app('POST', '/api/workouts/add', {
      workoutData: Object.fromEntries(names.map((name) => [name, [{ id: 1, sets: [5] }]])),
    })) as { workoutPlan: { workoutsplits: Array<{ name: string }> }; workoutPlanForEditWorkout: object };
    expect(Object.keys(workoutPlanForEditWorkout).toSorted()).toEqual(
      workoutPlan.workoutsplits.map(({ name }) => name).toSorted(),
    );
    return Object.keys(workoutPlanForEditWorkout).toSorted();
  };
  await person.call('PUT', '/plan', plan('P', ['אימון', [1]], ['legs', [2]]));
  expect(await sent('אימון', 'legs', 'null')).toEqual(['A', 'legs', 'אימון']);
  expect(await sent('אימון', 'legs', 'A', 'null', 'undefined', 'NaN', 'C')).toEqual(
    ['A', 'B', 'C', 'D', 'E', 'legs', 'אימון'].toSorted(),
  );
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXY'];
  expect(await sent(...letters, 'null')).toEqual([...letters, 'Z']);
});

it('without a plan there is an empty one, and any version of it may be replaced', async ({ server }) => {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const read = await phone.get('/api/v1/plan', accessToken);
  expect([read.status, await read.json()]).toMatchObject([200, { id: null, name: null, splits: [] }]);
});
