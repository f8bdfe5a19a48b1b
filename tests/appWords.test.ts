// The app's answers carry words that the app has pictures for (behaviour 3.2); the logbook keeps its finer ones.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect } from 'vitest';
import { hoursAgo, type Person, signedIn } from './helpers/logbook.ts';
import { PICTURES, pictured } from './helpers/pictured.ts';
import { asSuperuser, withServer } from './helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));

interface Exercise {
  id: number;
  name: string;
  muscle: string;
  specificMuscle: string;
}
interface Plan {
  workoutPlan: {
    workoutsplits: Array<{
      name: string;
      muscle_group: string | null;
      exercisetoworkoutsplit: Array<{ id: number; exercise: string; specifictargetmuscle: string }>;
    }>;
  };
  workoutPlanForEditWorkout: Record<string, Array<{ id: number; specifictargetmuscle: string }>>;
}
interface Tracking {
  exerciseTrackingMaps: {
    byETSId: Record<string, Array<{ exercisetoworkoutsplit: { exercises: { specifictargetmuscle: string } } }>>;
  };
}

const catalogueOf = (person: Person) =>
  person.app('GET', '/api/exercises/getall') as Promise<
    Record<string, Array<{ id: number; name: string; specificTargetMuscle: string }>>
  >;
async function ownExercise(person: Person, form: object): Promise<Exercise> {
  const answer = await person.call('POST', '/exercises', { name: `Own ${randomUUID()}`, ...form });
  expect(answer.status).toBe(201);
  return (await answer.json()) as Exercise;
}
const plan = (person: Person, ids: number[]) =>
  person.app('POST', '/api/workouts/add', {
    workoutData: { A: ids.map((id) => ({ id, sets: [5] })) },
  }) as Promise<Plan>;

describe('the words of the app', () => {
  it('are in its catalogue, each the nearest of those with a picture; the logbook keeps its own', async ({
    person,
  }) => {
    const { items } = (await (await person.call('GET', '/exercises')).json()) as { items: Exercise[] };
    const stored = new Map(items.map((exercise) => [exercise.id, exercise]));
    expect(items.some(({ specificMuscle }) => specificMuscle === 'Front Delts')).toBe(true);
    const shown = Object.entries(await catalogueOf(person)).flatMap(([muscle, list]) =>
      list.map(({ id, specificTargetMuscle }) => ({ id, muscle, specificTargetMuscle })),
    );
    expect(shown).toHaveLength(items.length);
    for (const { id, muscle, specificTargetMuscle } of shown) {
      const { specificMuscle = '', name } = stored.get(id) ?? {};
      expect([name, specificTargetMuscle]).toEqual([name, pictured(muscle, specificMuscle)]);
      if (PICTURES[muscle]) expect(PICTURES[muscle]).toContain(specificTargetMuscle);
    }
  });

  it('are in plan, muscle group and tracking', async ({ server, person }) => {
    const names = ['Deadlift', 'Bench Press', 'Overhead Press', 'Lateral Raise', 'Hammer Curl', 'Bicycle Crunch'];
    const rows = await server.sql<{ id: string; name: string; muscle: string; specific: string }>(
      'select id, name, targetmuscle as muscle, specifictargetmuscle as specific from exercises where name = any ($1)',
      [names],
    );
    const words = new Map(rows.map((row) => [row.name, pictured(row.muscle, row.specific)]));
    const { workoutPlan, workoutPlanForEditWorkout } = await plan(
      person,
      rows.map(({ id }) => Number(id)),
    );
    const [split] = workoutPlan.workoutsplits;
    for (const { exercise, specifictargetmuscle } of split?.exercisetoworkoutsplit ?? []) {
      expect([exercise, specifictargetmuscle]).toEqual([exercise, words.get(exercise)]);
    }
    expect(workoutPlanForEditWorkout.A?.map(({ specifictargetmuscle }) => specifictargetmuscle)).toEqual(
      split?.exercisetoworkoutsplit.map(({ specifictargetmuscle }) => specifictargetmuscle),
    );
    const groups = Map.groupBy(rows, ({ muscle }) => muscle);
    const group = [...groups].map(
      ([muscle, list]) =>
        `${muscle} (${[...new Set(list.map(({ specific }) => pictured(muscle, specific)))].toSorted().join(', ')})`,
    );
    expect(split?.muscle_group).toBe(group.toSorted().join(', '));
    const workout = (split?.exercisetoworkoutsplit ?? []).map(({ id }) => ({
      exercisetosplit_id: id,
      weight: [50],
      reps: [5],
    }));
    const { exerciseTrackingMaps } = (await person.app('POST', '/api/workouts/finishworkout', {
      workout,
      workout_start_utc: hoursAgo(1),
    })) as Tracking;
    for (const { id, exercise } of split?.exercisetoworkoutsplit ?? []) {
      const { specifictargetmuscle } = exerciseTrackingMaps.byETSId[id]?.[0]?.exercisetoworkoutsplit.exercises ?? {};
      expect([exercise, specifictargetmuscle]).toEqual([exercise, words.get(exercise)]);
    }
  });

  it.for(Object.keys(PICTURES))('are those of own exercises of %s, whatever these say', async (muscle, { person }) => {
    const own = await Promise.all(
      [
        null,
        'Anything else',
        'long head',
        'REAR DELTS',
        'Upper',
        'Lower back',
        'inner thigh',
        ...(PICTURES[muscle] ?? []),
      ].map((specificMuscle) => ownExercise(person, { muscle, specificMuscle })),
    );
    const { workoutPlan } = await plan(
      person,
      own.map(({ id }) => id),
    );
    for (const { specifictargetmuscle } of workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit ?? []) {
      expect(PICTURES[muscle]).toContain(specifictargetmuscle);
    }
    const shown = new Map((await catalogueOf(person))[muscle]?.map((row) => [row.id, row.specificTargetMuscle]));
    for (const { id, specificMuscle } of own) {
      expect(PICTURES[muscle]).toContain(shown.get(id));
      if (PICTURES[muscle]?.includes(specificMuscle)) expect(shown.get(id)).toBe(specificMuscle);
    }
  });

  it('follow an own exercise that gets another muscle, in the group of its split, too', async ({ person }) => {
    const own = await ownExercise(person, { muscle: 'Triceps', specificMuscle: 'Lateral Head' });
    const { workoutPlan } = await plan(person, [own.id]);
    expect(workoutPlan.workoutsplits[0]?.muscle_group).toBe('Triceps (Lateral)');
    const changed = await person.call('PUT', `/exercises/${own.id}`, {
      name: own.name,
      muscle: 'Shoulders',
      specificMuscle: 'Side Delts',
    });
    expect(changed.status).toBe(200);
    const read = (await person.app('GET', '/api/workouts/getworkout?tz=UTC')) as Plan;
    expect(read.workoutPlan.workoutsplits[0]?.muscle_group).toBe('Shoulders (Delts)');
  });

  it('do not offer an exercise whose muscle nobody has said, until somebody says it', async ({ person }) => {
    const own = await ownExercise(person, { muscle: 'Other' });
    const isOffered = async () =>
      Object.values(await catalogueOf(person)).some((list) => list.some(({ id }) => id === own.id));
    expect([Object.keys(await catalogueOf(person)).includes('Other'), await isOffered()]).toEqual([false, false]);
    const read = (await (await person.call('GET', '/exercises')).json()) as { items: Exercise[] };
    expect(read.items.find(({ id }) => id === own.id)).toMatchObject({ muscle: 'Other' });
    await person.call('PUT', `/exercises/${own.id}`, { name: own.name, muscle: 'Chest' });
    expect(await isOffered()).toBe(true);
  });
});

describe('the migration to the words of the app', () => {
  const MIGRATION = join(import.meta.dirname, '../db/migrations/0012_app_words.sql');

  it('rewrites muscle groups as the trigger would, gives nameless splits letters, and shows both at once', async ({
    server,
    person,
  }) => {
    const ids = [
      ...Map.groupBy(
        await server.sql<{ id: string; key: string }>(
          'select id, targetmuscle || specifictargetmuscle as key from exercises where owner_id is null order by id',
        ),
        ({ key }) => key,
      ).values(),
    ].map(([first]) => Number(first?.id));
    const split = (name: string) => [name, ids.map((id) => ({ id, sets: [5] }))] as const;
    await person.app('POST', '/api/workouts/add', { workoutData: Object.fromEntries(['A', 'C', 'x', 'y'].map(split)) });
    const read = async () =>
      ((await person.app('GET', '/api/workouts/getworkout?tz=UTC')) as Plan).workoutPlan.workoutsplits.map(
        ({ name, muscle_group }) => [name, muscle_group],
      );
    const [[, group] = []] = await read();
    const client = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await client.connect();
    try {
      await client.query('alter table workoutsplits disable trigger user');
      await client.query("update workoutsplits set muscle_group = 'of before'");
      await client.query(
        "update workoutsplits set name = case name when 'x' then 'null' else 'undefined' end where name in ('x', 'y')",
      );
      await client.query('alter table workoutsplits enable trigger user');
      const owner = await client.query("select tableowner from pg_tables where tablename = 'workoutsplits'");
      await client.query(`begin; set local role ${owner.rows[0].tableowner}`);
      await client.query(await readFile(MIGRATION, 'utf8'));
      await client.query('commit');
    } finally {
      await client.end();
    }
    expect(await read()).toEqual([
      ['A', group],
      ['C', group],
      ['B', group],
      ['D', group],
    ]);
  });
});
