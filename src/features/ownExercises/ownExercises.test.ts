import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { block, set, signedIn, workout } from '#tests/helpers/logbook.ts';
import { withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));

interface Exercise {
  id: number;
  version: number;
  name: string;
  isOwn: boolean;
  isArchived: boolean;
}

const FORM = { name: 'Zercher Carry', muscle: 'Legs', measure: 'weight_distance', secondaryMuscles: ['Abs', 'Back'] };

describe('own exercises', () => {
  it("stand beside the catalogue, here and in the app, and are nobody else's", async ({ server, person }) => {
    const created = await person.call('POST', '/exercises', FORM);
    expect(created.status).toBe(201);
    const own = (await created.json()) as Exercise;
    expect(own).toMatchObject({ name: 'Zercher Carry', isOwn: true, isArchived: false, specificMuscle: 'Legs' });
    const list = async (somebody = person) => {
      const { items } = (await (await somebody.call('GET', '/exercises')).json()) as { items: Exercise[] };
      return items.filter(({ id }) => id === own.id).map(({ name }) => name);
    };
    expect(await list()).toEqual(['Zercher Carry']);
    const offered = async (somebody = person) =>
      JSON.stringify(await somebody.app('GET', '/api/exercises/getall')).includes('Zercher Carry');
    expect(await offered()).toBe(true);

    const other = await signedIn(server);
    expect([await list(other), await offered(other)]).toEqual([[], false]);
    const foreign = await other.call('PUT', `/workouts/${randomUUID()}`, workout({ blocks: [block(own.id)] }));
    expect(foreign.status).toBe(422);
    expect((await other.call('PUT', `/exercises/${own.id}`, FORM)).status).toBe(404);
    expect((await other.call('DELETE', `/exercises/${own.id}`)).status).toBe(404);
    expect((await other.call('GET', `/exercises/${own.id}/last`)).status).toBe(404);
    expect((await other.call('POST', '/exercises', FORM)).status).toBe(201);
    const { accessToken } = await other.phone.tokens();
    const planned = await other.phone.post('/api/workouts/add', accessToken, {
      workoutData: { A: [{ id: own.id, sets: [5] }] },
    });
    expect([planned.status, ((await planned.json()) as { code: string }).code]).toEqual([400, 'UNKNOWN_EXERCISE']);
  });

  it('have a name of their own, whatever the case, and are changed with a version', async ({ person }) => {
    const own = (await (await person.call('POST', '/exercises', FORM)).json()) as Exercise;
    const again = await person.call('POST', '/exercises', { ...FORM, name: 'zercher CARRY' });
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([409, 'EXERCISE_NAME_TAKEN']);
    expect((await person.call('POST', '/exercises', { ...FORM, muscle: 'Tail' })).status).toBe(422);
    const stale = await person.call('PUT', `/exercises/${own.id}`, FORM, { 'if-match': '"7"' });
    expect(stale.status).toBe(412);
    const renamed = await person.call('PUT', `/exercises/${own.id}`, { ...FORM, name: 'Carry' }, { 'if-match': '"1"' });
    expect(await renamed.json()).toMatchObject({ name: 'Carry', version: 2 });
    const unchanged = await person.call('PUT', `/exercises/${own.id}`, { ...FORM, name: 'Carry' });
    expect(await unchanged.json()).toMatchObject({ version: 2 });
    expect((await person.call('PUT', '/exercises/1', FORM)).status).toBe(404); // of the catalogue
  });

  it.for(['bench press', ' BENCH PRESS ', 'Bench\u00a0Press', 'Ｂｅｎｃｈ Press', 'Bench  Press', 'Back Squat'])(
    'are not called as one of the catalogue: %s',
    async (name, { server, person }) => {
      const refusal = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
      const taken = [409, 'EXERCISE_NAME_TAKEN'];
      expect(await refusal(await person.call('POST', '/exercises', { ...FORM, name }))).toEqual(taken);
      const own = (await (await person.call('POST', '/exercises', FORM)).json()) as Exercise;
      expect(await refusal(await person.call('PUT', `/exercises/${own.id}`, { ...FORM, name }))).toEqual(taken);
      // One that has such a name since before this rule keeps it, and may change everything else.
      await server.sql('alter table exercises disable trigger user');
      await server.sql('update exercises set name = $2 where id = $1', [own.id, name.trim()]);
      await server.sql('alter table exercises enable trigger user');
      for (const form of [
        { ...FORM, name, muscle: 'Chest' },
        { ...FORM, name: name.trim().toLowerCase(), muscle: 'Back' },
      ]) {
        expect((await person.call('PUT', `/exercises/${own.id}`, form)).status).toBe(200);
      }
      expect(await refusal(await person.call('PUT', `/exercises/${own.id}`, { ...FORM, name: 'deadlift' }))).toEqual(
        taken,
      );
    },
  );

  it('get their names from whatever writes them by the same rule, along an index', async ({ server, person }) => {
    const create = (name: string) =>
      server.sql<{ id: string }>(
        `insert into exercises as e (owner_id, name, description, targetmuscle, specifictargetmuscle)
         values ($1, $2, '', 'Legs', 'Legs')
         on conflict (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), lower(name)) do update
           set archived_at = null
         returning id`,
        [person.phone.id, name],
      );
    await expect(create('bench press ')).rejects.toMatchObject({ code: '23505', constraint: 'exercises_name_taken' });
    const [own] = await create('Zercher Carry');
    await server.sql('alter table exercises disable trigger user');
    await server.sql("update exercises set name = 'bench press' where id = $1", [own?.id]);
    await server.sql('alter table exercises enable trigger user');
    expect(await create('bench press')).toEqual([own]); // it has the name since before this rule
    await server.sql('set enable_seqscan = off');
    const plan = await server.sql('explain select from exercises e where app.name_key(e.name) = $1', ['bench press']);
    await server.sql('reset enable_seqscan');
    expect(JSON.stringify(plan)).toContain('exercises_same_name_idx');
  });

  it('have one name in each form of Unicode, and none that objects cannot have', async ({ person }) => {
    const create = async (name: string) => (await person.call('POST', '/exercises', { ...FORM, name })).status;
    expect([await create('Caf\u00e9 Curl'), await create('Cafe\u0301 Curl')]).toEqual([201, 409]);
    expect(await create('__proto__')).toBe(422);
  });

  it('that were done are archived, others go', async ({ person }) => {
    const create = async (name: string) =>
      ((await (await person.call('POST', '/exercises', { ...FORM, name })).json()) as Exercise).id;
    const [done, idle] = [await create('Done'), await create('Idle')];
    await person.call('PUT', `/workouts/${randomUUID()}`, workout({ blocks: [block(done, set(50, 5))] }));
    for (const id of [done, idle]) expect((await person.call('DELETE', `/exercises/${id}`)).status).toBe(204);
    const { items } = (await (await person.call('GET', '/exercises')).json()) as { items: Exercise[] };
    expect(items.filter(({ isOwn }) => isOwn)).toMatchObject([{ id: done, isArchived: true }]);
    expect(JSON.stringify(await person.app('GET', '/api/exercises/getall'))).not.toContain('"Done"');
    expect((await person.call('GET', `/exercises/${done}/last`)).status).toBe(200);
  });

  it("whose load is the body's give no record", async ({ person }) => {
    const own = (await (
      await person.call('POST', '/exercises', { ...FORM, measure: 'weight_reps' })
    ).json()) as Exercise;
    await person.call('PUT', `/workouts/${randomUUID()}`, workout({ blocks: [block(own.id, set(50, 5))] }));
    const names = async () =>
      Object.keys(((await person.app('GET', '/api/analytics/get')) as { _1RM: Record<string, unknown> })._1RM);
    expect(await names()).toHaveLength(1);
    await person.call('PUT', `/exercises/${own.id}`, { ...FORM, measure: 'assisted_bodyweight' });
    expect(await names()).toHaveLength(0);
  });
});
