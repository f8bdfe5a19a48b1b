import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, vi } from 'vitest';
import { block, type Person, set, signedIn, workout } from '#tests/helpers/logbook.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const CORPUS = join(import.meta.dirname, '../../../tests/imports');
const it = withServer().extend('person', ({ server }) => signedIn(server));

interface Import {
  id: string;
  state: string;
  source: string;
  workouts: number;
  sets: number;
  probableDuplicates: number;
  ambiguous: string[];
  skipped: { lines: number };
  exercises: Array<{ name: string; match: number | string | null; candidates: Array<{ id: number; name: string }> }>;
  progress: { done: number; total: number; added: number };
}

interface Logged {
  id: string;
  title: string;
  source: string;
  startedAt: string;
  endedAt: string | null;
  blocks: Array<{
    exerciseId: number;
    sets: Array<{ weight: number | null; unit: string | null; reps: number | null }>;
  }>;
}

async function upload(
  person: Person,
  file: string | Buffer,
  fields: Record<string, string> = { timeZone: 'Europe/Berlin' },
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([new Uint8Array(Buffer.from(file))]), 'export.csv');
  return person.send('POST', '/imports', form);
}

async function preview(person: Person, file: string | Buffer, fields?: Record<string, string>): Promise<Import> {
  const answer = await upload(person, file, fields);
  const text = await answer.text();
  expect([answer.status, text]).toEqual([201, expect.any(String)]);
  return JSON.parse(text) as Import;
}

async function committed(person: Person, id: string): Promise<Import> {
  const answer = await person.call('POST', `/imports/${id}/commit`);
  expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
  return vi.waitFor(
    async () => {
      const now = (await (await person.call('GET', `/imports/${id}`)).json()) as Import;
      expect(now.state).toBe('committed');
      return now;
    },
    { timeout: 20_000, interval: 20 },
  );
}

/** Everything that is not decided becomes an own exercise. */
async function decideAll(person: Person, { id, exercises, ambiguous }: Import): Promise<void> {
  const mapping = Object.fromEntries(
    exercises.filter(({ match }) => match === null).map(({ name }) => [name, 'create']),
  );
  const unit = ambiguous.includes('unit') ? { unit: 'kg' } : {};
  const answer = await person.call('PATCH', `/imports/${id}`, { mapping, ...unit });
  expect(answer.status).toBe(200);
}

async function logged(person: Person): Promise<Logged[]> {
  const { items } = (await (await person.call('GET', '/workouts?limit=200')).json()) as { items: Logged[] };
  return items;
}

const HEVY = `"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index","set_type","weight_kg","reps","distance_km","duration_seconds","rpe"
"Push","15 Sep 2025, 07:48","15 Sep 2025, 08:50","","Bench Press (Barbell)",,"",0,"warmup",40,10,,,
"Push","15 Sep 2025, 07:48","15 Sep 2025, 08:50","","Bench Press (Barbell)",,"",1,"normal",62.5,8,,,8.5
"Push","15 Sep 2025, 07:48","15 Sep 2025, 08:50","","Grandmother's Press",,"",0,"normal",20,8,,,
"Pull","17 Sep 2025, 07:48","17 Sep 2025, 08:30","","Deadlift (Barbell)",,"",0,"normal",140,5,,,
`;

describe('an import', () => {
  it('shows what it would bring, is decided, and is then in the log', async ({ person }) => {
    const shown = await preview(person, HEVY);
    expect(shown).toMatchObject({ source: 'hevy', state: 'preview', workouts: 2, sets: 4, probableDuplicates: 0 });
    expect(shown.exercises).toMatchObject([
      { name: 'Bench Press (Barbell)', match: expect.any(Number), candidates: [] },
      { name: "Grandmother's Press", match: null },
      { name: 'Deadlift (Barbell)', match: expect.any(Number) },
    ]);
    expect(shown.exercises[1]?.candidates.length).toBeGreaterThan(0);
    expect(await logged(person)).toEqual([]);

    const undecided = await person.call('POST', `/imports/${shown.id}/commit`);
    expect([undecided.status, await undecided.json()]).toMatchObject([
      422,
      { errors: [{ pointer: "/mapping/Grandmother's Press" }] },
    ]);
    const wrong = await person.call('PATCH', `/imports/${shown.id}`, { mapping: { Nothing: 'skip' } });
    expect(wrong.status).toBe(422);
    await decideAll(person, shown);
    expect((await committed(person, shown.id)).progress).toEqual({ done: 2, total: 2, added: 2 });
    const [pull, push] = await logged(person);
    expect(pull).toMatchObject({ title: 'Pull', source: 'import', startedAt: '2025-09-17T05:48:00.000Z' });
    expect(push?.blocks).toMatchObject([
      {
        sets: [
          { weight: 40, unit: 'kg', kind: 'warmup' },
          { weight: 62.5, reps: 8, rpe: 8.5 },
        ],
      },
      { sets: [{ weight: 20 }] },
    ]);
    // Records follow, in the app, too.
    expect(JSON.stringify(await person.app('GET', '/api/analytics/get'))).toContain("Grandmother's Press");
  });

  it('twice adds nothing, and remembers what was decided', async ({ person }) => {
    const first = await preview(person, HEVY);
    await decideAll(person, first);
    await committed(person, first.id);
    expect((await committed(person, first.id)).progress.added).toBe(2);
    const again = await preview(person, HEVY);
    expect(again).toMatchObject({ probableDuplicates: 2, exercises: [{}, { match: expect.any(Number) }, {}] });
    await person.call('PATCH', `/imports/${again.id}`, { duplicates: 'import' });
    expect((await committed(person, again.id)).progress).toEqual({ done: 2, total: 2, added: 0 });
    expect(await logged(person)).toHaveLength(2);
  });

  it('leaves out what was logged by hand within a minute, unless it is told not to', async ({ person }) => {
    const shown = await preview(person, HEVY);
    const bench = shown.exercises[0]?.match as number;
    const times = { startedAt: '2025-09-15T05:48:40Z', endedAt: '2025-09-15T06:48:40Z' };
    await person.call('PUT', `/workouts/${randomUUID()}`, workout({ ...times, blocks: [block(bench, set(60, 8))] }));
    await decideAll(person, shown);
    expect(await (await person.call('GET', `/imports/${shown.id}`)).json()).toMatchObject({ probableDuplicates: 1 });
    expect((await committed(person, shown.id)).progress.added).toBe(1);
  });

  it('is taken back, but for what was edited since', async ({ person }) => {
    const shown = await preview(person, HEVY);
    await decideAll(person, shown);
    await committed(person, shown.id);
    const [pull] = await logged(person);
    expect((await person.call('PUT', `/workouts/${pull?.id}`, { ...pull, title: 'Mine' })).status).toBe(200);
    const undone = await person.call('DELETE', `/imports/${shown.id}`);
    expect([undone.status, await undone.json()]).toEqual([200, { kept: [pull?.id] }]);
    expect(await logged(person)).toMatchObject([{ title: 'Mine' }]);
    const { items } = (await (await person.call('GET', '/exercises')).json()) as { items: Array<{ isOwn: boolean }> };
    expect(items.filter(({ isOwn }) => isOwn)).toEqual([]);
    expect((await person.call('POST', `/imports/${shown.id}/commit`)).status).toBe(409);
    expect((await person.call('DELETE', `/imports/${shown.id}?force=true`)).status).toBe(200);
    expect(await logged(person)).toEqual([]);

    const again = await preview(person, HEVY);
    await decideAll(person, again);
    expect((await committed(person, again.id)).progress.added).toBe(2);
  });

  it('asks for the unit where a file names none, and takes pounds for what they were', async ({ person }) => {
    const strong = readFileSync(join(CORPUS, '01-strong-ios-plain.csv'));
    const shown = await preview(person, strong);
    expect(shown.ambiguous).toEqual(['unit']);
    expect((await person.call('POST', `/imports/${shown.id}/commit`)).status).toBe(422);
    const answered = await person.call('PATCH', `/imports/${shown.id}`, { unit: 'lb' });
    expect(await answered.json()).toMatchObject({ ambiguous: [], unit: 'lb' });
    await decideAll(person, { ...shown, ambiguous: [] });
    await committed(person, shown.id);
    const units = (await logged(person)).flatMap(({ blocks }) =>
      blocks.flatMap(({ sets }) => sets.map(({ unit }) => unit)),
    );
    expect(new Set(units)).toEqual(new Set(['lb', null]));

    const pounds = await preview(person, readFileSync(join(CORPUS, '27-strong-android-pounds-in-kg.csv')));
    expect(pounds.ambiguous).toEqual(['unit-pounds']);
    await decideAll(person, pounds);
    await person.call('PATCH', `/imports/${pounds.id}`, { unit: 'lb' });
    await committed(person, pounds.id);
    const weights = (await logged(person)).flatMap(({ blocks }) => blocks.flatMap(({ sets }) => sets));
    expect(weights).toContainEqual(expect.objectContaining({ weight: 137.5, unit: 'lb' }));
  });

  it("is nobody else's", async ({ server, person }) => {
    const shown = await preview(person, HEVY);
    const other = await signedIn(server);
    for (const [method, path, body] of [
      ['GET', `/imports/${shown.id}`],
      ['PATCH', `/imports/${shown.id}`, { duplicates: 'import' }],
      ['POST', `/imports/${shown.id}/commit`],
      ['DELETE', `/imports/${shown.id}`],
    ] as const) {
      expect([method, (await other.call(method, path, body)).status]).toEqual([method, 404]);
    }
    const list = (await (await other.call('GET', '/imports')).json()) as { items: unknown[] };
    expect(list.items).toEqual([]);
  });

  it('of what is no such file is a clear refusal', async ({ person }) => {
    const refusal = async (file: string | Buffer, fields?: Record<string, string>) => {
      const answer = await upload(person, file, fields);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    expect(await refusal('a,b,c\n1,2,3\n')).toEqual([422, 'IMPORT_UNKNOWN_FILE']);
    expect(await refusal('')).toEqual([422, 'IMPORT_UNKNOWN_FILE']);
    expect(await refusal(Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff, 0xfe]))).toEqual([422, 'VALIDATION_FAILED']);
    expect(await refusal(Array.from({ length: 2_000 }, (_, n) => `c${n}`).join())).toEqual([422, 'IMPORT_TOO_LARGE']);
    expect(await refusal('{"format":"x"}')).toEqual([422, 'VALIDATION_FAILED']);
    expect(await refusal(HEVY, {})).toEqual([422, 'VALIDATION_FAILED']);
    expect(await refusal(HEVY, { timeZone: 'Mars' })).toEqual([422, 'VALIDATION_FAILED']);
    expect(await refusal(Buffer.alloc(11 * 1024 * 1024, 'a'))).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

const exported = async (person: Person, path: string): Promise<string> => {
  const answer = await person.call('GET', `/exports/${path}`);
  expect(answer.status).toBe(200);
  return answer.text();
};

const quarters = (most: number) => fc.integer({ min: 1, max: most * 4 }).map((n) => n / 4);
const text = fc.string({ unit: fc.constantFrom('a', 'ß', ' ', '"', ',', ';', '=', "'", '\n', 'ש'), maxLength: 12 });
const randomSet = fc.record({
  kind: fc.constantFrom('normal', 'warmup', 'drop', 'failure'),
  side: fc.constantFrom(null, 'left', 'right'),
  load: fc.option(fc.tuple(quarters(2_000), fc.constantFrom('kg', 'lb'))),
  reps: fc.option(fc.nat(30)),
  seconds: fc.option(fc.nat(4_000)),
  distanceM: fc.option(fc.integer({ min: 1, max: 9_999_999 }).map((mm) => mm / 1000)),
  rpe: fc.option(fc.integer({ min: 2, max: 20 }).map((n) => n / 2)),
  restSec: fc.option(fc.nat(600)),
});
const randomLog = fc.array(
  fc.record({
    title: text.map((one) => `T${one}`.trim()),
    notes: text,
    minutesAgo: fc.integer({ min: 1, max: 2_000_000 }),
    isOpen: fc.boolean(),
    blocks: fc.array(
      fc.record({
        exercise: fc.nat(3),
        superset: fc.option(fc.nat(3)),
        notes: text,
        sets: fc.array(randomSet, { maxLength: 4 }),
      }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 6 },
);

type RandomLog = typeof randomLog extends fc.Arbitrary<infer Log> ? Log : never;

describe('what was exported', () => {
  async function filled(server: TestServer, log: RandomLog) {
    const person = await signedIn(server);
    const own = await person.call('POST', '/exercises', { name: '=Own, "one"', muscle: 'Abs', measure: 'weight_reps' });
    const { id } = (await own.json()) as { id: number };
    for (const { title, notes, minutesAgo, isOpen, blocks } of log) {
      const startedAt = new Date(Date.now() - minutesAgo * 60_000).toISOString();
      const body = {
        title,
        notes,
        startedAt,
        endedAt: isOpen ? null : startedAt,
        timeZone: 'Europe/Berlin',
        blocks: blocks.map(({ exercise, sets, ...more }) => ({
          ...more,
          id: randomUUID(),
          exerciseId: exercise === 0 ? id : exercise,
          sets: sets.map(({ load, ...more }) => {
            const [weight, unit] = load ?? [null, null];
            return { ...more, weight, unit };
          }),
        })),
      };
      expect((await person.call('PUT', `/workouts/${randomUUID()}`, body)).status).toBe(201);
    }
    return person;
  }

  it('in the own format comes back in another account, byte for byte', { timeout: 120_000 }, async ({ server }) => {
    await fc.assert(
      fc.asyncProperty(randomLog, async (log) => {
        const person = await filled(server, log);
        const weight = { kind: 'body_weight', value: 80.125, unit: 'kg', measuredAt: '2026-01-01T07:00:00Z' };
        await person.call('PUT', `/measurements/${randomUUID()}`, weight);
        const file = await exported(person, 'logbook.json');
        const other = await signedIn(server);
        await committed(other, (await preview(other, file)).id);
        expect(await exported(other, 'logbook.json')).toBe(file);
      }),
      { numRuns: 8 },
    );
  });

  it.for([
    ['hevy.csv', 'kg'],
    ['hevy.csv', 'lb'],
    ['strong.csv?unit=kg', 'kg'],
    ['strong.csv?unit=lb', 'lb'],
  ] as const)('in the columns of %s comes back, every quarter of a pound, in %s', async ([path, unit], { server }) => {
    const person = await signedIn(server);
    const weights = Array.from({ length: 8_000 }, (_, n) => (n + 1) / 4);
    for (let n = 0; n < weights.length; n += 4_000) {
      const blocks = Array.from({ length: 80 }, (_, of) =>
        block(
          1 + (of % 2),
          ...weights.slice(n + of * 50, n + of * 50 + 50).map((weight) => ({ weight, unit, reps: 5 })),
        ),
      );
      const startedAt = `2026-02-0${n / 4_000 + 1}T10:00:00Z`;
      const body = { title: '=Max', startedAt, endedAt: startedAt, timeZone: 'UTC', blocks };
      expect((await person.call('PUT', `/workouts/${randomUUID()}`, body)).status).toBe(201);
    }
    const file = await exported(person, path);
    const other = await signedIn(server);
    const shown = await preview(other, file, { timeZone: 'UTC' });
    await committed(other, shown.id);
    const back = (await logged(other)).toReversed();
    expect(back.map(({ title }) => title)).toEqual(['=Max', '=Max']);
    const sets = back.flatMap(({ blocks }) => blocks.flatMap(({ sets: ofBlock }) => ofBlock));
    expect(sets.map(({ weight }) => weight)).toEqual(weights);
    expect(new Set(sets.map((one) => one.unit))).toEqual(new Set([unit]));
  });
});

describe('a file that was damaged', () => {
  it('is a clear refusal or a preview, never an error of the server, and never half an import', {
    timeout: 120_000,
  }, async ({ server }) => {
    const names = ['01-strong-ios-plain.csv', '46-hevy-metric.csv', '68-fitnotes-android.csv', '83-stronglifts-kg.csv'];
    const originals = names.map((name) => readFileSync(join(CORPUS, name), 'utf8'));
    const damage = fc.tuple(
      fc.constantFrom(...originals),
      fc.array(
        fc.record({
          at: fc.nat(2_000),
          length: fc.nat(40),
          by: fc.constantFrom(
            '',
            '"',
            '\n',
            ',',
            ';',
            '\t',
            '\uFEFF',
            '\u0000',
            '\r',
            '""',
            '999999999999',
            '-1',
            'é',
            "'=",
          ),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    );
    let person = await signedIn(server);
    let uploads = 0;
    const endless = originals[0]?.replaceAll('45m', '99999999999945m') ?? '';
    await fc.assert(
      fc.asyncProperty(damage, async ([original, changes]) => {
        let file = original;
        for (const { at, length, by } of changes) file = file.slice(0, at) + by + file.slice(at + length);
        if (++uploads % 100 === 0) person = await signedIn(server);
        const answer = await upload(person, file);
        expect([201, 422]).toContain(answer.status);
      }),
      { numRuns: 500, examples: [[[endless, []]]] },
    );
    expect(await logged(person)).toEqual([]);
  });
});

it('the list of imports is newest first', async ({ person }) => {
  for (const _again of [1, 2]) await preview(person, HEVY);
  const { items } = (await (await person.call('GET', '/imports')).json()) as { items: Import[] };
  expect(items).toMatchObject([{ source: 'hevy', workouts: 2, state: 'preview' }, { state: 'preview' }]);
});
