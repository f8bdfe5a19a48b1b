// Whoever reads after an import says that it is committed reads everything: from the same instance, from another one, with
// an ETag of before, and what the cache holds.
import { expect, vi } from 'vitest';
import { type Person, signedIn } from './helpers/logbook.ts';
import { makeProof } from './helpers/proof.ts';
import { fixtures, startTestServer, type TestServer } from './helpers/server.ts';

const ROUNDS = 4;
const WORKOUTS = 60;

const it = fixtures
  .extend('one', { scope: 'file' }, ({ untilEnd }) => untilEnd(startTestServer()))
  .extend('other', { scope: 'file' }, ({ untilEnd, one }) => untilEnd(startTestServer({ sharing: one })));

/** Heavier in each round, so that records change, too. */
const file = (round: number) =>
  [
    'Date;Workout Name;Exercise Name;Set Order;Weight (kg);Reps',
    ...Array.from(
      { length: WORKOUTS },
      (_, n) =>
        `20${10 + round}-0${1 + (n % 9)}-${10 + Math.floor(n / 9)} 10:00:00;A;Squat (Barbell);1;${100 + round};5`,
    ),
  ].join('\n');

async function committed(person: Person, text: string): Promise<void> {
  const form = new FormData();
  form.append('timeZone', 'UTC');
  form.append('file', new Blob([text]));
  const { id } = (await (await person.send('POST', '/imports', form)).json()) as { id: string };
  expect((await person.call('POST', `/imports/${id}/commit`)).status).toBe(202);
  const state = async () => ((await (await person.call('GET', `/imports/${id}`)).json()) as { state: string }).state;
  await vi.waitUntil(async () => (await state()) === 'committed', { interval: 1, timeout: 30_000 });
}

it('what is committed is read everywhere', async ({ one, other }) => {
  const person = await signedIn(one);
  const { accessToken } = person;
  const get = (server: TestServer, path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/v1${path}`, {
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(person.phone.key, `GET ${server.url}/api/v1${path}`, { accessToken }),
        ...headers,
      },
    });
  const etags = new Map<string, string>();
  const read = async <Body>(server: TestServer, path: string) => {
    const before = etags.get(server.url + path);
    const answer = await get(server, path, before === undefined ? {} : { 'if-none-match': before });
    expect([path, answer.status]).toEqual([path, 200]);
    etags.set(server.url + path, answer.headers.get('etag') ?? '');
    return (await answer.json()) as Body;
  };
  for (let round = 1; round <= ROUNDS; round++) {
    await committed(person, file(round));
    const seen = await Promise.all(
      [one, other].flatMap((server) => [
        read<{ items: unknown[] }>(server, '/workouts?limit=200').then(({ items }) => items.length),
        read<{ items: Array<{ heaviest: { weight: number } }> }>(server, '/records').then(
          ({ items }) => items[0]?.heaviest.weight,
        ),
        read<{ all: { workouts: number } }>(server, '/stats/summary').then(({ all }) => all.workouts),
      ]),
    );
    const all = round * WORKOUTS;
    const wanted = [Math.min(all, 200), 100 + round, all];
    expect(seen).toEqual([...wanted, ...wanted]);
  }
});
