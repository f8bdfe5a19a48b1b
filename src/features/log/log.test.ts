import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { block, hoursAgo, type Person, set, signedIn, workout } from '#tests/helpers/logbook.ts';
import { withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));

const records = (person: Person) =>
  person.app('GET', '/api/analytics/get') as Promise<{ _1RM: Record<string, { pr_weight: number; max_1rm: number }> }>;
const prMax = async (person: Person) => {
  const answer = (await person.app('GET', '/api/workouts/gettracking?tz=UTC')) as {
    exerciseTrackingAnalysis: { unique_days: number; prs: { pr_max: { weight: number; reps: number } | null } };
    exerciseTrackingMaps: { byETSId: Record<string, Array<{ weight: number[]; reps: number[]; notes: string }>> };
  };
  return answer;
};

describe('a workout of the log', () => {
  it('is created, read, replaced and removed under an id of the caller; repeating changes nothing', async ({
    person,
  }) => {
    const id = randomUUID();
    const form = workout({ notes: 'slept badly' });
    const created = await person.call('PUT', `/workouts/${id}`, form);
    expect(created.status).toBe(201);
    const document = (await created.json()) as { version: number; updatedAt: string };
    expect(document).toMatchObject({
      id,
      title: 'Push',
      notes: 'slept badly',
      timeZone: 'Europe/Berlin',
      source: 'logbook',
      splitId: null,
      blocks: [
        {
          exerciseId: 1,
          superset: null,
          notes: '',
          sets: [
            { kind: 'normal', side: null, weight: 100, unit: 'kg', reps: 5, seconds: null, rpe: null, doneAt: null },
            { weight: 102.5, reps: 3 },
          ],
        },
      ],
    });
    expect(created.headers.get('etag')).toBe(`"${document.version}"`);

    const again = await person.call('PUT', `/workouts/${id}`, form);
    expect([again.status, await again.json()]).toEqual([200, document]);
    const read = await person.call('GET', `/workouts/${id}`);
    expect([read.headers.get('etag'), await read.json()]).toEqual([`"${document.version}"`, document]);
    const kept = await person.call('GET', `/workouts/${id}`, undefined, { 'if-none-match': `"${document.version}"` });
    expect(kept.status).toBe(304);
    // What a GET gives may be sent back.
    expect((await person.call('PUT', `/workouts/${id}`, document)).status).toBe(200);

    const stale = await person.call('PUT', `/workouts/${id}`, workout(), { 'if-match': '"999"' });
    expect([stale.status, stale.headers.get('etag')]).toEqual([412, `"${document.version}"`]);
    const changed = await person.call('PUT', `/workouts/${id}`, workout({ title: 'Pull' }), {
      'if-match': `"${document.version}"`,
    });
    expect(await changed.json()).toMatchObject({ title: 'Pull', version: document.version + 1 });

    expect((await person.call('DELETE', `/workouts/${id}`, undefined, { 'if-match': '"1"' })).status).toBe(412);
    expect((await person.call('DELETE', `/workouts/${id}`)).status).toBe(204);
    expect((await person.call('GET', `/workouts/${id}`)).status).toBe(404);
    expect((await person.call('DELETE', `/workouts/${id}`)).status).toBe(404);
    expect((await person.call('PUT', `/workouts/${id}`, form)).status).toBe(201);
  });

  it('keeps what was entered exactly, pounds too', async ({ person }) => {
    const id = randomUUID();
    const odd = {
      kind: 'drop',
      side: 'left',
      weight: 135.125,
      unit: 'lb',
      reps: 0,
      seconds: 61,
      distanceM: 1609.344,
      rpe: 8.5,
      restSec: 90,
      doneAt: '2026-01-02T03:04:05.678Z',
    };
    const form = workout({ blocks: [{ ...block(2, odd), superset: 0, notes: 'שלום 💪' }] });
    expect((await person.call('PUT', `/workouts/${id}`, form)).status).toBe(201);
    const { blocks } = (await (await person.call('GET', `/workouts/${id}`)).json()) as typeof form;
    expect(blocks).toEqual(form.blocks);
  });

  it('that is not valid is refused with a pointer to each place, and nothing is written', async ({ person }) => {
    const refusal = async (body: unknown) => {
      const answer = await person.call('PUT', `/workouts/${randomUUID()}`, body);
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      const problem = (await answer.json()) as { status: number; code: string; errors?: Array<{ pointer: string }> };
      expect(problem).toMatchObject({
        status: answer.status,
        type: `/docs/problems#${problem.code}`,
        requestId: answer.headers.get('x-request-id'),
      });
      return [problem.status, problem.code, problem.errors?.map(({ pointer }) => pointer)];
    };
    expect(await refusal('{')).toEqual([400, 'MALFORMED_JSON', undefined]);
    const invalid = (...pointers: string[]) => [422, 'VALIDATION_FAILED', pointers];
    expect(await refusal(workout({ titel: 'x' }))).toEqual(invalid(''));
    expect(await refusal(workout({ title: ' ' }))).toEqual(invalid('/title'));
    expect(await refusal(workout({ endedAt: hoursAgo(27) }))).toEqual(invalid('/endedAt'));
    expect(await refusal(workout({ timeZone: 'Europe/Nowhere' }))).toEqual(invalid('/timeZone'));
    expect(await refusal(workout({ blocks: [block(1, set(1.00000000005, 1))] }))).toEqual(
      invalid('/blocks/0/sets/0/weight'),
    );
    expect(await refusal(workout({ blocks: [block(1, { weight: 5 })] }))).toEqual(invalid('/blocks/0/sets/0/unit'));
    expect(await refusal(workout({ blocks: [block(1), block(999_999)] }))).toEqual(invalid('/blocks/1/exerciseId'));
    expect(await refusal(workout({ splitId: 999_999 }))).toEqual(invalid('/splitId'));
    const [one, two] = [block(1), block(2)];
    expect(await refusal(workout({ blocks: [one, { ...two, id: one.id }] }))).toEqual(invalid('/blocks'));
    expect(await refusal(workout({ notes: 'a\u0000b' }))).toEqual(invalid(''));
    const { items } = (await (await person.call('GET', '/workouts')).json()) as { items: unknown[] };
    expect(items).toEqual([]);
  });

  it("is nobody else's: an id neither conflicts nor tells that it exists", async ({ server, person }) => {
    const id = randomUUID();
    const mine = workout();
    expect((await person.call('PUT', `/workouts/${id}`, mine)).status).toBe(201);
    const other = await signedIn(server);
    expect((await other.call('GET', `/workouts/${id}`)).status).toBe(404);
    expect((await other.call('DELETE', `/workouts/${id}`)).status).toBe(404);
    expect((await other.call('PUT', `/workouts/${id}`, { ...mine, title: 'Theirs' })).status).toBe(201);
    expect(await (await person.call('GET', `/workouts/${id}`)).json()).toMatchObject({ title: 'Push' });
    // A split that is somebody else's is none.
    const foreign = await other.call('PUT', `/workouts/${randomUUID()}`, workout({ splitId: person.split }));
    expect(foreign.status).toBe(422);
  });

  it('is copied as an open one that begins now', async ({ person }) => {
    const id = randomUUID();
    await person.call('PUT', `/workouts/${id}`, workout({ splitId: person.split }));
    const copied = await person.call('POST', `/workouts/${id}/duplicate`);
    expect(copied.status).toBe(201);
    const copy = (await copied.json()) as { id: string; blocks: Array<{ id: string }> };
    expect(copy).toMatchObject({ title: 'Push', endedAt: null, splitId: person.split, blocks: [{ exerciseId: 1 }] });
    expect(copy.id).not.toBe(id);
    expect((await person.call('POST', `/workouts/${randomUUID()}/duplicate`)).status).toBe(404);
  });
});

describe('the list', () => {
  it('comes newest first in pages that stay right while rows come and go', async ({ person }) => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const id = randomUUID();
      ids.push(id);
      const times = { startedAt: hoursAgo(100 + n), endedAt: hoursAgo(99 + n) };
      await person.call(
        'PUT',
        `/workouts/${id}`,
        workout({ ...times, title: `Day ${n}`, notes: n === 3 ? 'Deload' : '' }),
      );
    }
    const list = async (query: string) => {
      const answer = await person.call('GET', `/workouts${query}`);
      expect(answer.status).toBe(200);
      return (await answer.json()) as { items: Array<{ id: string }>; nextCursor: string | null };
    };
    const first = await list('?limit=2');
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    await person.call('DELETE', `/workouts/${ids[1]}`);
    await person.call('PUT', `/workouts/${randomUUID()}`, workout());
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const third = await list(`?limit=2&cursor=${second.nextCursor}`);
    expect([third.items.map(({ id }) => id), third.nextCursor]).toEqual([ids.slice(4), null]);

    expect((await list('?q=deload')).items.map(({ id }) => id)).toEqual([ids[3]]);
    expect((await list('?q=back%20squat')).items).toHaveLength(5);
    expect((await list('?exerciseId=2')).items).toHaveLength(0);
    for (const [query, status] of [
      [`?cursor=${first.nextCursor?.replace(/.$/, 'x')}x`, 400],
      ['?limit=0', 422],
      ['?lmit=2', 422],
      ['?from=2026-02-30', 422],
    ] as const) {
      expect([query, (await person.call('GET', `/workouts${query}`)).status]).toEqual([query, status]);
    }
  });

  it('counts days in the zone that is named', async ({ person }) => {
    const id = randomUUID();
    // 23:30 in New York is the next day in Berlin.
    const times = { startedAt: '2026-03-08T04:30:00.000Z', endedAt: '2026-03-08T05:00:00.000Z' };
    await person.call('PUT', `/workouts/${id}`, workout(times));
    const on = async (day: string, zone: string) => {
      const query = `?from=${day}&to=${day}&tz=${zone}`;
      return ((await (await person.call('GET', `/workouts${query}`)).json()) as { items: unknown[] }).items.length;
    };
    expect(await on('2026-03-07', 'America/New_York')).toBe(1);
    expect(await on('2026-03-08', 'America/New_York')).toBe(0);
    expect(await on('2026-03-08', 'Europe/Berlin')).toBe(1);
  });
});

describe('the app and the log', () => {
  const finish = (person: Person, weight: number, at: string) =>
    person.app('POST', '/api/workouts/finishworkout', {
      workout: [{ exercisetosplit_id: person.planned[0], weight: [weight], reps: [5], notes: 'by phone' }],
      workout_start_utc: at,
      workout_end_utc: at,
      tz: 'Asia/Tokyo',
    });

  it('what the phone finishes is in the log, and again when it is finished again', async ({ person }) => {
    const at = hoursAgo(2);
    await finish(person, 80, at);
    const list = async () =>
      ((await (await person.call('GET', '/workouts')).json()) as { items: Array<{ id: string }> }).items;
    expect(await list()).toMatchObject([
      {
        title: 'A',
        source: 'app',
        timeZone: 'Asia/Tokyo',
        splitId: person.split,
        startedAt: at,
        blocks: [{ exerciseId: 1, notes: 'by phone', sets: [{ kind: 'normal', weight: 80, unit: 'kg', reps: 5 }] }],
      },
    ]);
    await finish(person, 85, at);
    expect(await list()).toMatchObject([{ blocks: [{ sets: [{ weight: 85 }] }] }]);
  });

  it('a workout of a split shows in the app as far as it can; edits and removal follow', async ({ person }) => {
    const id = randomUUID();
    const put = async (more: object) => {
      const answer = await person.call('PUT', `/workouts/${id}`, workout({ splitId: person.split, ...more }));
      expect(answer.status).toBeLessThan(300);
    };
    const shown = async () => {
      const { exerciseTrackingAnalysis, exerciseTrackingMaps } = await prMax(person);
      return [exerciseTrackingAnalysis.unique_days, exerciseTrackingMaps.byETSId[person.planned[0] ?? 0] ?? []];
    };
    const pounds = { weight: 225, unit: 'lb', reps: 5 };
    await put({ blocks: [block(1, set(60, 5, { kind: 'warmup' }), pounds)] });
    expect(await shown()).toMatchObject([1, [{ weight: [expect.closeTo(102.0583, 3)], reps: [5] }]]);
    await put({ blocks: [block(1, set(110, 5), set(100, 8, { kind: 'drop' }))] });
    expect(await shown()).toMatchObject([1, [{ weight: [110, 100], reps: [5, 8] }]]);
    for (const hidden of [
      { blocks: [block(1, set(null, 5), set(100, null), set(100, 0), set(null, null, { seconds: 60 }))] },
      { blocks: [block(3, set(100, 5))] },
      { blocks: [block(1, set(100, 5))], endedAt: null },
      { blocks: [block(1, set(60, 5, { kind: 'warmup' }))] },
      { blocks: [block(1, set(100, 5))], splitId: null },
    ]) {
      await put(hidden);
      expect(await shown()).toEqual([0, []]);
      await put({ blocks: [block(1, set(110, 5))] });
      expect(await shown()).toMatchObject([1, [{ weight: [110] }]]);
    }
    expect((await person.call('DELETE', `/workouts/${id}`)).status).toBe(204);
    expect(await shown()).toEqual([0, []]);
  });

  it('sets that the app cannot show are left out, and the rest is shown', async ({ person }) => {
    const at = hoursAgo(2);
    await finish(person, 80, at);
    const { items } = (await (await person.call('GET', '/workouts')).json()) as {
      items: Array<{ id: string; blocks: Array<{ sets: object[] }> }>;
    };
    const [document] = items;
    if (!document?.blocks[0]) throw new Error('nothing in the log');
    const hidden = [
      set(null, 5),
      set(90, null),
      set(90, 0),
      set(null, null, { seconds: 60 }),
      set(40, 5, { kind: 'warmup' }),
      set(null, null, { kind: 'warmup' }),
    ];
    document.blocks[0].sets = [hidden[0] ?? {}, ...document.blocks[0].sets, ...hidden, set(85, 3)];
    document.blocks.push(block(2, ...hidden)); // shows nothing of its exercise
    expect((await person.call('PUT', `/workouts/${document.id}`, document)).status).toBe(200);
    const { exerciseTrackingAnalysis, exerciseTrackingMaps } = await prMax(person);
    expect(exerciseTrackingAnalysis).toMatchObject({ unique_days: 1, prs: { pr_max: { weight: 85, reps: 3 } } });
    expect(exerciseTrackingMaps.byETSId).toEqual({
      [person.planned[0] ?? 0]: [expect.objectContaining({ weight: [80, 85], reps: [5, 3] })],
    });
  });

  it('what is older than the window lives in the log alone, and counts for the records', async ({ person }) => {
    const old = { startedAt: hoursAgo(24 * 400), endedAt: hoursAgo(24 * 400 - 1), splitId: person.split };
    const id = randomUUID();
    await person.call('PUT', `/workouts/${id}`, workout({ ...old, blocks: [block(1, set(200, 3))] }));
    expect((await prMax(person)).exerciseTrackingAnalysis).toMatchObject({
      unique_days: 0,
      prs: { pr_max: { weight: 200, reps: 3 } },
    });
    await finish(person, 150, hoursAgo(1));
    expect((await prMax(person)).exerciseTrackingAnalysis.prs.pr_max).toMatchObject({ weight: 200, reps: 3 });
    expect((await person.call('DELETE', `/workouts/${id}`)).status).toBe(204);
    expect((await prMax(person)).exerciseTrackingAnalysis.prs.pr_max).toMatchObject({ weight: 150, reps: 5 });
  });

  it('records never come from warm-ups, one-rep maxima not from drops either', async ({ person }) => {
    const id = randomUUID();
    const sets = [set(200, 1, { kind: 'warmup' }), set(120, 3, { kind: 'drop' }), set(100, 3, { kind: 'failure' })];
    await person.call('PUT', `/workouts/${id}`, workout({ blocks: [block(1, ...sets)] }));
    const { _1RM } = await records(person);
    expect(Object.values(_1RM)).toMatchObject([{ pr_weight: 120, max_1rm: 110 }]);
  });

  it('what the phone finishes takes the place of what the log shows with the same start', async ({ person }) => {
    const [id, at] = [randomUUID(), hoursAgo(3)];
    const times = { startedAt: at, endedAt: at, splitId: person.split };
    await person.call('PUT', `/workouts/${id}`, workout({ ...times, blocks: [block(1, set(90, 5))] }));
    await finish(person, 95, at);
    const answer = await person.call('GET', '/workouts');
    const { items } = (await answer.json()) as { items: unknown[] };
    expect(items).toMatchObject([{ id, blocks: [{ sets: [{ weight: 95 }] }] }]);
  });

  it('an edit of what the phone finished follows in the app', async ({ person }) => {
    await finish(person, 80, hoursAgo(2));
    const { items } = (await (await person.call('GET', '/workouts')).json()) as {
      items: Array<{ id: string; blocks: Array<{ sets: Array<{ weight: number }> }> }>;
    };
    const [document] = items;
    if (!document?.blocks[0]?.sets[0]) throw new Error('nothing in the log');
    document.blocks[0].sets[0].weight = 82.5;
    expect((await person.call('PUT', `/workouts/${document.id}`, document)).status).toBe(200);
    const { exerciseTrackingAnalysis, exerciseTrackingMaps } = await prMax(person);
    expect(exerciseTrackingAnalysis).toMatchObject({ unique_days: 1, prs: { pr_max: { weight: 82.5 } } });
    expect(exerciseTrackingMaps.byETSId[person.planned[0] ?? 0]).toMatchObject([{ weight: [82.5], notes: 'by phone' }]);
  });
});
