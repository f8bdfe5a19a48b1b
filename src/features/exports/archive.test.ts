import { randomUUID } from 'node:crypto';
import { unzipSync } from 'fflate';
import sharp from 'sharp';
import { expect } from 'vitest';
import { startSupabase } from '#tests/fakes/supabase.ts';
import { signedIn } from '#tests/helpers/logbook.ts';
import { newOtherSession } from '#tests/helpers/otherSession.ts';
import { makeProof } from '#tests/helpers/proof.ts';
import { fixtures, startTestServer } from '#tests/helpers/server.ts';
import { SECTIONS } from './archive.queries.ts';

const it = fixtures
  .extend('supabase', { scope: 'file' }, ({ untilEnd }) => untilEnd(startSupabase()))
  .extend('server', { scope: 'file' }, ({ untilEnd, supabase }) =>
    untilEnd(startTestServer({ env: { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE: 'service-role' } })),
  )
  .extend('person', ({ server }) => signedIn(server));

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
async function unzipped(answer: Response) {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
  const json = (name: string) => JSON.parse(text(files[`${name}.json`]));
  return { files, json };
}

it('holds all that is stored about a person, and nothing of others', async ({ server, person }) => {
  const { phone } = person;
  const other = await signedIn(server);
  for (const { app, call, planned } of [person, other]) {
    await app('POST', '/api/workouts/finishworkout', {
      workout: [{ exercisetosplit_id: planned[0], weight: [100, 102.5], reps: [5, 3], notes: '=1+1' }],
      workout_start_utc: new Date(Date.now() - 60_000).toISOString(),
    });
    await server.sql("insert into aerobictracking (user_id, type, duration_mins) values ($1, 'Run', 30)", [
      call === person.call ? phone.id : other.phone.id,
    ]);
    const measured = { kind: 'waist', value: 80.5, unit: 'cm', measuredAt: new Date().toISOString() };
    expect((await call('PUT', `/measurements/${randomUUID()}`, measured)).status).toBe(201);
  }
  await server.sql("insert into security_events (kind, user_id) values ('login-failed', $1), ('login-failed', $2)", [
    phone.id,
    other.phone.id,
  ]);
  await newOtherSession(server, phone, '@Firefox, "mine"');
  const form = new FormData();
  const picture = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  form.append('file', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'x.jpg');
  const { accessToken } = await phone.tokens();
  const stored = await server.fetch('/api/users/setprofilepic', {
    method: 'PUT',
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: makeProof(phone.key, `PUT ${server.url}/api/users/setprofilepic`, { accessToken }),
    },
    body: form,
  });
  expect(stored.status).toBe(201);

  const answer = await phone.get('/api/v1/exports/archive.zip', accessToken);
  const { files, json } = await unzipped(answer);
  const pictures = Object.keys(files).filter((name) => name.startsWith('pictures/'));
  const sections = Object.keys(SECTIONS).flatMap((name) => [`${name}.json`, `${name}.csv`]);
  expect(pictures).toHaveLength(1);
  expect(Object.keys(files).sort()).toEqual(
    [...sections, ...pictures, 'README.txt', 'logbook.csv', 'logbook.json'].sort(),
  );
  for (const name of Object.keys(SECTIONS)) {
    expect(Array.isArray(json(name)), name).toBe(true);
    const rows = json(name).length;
    if (rows === 0) expect(text(files[`${name}.csv`])).toBe('');
    expect(text(files['README.txt']), name).toContain(name);
  }
  expect(json('profile')).toMatchObject([{ id: phone.id, email: phone.email, unit: 'kg' }]);
  expect(json('plans')).toMatchObject([
    { split: 'A', plannedReps: [5, 5] },
    { split: 'A', plannedReps: [5, 5] },
  ]);
  expect(json('app-workouts')).toMatchObject([{ weightsKg: [100, 102.5], reps: [5, 3], notes: '=1+1' }]);
  expect(text(files['app-workouts.csv'])).toContain("'=1+1");
  expect(json('records')).toMatchObject([{ weightKg: 102.5, reps: 3 }]);
  expect(json('cardio')).toMatchObject([{ type: 'Run', minutes: 30 }]);
  expect(json('messages').length).toBeGreaterThan(0);
  expect(json('measurements')).toMatchObject([{ kind: 'waist', value: 80.5 }]);
  expect(json('sessions')).toMatchObject([{ name: '@Firefox, "mine"' }]);
  expect(text(files['sessions.csv'])).toContain(`"'@Firefox, ""mine"""`);
  expect(json('security-events')).toMatchObject([{ kind: 'login-failed' }]);
  expect(json('logbook')).toMatchObject({ format: 'strong-together-logbook', workouts: [{ blocks: [{}] }] });
  const all = Object.values(files).map(text).join('\n');
  expect(all).not.toContain(other.phone.id);
  expect(all).not.toContain(other.phone.email);
  expect(all).not.toMatch(/\$2[aby]\$/); // no hash of a password
  expect(files[pictures[0] ?? '']?.subarray(0, 2)).toEqual(new Uint8Array([0xff, 0xd8]));
});

it('waits for the picture store: half an archive is none', async ({ server, supabase, person }) => {
  const path = `${server.config.BUCKET_NAME}/${person.phone.id}/x.jpg`;
  await server.sql('update users set profile_image_url = $2 where id = $1', [person.phone.id, path]);
  supabase.isDown = true;
  try {
    expect((await person.call('GET', '/exports/archive.zip')).status).toBe(503);
  } finally {
    supabase.isDown = false;
  }
  // A picture that is not there any more is left out.
  expect(Object.keys((await unzipped(await person.call('GET', '/exports/archive.zip'))).files)).toContain('README.txt');
});

it('of somebody who has nothing is whole, too', async ({ person }) => {
  const { json } = await unzipped(await person.call('GET', '/exports/archive.zip'));
  expect(json('cardio')).toEqual([]);
  expect(json('logbook').workouts).toEqual([]);
});
