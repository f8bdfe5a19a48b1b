import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { signedIn } from '#tests/helpers/logbook.ts';
import { withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));
const weight = (value: number, measuredAt: string) => ({ kind: 'body_weight', value, unit: 'lb', measuredAt });

it('a measurement is kept as it was entered, under an id of the caller', async ({ server, person }) => {
  const id = randomUUID();
  const path = `/measurements/${id}`;
  const created = await person.call('PUT', path, weight(181.25, '2026-03-01T07:00:00Z'));
  const document = (await created.json()) as { version: number };
  expect([created.status, document]).toMatchObject([
    201,
    { id, kind: 'body_weight', value: 181.25, unit: 'lb', measuredAt: '2026-03-01T07:00:00.000Z' },
  ]);
  expect(await (await person.call('PUT', path, document)).json()).toEqual(document);
  expect((await person.call('PUT', path, weight(180, '2026-03-01T07:00:00Z'), { 'if-match': '"999"' })).status).toBe(
    412,
  );
  const other = await signedIn(server);
  expect((await other.call('GET', path)).status).toBe(404);
  expect((await other.call('PUT', path, weight(90, '2026-03-01T07:00:00Z'))).status).toBe(201);
  expect((await person.call('DELETE', path)).status).toBe(204);
  expect((await person.call('GET', path)).status).toBe(404);
  expect((await person.call('PUT', path, { ...weight(1, '2026-03-01T07:00:00Z'), value: -1 })).status).toBe(422);
  expect((await person.call('PUT', path, { ...weight(1, '2026-03-01T07:00:00Z'), unit: 'st' })).status).toBe(422);
});

it('the list is of one kind and of days, newest first, in pages', async ({ person }) => {
  for (let n = 1; n <= 5; n++) {
    await person.call('PUT', `/measurements/${randomUUID()}`, weight(180 + n, `2026-03-0${n}T07:00:00Z`));
  }
  const waist = { kind: 'waist', value: 80, unit: 'cm', measuredAt: '2026-03-03T07:00:00Z' };
  await person.call('PUT', `/measurements/${randomUUID()}`, waist);
  const list = async (query: string) =>
    (await (await person.call('GET', `/measurements?${query}`)).json()) as {
      items: Array<{ value: number }>;
      nextCursor: string | null;
    };
  const first = await list('kind=body_weight&limit=2');
  expect(first.items.map(({ value }) => value)).toEqual([185, 184]);
  const second = await list(`kind=body_weight&limit=3&cursor=${first.nextCursor}`);
  expect([second.items.map(({ value }) => value), second.nextCursor]).toEqual([[183, 182, 181], null]);
  expect((await list('from=2026-03-03&to=2026-03-03')).items).toHaveLength(2);
});
