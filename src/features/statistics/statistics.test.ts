import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { block, type Person, set, signedIn, workout } from '#tests/helpers/logbook.ts';
import { withServer } from '#tests/helpers/server.ts';
import { weekOf } from '#training/weeks.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));

const on = (day: string, more: object = {}) =>
  workout({ startedAt: `${day}T10:00:00Z`, endedAt: `${day}T11:30:00Z`, timeZone: 'UTC', ...more });

async function put(person: Person, document: object): Promise<string> {
  const id = randomUUID();
  expect((await person.call('PUT', `/workouts/${id}`, document)).status).toBe(201);
  return id;
}

async function read<Answer>(person: Person, path: string): Promise<Answer> {
  const answer = await person.call('GET', path);
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as Answer;
}

describe('what was done with an exercise', () => {
  it('workout by workout, with the best set, the estimate and the volume', async ({ person }) => {
    await put(person, on('2026-03-01', { blocks: [block(1, set(100, 5)), block(2, set(60, 10))] }));
    const second = await put(
      person,
      on('2026-03-04', {
        blocks: [
          block(1, set(60, 5, { kind: 'warmup' }), set(110, 3), set(110, 4)),
          block(1, { weight: 225, unit: 'lb', reps: 8 }, set(120, 2, { kind: 'drop' })),
        ],
      }),
    );
    const { items } = await read<{ items: unknown[] }>(person, '/exercises/1/history');
    expect(items).toMatchObject([
      {
        workoutId: second,
        startedAt: '2026-03-04T10:00:00.000Z',
        bestSet: { weight: 120, reps: 2 },
        // 225 lb × 8 by Brzycki beats 110 kg × 4 by Epley.
        oneRepMax: { kg: 126.69, formula: 'brzycki' },
        volumeKg: 1826.47,
      },
      { bestSet: { weight: 100, reps: 5 }, oneRepMax: { kg: 116.65, formula: 'epley' }, volumeKg: 500 },
    ]);
    expect(await read(person, '/exercises/2/history?from=2026-03-02&tz=UTC')).toMatchObject({ items: [] });
    expect(await read(person, '/exercises/1/last')).toMatchObject({ last: { workoutId: second } });
    expect(await read(person, '/exercises/3/last')).toEqual({ last: null });
    expect((await person.call('GET', '/exercises/999999/history')).status).toBe(404);
  });
});

describe('records', () => {
  it('are the bests of each exercise, with day and workout', async ({ person }) => {
    const first = await put(
      person,
      on('2026-03-01', { blocks: [block(1, set(100, 5), set(100, 8)), block(2, set(null, 20))] }),
    );
    const second = await put(
      person,
      on('2026-03-05', { blocks: [block(1, set(110, 2)), block(3, { seconds: 61, distanceM: 400.5 })] }),
    );
    // A heavier set of no reps beside it is none.
    await put(person, on('2026-03-06', { blocks: [block(5, set(60, 0), set(50, 1))] }));
    const { items } = await read<{ items: Array<{ exerciseId: number }> }>(person, '/records');
    const of = (id: number) => items.find(({ exerciseId }) => exerciseId === id);
    expect(of(1)).toMatchObject({
      heaviest: { weight: 110, unit: 'kg', reps: 2, day: '2026-03-05', workoutId: second },
      bestOneRepMax: { kg: 124.14, formula: 'brzycki', weight: 100, reps: 8, workoutId: first },
      mostReps: { weight: 100, reps: 8 },
      mostVolumeInSet: { value: 800, day: '2026-03-01' },
      mostVolumeInWorkout: { value: 1300, workoutId: first },
      longest: null,
      farthest: null,
    });
    expect(of(5)).toMatchObject({ heaviest: { weight: 50, reps: 1 }, bestOneRepMax: { weight: 50, reps: 1 } });
    expect(of(2)).toMatchObject({ heaviest: null, bestOneRepMax: null, mostReps: { weight: null, reps: 20 } });
    expect(of(3)).toMatchObject({ longest: { value: 61 }, farthest: { value: 400.5, workoutId: second } });
  });

  it('say when a value was first reached: equalling it is nothing new', async ({ person }) => {
    const sets = [set(100, 5), { seconds: 60, distanceM: 400 }];
    await put(person, on('2026-03-01', { blocks: [block(1, set(100, 4))] }));
    await put(person, on('2026-03-02', { blocks: [block(1, ...sets)], timeZone: 'Pacific/Kiritimati' })); // the 3rd there
    const equal = await put(person, on('2026-03-09', { blocks: [block(1, ...sets)] }));
    const { items } = await read<{ items: object[] }>(person, '/records');
    const reached = { day: '2026-03-09', workoutId: equal, firstDay: '2026-03-03' };
    const { exerciseId: _id, exercise: _name, ...kinds } = items[0] as Record<string, unknown>;
    expect(Object.entries(kinds).map(([kind, record]) => [kind, record])).toEqual(
      Object.keys(kinds).map((kind) => [kind, expect.objectContaining(reached)]),
    );
    await put(person, on('2026-03-10', { blocks: [block(1, set(100, 6))] }));
    const later = await read<{ items: object[] }>(person, '/records');
    expect(later.items[0]).toMatchObject({ heaviest: { day: '2026-03-10', firstDay: '2026-03-10', reps: 6 } });
  });

  it('after any sequence of changes are those of a plain computation, in the app as well', async ({ server }) => {
    const sets = fc.array(
      fc.record({
        kind: fc.constantFrom('normal', 'warmup', 'drop', 'failure'),
        weight: fc.integer({ min: 0, max: 800 }).map((quarters) => quarters / 4),
        unit: fc.constantFrom('kg', 'lb'),
        reps: fc.integer({ min: 0, max: 14 }),
      }),
      { maxLength: 4 },
    );
    const change = fc.record({
      slot: fc.nat(4),
      what: fc.constantFrom('put', 'put', 'put', 'delete'),
      daysAgo: fc.nat(80),
      isOpen: fc.boolean(),
      exercises: fc.array(fc.tuple(fc.constantFrom(1, 2), sets), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 10 }), async (changes) => {
        const person = await signedIn(server);
        const ids = Array.from({ length: 5 }, () => randomUUID());
        const stored = new Map<number, (typeof changes)[number]>();
        for (const [n, made] of changes.entries()) {
          const path = `/workouts/${ids[made.slot]}`;
          if (made.what === 'delete') {
            expect([204, 404]).toContain((await person.call('DELETE', path)).status);
            stored.delete(made.slot);
            continue;
          }
          const startedAt = new Date(Date.now() - made.daysAgo * 86_400_000 - n * 1_000).toISOString();
          const body = workout({
            startedAt,
            endedAt: made.isOpen ? null : startedAt,
            splitId: person.split,
            blocks: made.exercises.map(([id, list]) => block(id, ...list)),
          });
          expect((await person.call('PUT', path, body)).status).toBeLessThan(300);
          stored.set(made.slot, made);
        }
        const done = [...stored.values()]
          .filter(({ isOpen }) => !isOpen)
          .flatMap(({ exercises }) => exercises.flatMap(([id, list]) => list.map((one) => ({ id, ...one }))))
          .filter(({ kind, weight, reps }) => kind !== 'warmup' && weight > 0 && reps > 0)
          .map((one) => ({ ...one, kg: one.unit === 'lb' ? one.weight * 0.45359237 : one.weight }));
        const { _1RM } = (await person.app('GET', '/api/analytics/get')) as {
          _1RM: Record<string, { pr_weight: number; pr_reps: number; max_1rm: number }>;
        };
        const { items } = await read<{ items: Array<{ exerciseId: number; heaviest: { reps: number } | null }> }>(
          person,
          '/records',
        );
        for (const id of [1, 2]) {
          const ofExercise = done.filter((one) => one.id === id);
          const [heaviest] = ofExercise.toSorted((a, b) => b.kg - a.kg || b.reps - a.reps);
          const estimates = ofExercise.filter(({ kind, reps }) => kind !== 'drop' && reps <= 12).map(estimate);
          expect(items.find(({ exerciseId }) => exerciseId === id)?.heaviest?.reps).toBe(heaviest?.reps);
          const shown = _1RM[id];
          if (estimates.length === 0) expect(shown).toBeUndefined();
          else {
            expect(shown?.pr_weight).toBeCloseTo(heaviest?.kg ?? 0, 3);
            expect(shown?.pr_reps).toBe(heaviest?.reps);
            expect(shown?.max_1rm).toBeCloseTo(Math.max(...estimates), 0);
          }
        }
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

/** Epley, Brzycki, O'Connor: as behaviour 4.4 has them. */
function estimate({ kg, reps }: { kg: number; reps: number }): number {
  if (reps === 1) return kg;
  if (reps <= 5) return kg * (1 + 0.0333 * reps);
  return reps <= 10 ? (kg * 36) / (37 - reps) : kg * (1 + 0.025 * reps);
}

describe('sums', () => {
  it('by day, by week and by muscle, warm-ups left out, helping muscles half', async ({ person }) => {
    // A Sunday and the Monday after it.
    await put(
      person,
      on('2026-03-08', { blocks: [block(1, set(60, 5, { kind: 'warmup' }), set(100, 5), set(100, 5))] }),
    );
    await put(person, on('2026-03-09', { blocks: [block(1, set(100, 5))] }));
    await put(person, on('2026-03-09', { endedAt: null })); // open: not done yet
    const span = 'from=2026-03-02&to=2026-03-15&tz=UTC';
    expect(await read(person, `/stats/calendar?${span}`)).toEqual({
      days: [
        { day: '2026-03-08', workouts: 1, sets: 2, minutes: 90, volumeKg: 1000 },
        { day: '2026-03-09', workouts: 1, sets: 1, minutes: 90, volumeKg: 500 },
      ],
    });
    expect(await read(person, `/stats/volume?${span}&by=week`)).toMatchObject({
      weeks: [
        { from: '2026-03-02', workouts: 1, volumeKg: 1000 },
        { from: '2026-03-09', workouts: 1, volumeKg: 500 },
      ],
    });
    expect(await read(person, `/stats/volume?${span}&weekStart=sunday`)).toMatchObject({
      weeks: [
        { from: '2026-03-01', workouts: 0 },
        { from: '2026-03-08', workouts: 2 },
        { from: '2026-03-15', workouts: 0 },
      ],
    });
    // Back Squat: legs, and half as much of what helps.
    const { weeks } = await read<{ weeks: Array<{ hardSets: Record<string, number> }> }>(
      person,
      `/stats/muscles?${span}`,
    );
    expect(weeks).toMatchObject([{ hardSets: { Legs: 2, Glutes: 1 } }, { hardSets: { Legs: 1, Glutes: 0.5 } }]);
    expect((await person.call('GET', '/stats/volume?from=2026-03-02&to=2026-03-01')).status).toBe(422);
  });

  it('the summary compares this week with the four before', async ({ person }) => {
    const at = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    for (const days of [7, 14, 400]) await put(person, on(at(days)));
    const answer = await read<Record<string, { workouts: number }>>(person, '/stats/summary?tz=UTC');
    expect(answer).toMatchObject({ week: { workouts: 0 }, average: { workouts: 0.5 }, all: { workouts: 3 } });
  });

  it('a week begins on the day that is asked for', () => {
    expect(weekOf('2026-03-08', 0)).toBe('2026-03-02');
    expect(weekOf('2026-03-09', 0)).toBe('2026-03-09');
    expect(weekOf('2026-03-08', 6)).toBe('2026-03-08');
    expect(weekOf('2026-03-07', 6)).toBe('2026-03-01');
  });
});
