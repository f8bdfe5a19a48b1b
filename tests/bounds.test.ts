import { describe, expect, vi } from 'vitest';
import { startProvider } from './fakes/identityProvider.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { fixtures, startTestServer, type TestServer } from './helpers/server.ts';

const it = fixtures
  .extend('google', { scope: 'file' }, ({ untilEnd }) =>
    untilEnd(startProvider('https://accounts.google.com', 'google-app')),
  )
  .extend('server', { scope: 'file' }, ({ untilEnd, google }) =>
    untilEnd(startTestServer({ env: { GOOGLE_JWKS_URL: google.url, GOOGLE_ALLOWED_AUDS: 'google-app' } })),
  )
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken);

const addCardio = (phone: Phone, token: string, key?: string) =>
  phone.post(
    '/api/aerobics/add',
    token,
    { record: { type: 'Walk', durationMins: 1 } },
    key === undefined ? {} : { 'idempotency-key': key },
  );
const send = (server: TestServer, phone: Phone, token: string, method: string, path: string) =>
  server.fetch(path, {
    method,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken: token }),
    },
  });

describe('what one person may have in Redis', () => {
  it('is bounded in payloads, whatever the zones; older versions of an answer go at once', async ({
    server,
    phone,
    token,
  }) => {
    const zones = Intl.supportedValuesOf('timeZone').slice(0, 12);
    const warm = async () => {
      for (const zone of zones) {
        await phone.get(`/api/workouts/gettracking?tz=${encodeURIComponent(zone)}`, token);
        await phone.get(`/api/workouts/getworkout?tz=${encodeURIComponent(zone)}`, token);
        await phone.get(`/api/aerobics/get?tz=${encodeURIComponent(zone)}`, token);
      }
    };
    const payloads = async () => (await server.redis.keys(`*:${phone.id}:v*`)).sort();
    await warm();
    await vi.waitFor(async () => expect((await payloads()).length).toBeLessThanOrEqual(24));
    expect((await payloads()).length).toBeGreaterThan(12);
    await addCardio(phone, token);
    await phone.get('/api/aerobics/get?tz=UTC', token);
    const ofCardio = async () => (await payloads()).filter((key) => key.startsWith('aerobics:'));
    await vi.waitFor(async () => expect(await ofCardio()).toHaveLength(1));
    expect(await ofCardio()).toEqual([expect.stringMatching(/:v[1-9]\d*:UTC$/)]);
    expect((await server.redis.zrange(`cached-of:${phone.id}`, '0', '-1')).sort()).toEqual(await payloads());
  });

  it('a payload of another shape, from another release, is computed anew', async ({ server, phone, token }) => {
    const path = '/api/workouts/gettracking?tz=UTC';
    const read = async (at: TestServer) => {
      const dpop = makeProof(phone.key, `GET ${at.url}${path}`, { accessToken: token });
      const response = await at.fetch(path, { headers: { authorization: `DPoP ${token}`, dpop } });
      return [response.headers.get('x-cache'), await response.text()];
    };
    const [, text] = await read(server);
    const elsewhere = await startTestServer({ sharing: server });
    try {
      await vi.waitFor(async () => expect(await read(elsewhere)).toEqual(['HIT', text]));
      const [key = ''] = await server.redis.keys(`tracking:${phone.id}:v*:UTC`);
      const kept = (await server.redis.getBuffer(key)) as Buffer;
      await server.redis.set(key, Buffer.concat([Buffer.from('another1'), kept.subarray(8)]));
      expect(await read(elsewhere)).toEqual(['MISS', text]);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('what one person may have in the database', () => {
  it('answers to an Idempotency-Key: a hundred in a day, then the number is said', async ({ server, phone, token }) => {
    await server.sql(
      `insert into idempotency_keys (user_id, route, key, body_hash, status, body)
       select $1, 'POST /api/aerobics/add', 'k' || n, '', 201, '{}' from generate_series(1, 99) n`,
      [phone.id],
    );
    expect((await addCardio(phone, token, 'the hundredth')).status).toBe(201);
    const refused = await addCardio(phone, token, 'one more');
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { message: 'Too many requests with an Idempotency-Key today: at most 100 are remembered.' },
    ]);
    const [row] = await server.sql<{ n: string }>('select count(*) as n from aerobictracking where user_id = $1', [
      phone.id,
    ]);
    expect(Number(row?.n)).toBe(1);
    expect((await addCardio(phone, token, 'the hundredth')).headers.get('idempotency-replayed')).toBe('true');
    expect((await addCardio(phone, token)).status).toBe(201);
  });

  it('cardio: a thousand records in the window', async ({ server, phone, token }) => {
    await server.sql(
      `insert into aerobictracking (user_id, type, duration_mins)
       select $1, 'Bike', 1 from generate_series(1, 999)`,
      [phone.id],
    );
    expect((await addCardio(phone, token)).status).toBe(201);
    const run = { record: { type: 'Run', durationMins: 1 } };
    const refused = await phone.post('/api/aerobics/add', token, run);
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'CARDIO_LIMIT_REACHED' }]);
  });
});

describe('beside the deletion of the account', () => {
  it('every other request is answered as it was before or as without a session, never with a 500', async ({
    server,
  }) => {
    for (let round = 0; round < 4; round++) {
      const one = await newPhone(server);
      const { accessToken } = await one.tokens();
      const paths = ['/api/users/get', '/api/bootstrap/get', '/api/workouts/gettracking', '/api/analytics/get'];
      const requests = [
        ...paths.flatMap((path) => [
          send(server, one, accessToken, 'GET', path),
          send(server, one, accessToken, 'GET', path),
        ]),
        one.post('/api/aerobics/add', accessToken, { record: { type: 'Walk', durationMins: 1 } }),
        one.post('/api/workouts/add', accessToken, { workoutData: { A: [{ id: 1, sets: [5] }] } }),
        one.post('/api/ws/generateticket', accessToken, {}),
        send(server, one, accessToken, 'DELETE', '/api/users/deleteself'),
        ...paths.flatMap((path) => [
          send(server, one, accessToken, 'GET', path),
          send(server, one, accessToken, 'GET', path),
        ]),
        one.post('/api/aerobics/add', accessToken, { record: { type: 'Walk', durationMins: 1 } }),
      ];
      const answers = await Promise.all(requests);
      for (const answer of answers) {
        expect([200, 201, 401]).toContain(answer.status);
        if (answer.status === 401) expect(await answer.json()).toMatchObject({ code: 'LOGIN_REQUIRED' });
      }
      expect(answers[paths.length * 2 + 3]?.status).toBe(200);
    }
  });

  it('a sign-in by a provider finds the account or makes a new one', async ({ server, google, phone }) => {
    for (let round = 0; round < 6; round++) {
      const claims = { sub: `sub ${round}`, email: `gone${round}@example.com`, email_verified: true, name: 'Gina' };
      const signIn = async () =>
        server.fetch('/api/oauth/google', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'dpop-key-binding': phone.key.thumbprint },
          body: JSON.stringify({ idToken: await google.token(claims) }),
        });
      const { user, accessToken } = (await (await signIn()).json()) as { user: string; accessToken: string };
      const [, ...signIns] = await Promise.all([
        send(server, phone, accessToken, 'DELETE', '/api/users/deleteself'),
        signIn(),
        signIn(),
        signIn(),
      ]);
      expect(signIns.map(({ status }) => status)).toEqual([200, 200, 200]);
      for (const answer of signIns) expect(((await answer.json()) as { user: string }).user).toBeDefined();
      const rows = await server.sql('select 1 from users where id = $1', [user]);
      expect(rows.length).toBeLessThanOrEqual(1);
    }
  });

  it('a mail that is asked for at that moment is a 204', async ({ server }) => {
    for (let round = 0; round < 6; round++) {
      const one = await newPhone(server);
      const { accessToken } = await one.tokens();
      const ask = (path: string, body: object) =>
        server.fetch(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const [deleted, ...asked] = await Promise.all([
        send(server, one, accessToken, 'DELETE', '/api/users/deleteself'),
        ask('/api/auth/forgotpassemail', { identifier: one.username }),
        ask('/api/auth/forgotpassemail', { identifier: `${one.username}@example.com` }),
        ask('/api/auth/sendverificationemail', { email: `${one.username}@example.com` }),
      ]);
      expect([deleted.status, ...asked.map(({ status }) => status)]).toEqual([200, 204, 204, 204]);
    }
  });
});

it('a reminder is not sent twice because the habit has drifted across midnight (UTC)', async ({ server, phone }) => {
  await server.sql("update users set push_token = 'ExponentPushToken[night]' where id = $1", [phone.id]);
  const [plan] = await server.sql('insert into workoutplans (user_id) values ($1) returning id', [phone.id]);
  const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
    plan?.id,
  ]);
  const habitAt = (instant: string) =>
    server.sql(
      `insert into user_split_information (user_id, split_id, estimated_time_utc, confidence, preferred_weekday)
       values ($1, $2, $3, 1.00, extract(dow from $3::timestamptz at time zone 'UTC'))
       on conflict (user_id, split_id) do update
         set estimated_time_utc = excluded.estimated_time_utc, preferred_weekday = excluded.preferred_weekday`,
      [phone.id, split?.id, instant],
    );
  const enqueue = async (now: string) =>
    (await server.sql<{ n: string }>('select app.enqueue_workout_reminders($1) as n', [now]))[0]?.n;
  const send = (at: string) =>
    server.sql("update outbox set status = 'sent', finished_at = $2 where user_id = $1", [phone.id, at]);

  await habitAt('2031-03-04T23:58:00Z');
  expect(await enqueue('2031-03-04T20:07:00Z')).toBe('1');
  await send('2031-03-04T22:58:00Z');
  await habitAt('2031-03-05T00:03:00Z'); // trained a little later, and the night has another date
  expect(await enqueue('2031-03-04T23:00:00Z')).toBe('0');
  // A week later it is another workout.
  expect(await enqueue('2031-03-11T23:00:00Z')).toBe('1');
});
