import pg from 'pg';
import { describe, expect, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { type FakeExpo, startExpo } from '#tests/fakes/expo.ts';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { asSuperuser, fixtures, startTestServer, type TestServer } from '#tests/helpers/server.ts';
import { fetchReceipts } from './push.service.ts';

const SECRET = 'a secret of the cron';

const it = fixtures
  .extend('expo', { scope: 'file' }, ({ untilEnd }) => untilEnd(startExpo()))
  .extend('server', { scope: 'file' }, ({ untilEnd, expo }) =>
    untilEnd(
      startTestServer({
        env: {
          EXPO_BASE_URL: expo.url,
          CRON_SECRET: SECRET,
          EXPO_ACCESS_TOKEN: 'expo access',
          PUSH_RECEIPT_AGE_SEC: '0',
        },
      }),
    ),
  )
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', ({ phone }) => `ExponentPushToken[${phone.username}]`);

// Nobody but this test's person has a phone.
it.beforeEach(async ({ server, phone, token }) => {
  await server.sql('update users set push_token = null');
  await server.sql('update users set push_token = $2 where id = $1', [phone.id, token]);
});

const trigger = (
  server: TestServer,
  path: string,
  headers: Record<string, string> = { authorization: `Bearer ${SECRET}` },
) => fetch(`${server.url}/api/push/${path}`, { headers: { 'user-agent': 'curl/8.5.0', ...headers } });
const pushesTo = (expo: FakeExpo, to: string) => expo.pushes.filter((push) => push.to === to);
const outcomes = async (server: TestServer, phone: Phone, kind: string) =>
  server.sql<{ status: string; last_error: string | null; payload: object }>(
    'select status, last_error, payload from outbox where user_id = $1 and kind = $2 order by created_at',
    [phone.id, kind],
  );

const until = (isTrue: () => Promise<boolean> | boolean) => vi.waitUntil(isTrue, { timeout: 25_000, interval: 20 });
const finished = (server: TestServer, phone: Phone, kind: string) =>
  until(async () => {
    const rows = await outcomes(server, phone, kind);
    return rows.length > 0 && rows.every(({ status }) => status !== 'pending');
  });

/** A habit whose workout is so many minutes from now, with the weekday of that instant. */
async function habit(server: TestServer, phone: Phone, minutesAhead: number, offset = 60): Promise<{ split: number }> {
  const [plan] = await server.sql('insert into workoutplans (user_id) values ($1) returning id', [phone.id]);
  const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'Push') returning id", [
    plan?.id,
  ]);
  await server.sql('update user_reminder_settings set reminder_offset_minutes = $2 where user_id = $1', [
    phone.id,
    offset,
  ]);
  await server.sql(
    `insert into user_split_information (user_id, split_id, estimated_time_utc, confidence, preferred_weekday)
     select $1, $2, t.at, 1.00, extract(dow from t.at at time zone 'UTC')
     from (select now() + make_interval(mins => $3) as at) t`,
    [phone.id, split?.id, minutesAhead],
  );
  return { split: Number(split?.id) };
}
/** Brings the due time of this person's reminders forward to now. */
const hurry = (server: TestServer, phone: Phone) =>
  server.sql("update outbox set next_attempt_at = now() where user_id = $1 and status = 'pending'", [phone.id]);

describe('the daily push', () => {
  it('goes once to everybody with a phone, whatever the number of calls (BG2)', async ({
    server,
    expo,
    phone,
    token,
  }) => {
    const system = "select id from users where role = 'System'";
    await server.sql(`update users set push_token = 'ExponentPushToken[system]' where id = (${system})`);
    for (let n = 0; n < 3; n++) {
      const response = await trigger(server, 'daily');
      expect([response.status, await response.json()]).toEqual([
        200,
        { success: true, message: 'Daily notifications enqueued' },
      ]);
    }
    await finished(server, phone, 'push.daily');
    expect(pushesTo(expo, token)).toEqual([
      { to: token, sound: 'default', title: 'Hello, Dana!', body: 'Ready to go workout?' },
    ]);
    expect(pushesTo(expo, 'ExponentPushToken[system]')).toEqual([]);
    expect(expo.authorizations.at(-1)).toBe('Bearer expo access');
    // Also after the job is long gone from the queue.
    expect(await (await trigger(server, 'daily')).json()).toMatchObject({ success: true });
    await new Promise((done) => setTimeout(done, 300));
    expect(pushesTo(expo, token)).toHaveLength(1);
  });

  it('is for the local day: another one begins at local midnight', async ({ server, phone }) => {
    const enqueue = (now: string) =>
      server
        .sql<{ n: string }>('select app.enqueue_daily_pushes(null, $1) as n', [now])
        .then(([row]) => Number(row?.n));
    await server.sql("update user_reminder_settings set timezone = 'Asia/Jerusalem' where user_id = $1", [phone.id]);
    expect(await enqueue('2030-01-01T21:59:00Z')).toBe(1); // 23:59 local
    expect(await enqueue('2030-01-01T22:00:00Z')).toBe(1); // 00:00 local, the next day
    expect(await enqueue('2030-01-02T21:59:00Z')).toBe(0);
    await server.sql('delete from outbox where user_id = $1', [phone.id]);
  });

  it('by hour: only for whom it is that hour, half-hour zones too', async ({ server, phone }) => {
    const enqueue = (now: string) =>
      server.sql<{ n: string }>('select app.enqueue_daily_pushes(9, $1) as n', [now]).then(([row]) => Number(row?.n));
    await server.sql("update user_reminder_settings set timezone = 'Asia/Kolkata' where user_id = $1", [phone.id]);
    const hours = [];
    for (let hour = 0; hour < 24; hour++)
      hours.push(await enqueue(`2030-03-01T${String(hour).padStart(2, '0')}:07:00Z`));
    expect(hours.map((n, hour) => [n, hour]).filter(([n]) => n)).toEqual([[1, 4]]); // 04:07Z is 09:37 in Kolkata
    await server.sql('delete from outbox where user_id = $1', [phone.id]);
    // Should that run be missed, one of the next two makes up for it.
    expect([await enqueue('2030-03-01T06:07:00Z'), await enqueue('2030-03-02T07:07:00Z')]).toEqual([1, 0]);
    await server.sql('delete from outbox where user_id = $1', [phone.id]);
  });

  it.for(['daily', 'hourlyreminder'])(
    '/%s without the secret, or with a wrong one: 401 and nothing happens (BG2)',
    async (path, { server, phone }) => {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { 'x-cron-secret': `${SECRET}x` },
        { 'x-cron-secret': '' },
      ]) {
        const response = await trigger(server, path, headers as Record<string, string>);
        expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
          401,
          'CRON_SECRET_INVALID',
        ]);
      }
      expect(await server.sql('select 1 from outbox where user_id = $1', [phone.id])).toEqual([]);
      expect((await trigger(server, path, { 'x-cron-secret': SECRET })).status).toBe(200);
      await server.sql("update outbox set status = 'dropped' where user_id = $1", [phone.id]);
    },
  );

  it('a token with a backslash, or somebody who is just being deleted, stops nobody', async ({
    server,
    expo,
    phone,
  }) => {
    await server.sql(
      `insert into users (username, push_token, is_verified)
       values ('backslash', 'ExponentPushToken[a\\b]', true), ('leaving', 'ExponentPushToken[leaving]', true)`,
    );
    const deleting = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await deleting.connect();
    await deleting.query('begin');
    await deleting.query("delete from users where username = 'leaving'");
    const calls = Promise.all([
      trigger(server, 'daily'),
      trigger(server, 'hourlyreminder'),
      server.sql('select refresh_user_split_information()'),
    ]);
    await new Promise((done) => setTimeout(done, 300));
    await deleting.query('commit');
    await deleting.end();
    const [daily, hourly] = await calls;
    expect([daily.status, hourly.status]).toEqual([200, 200]);
    await finished(server, phone, 'push.daily');
    await until(() => pushesTo(expo, 'ExponentPushToken[a\\b]').length === 1);
    expect(pushesTo(expo, 'ExponentPushToken[leaving]')).toEqual([]);
  });

  it('is dropped for a phone that changed hands or signed out meanwhile (BG3)', async ({
    server,
    expo,
    phone,
    token,
  }) => {
    await server.sql(
      `insert into outbox (kind, user_id, payload, dedupe_key, expires_at)
       values ('push.daily', $1, '{"tokenHash":"of another phone"}', gen_random_uuid()::text, now() + interval '1 hour')`,
      [phone.id],
    );
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([
      { status: 'dropped', last_error: 'no longer wanted' },
    ]);
    expect(pushesTo(expo, token)).toEqual([]);
  });
});

describe('the reminder', () => {
  it('three calls: one reminder; after it was sent: none (BG3)', async ({ server, expo, phone, token }) => {
    await habit(server, phone, 90);
    const count = async () => ((await (await trigger(server, 'hourlyreminder')).json()) as { message: string }).message;
    expect([await count(), await count(), await count()]).toEqual([
      'Enqueued 1 workout reminders',
      'Enqueued 0 workout reminders',
      'Enqueued 0 workout reminders',
    ]);
    const [intent] = await server.sql<{ seconds: number }>(
      `select extract(epoch from next_attempt_at - now())::float8 as seconds
       from outbox where user_id = $1 and kind = 'push.reminder'`,
      [phone.id],
    );
    // An hour before the workout, seconds dropped: within the next half hour.
    expect(intent?.seconds).toBeGreaterThan(28 * 60);
    expect(intent?.seconds).toBeLessThanOrEqual(30 * 60);
    await hurry(server, phone);
    await finished(server, phone, 'push.reminder');
    expect(pushesTo(expo, token)).toEqual([
      {
        to: token,
        sound: 'default',
        title: 'Workout Reminder',
        body: 'Dana, get ready! Your Push workout kicks off in 60 minutes.',
      },
    ]);
    expect(await count()).toBe('Enqueued 0 workout reminders');
  });

  it('is dropped when the split was trained today, reminders are off, or the phone is gone (BG3)', async ({
    server,
    expo,
    phone,
    token,
  }) => {
    for (const spoil of [
      async (split: number) =>
        server.sql('insert into workout_summary (user_id, workoutsplit_id) values ($1, $2)', [phone.id, split]),
      async () =>
        server.sql('update user_reminder_settings set workout_reminders_enabled = false where user_id = $1', [
          phone.id,
        ]),
      async () => server.sql('update users set push_token = null where id = $1', [phone.id]),
      async (split: number) => server.sql('update workoutsplits set is_active = false where id = $1', [split]),
    ]) {
      phone = await newPhone(server);
      token = `ExponentPushToken[${phone.username}]`;
      await server.sql('update users set push_token = $2 where id = $1', [phone.id, token]);
      const { split } = await habit(server, phone, 90);
      await trigger(server, 'hourlyreminder');
      await spoil(split);
      await hurry(server, phone);
      await finished(server, phone, 'push.reminder');
      expect([await outcomes(server, phone, 'push.reminder'), pushesTo(expo, token)]).toMatchObject([
        [{ status: 'dropped' }],
        [],
      ]);
    }
  });

  it('is chosen by confidence, weekday, phone and setting (behaviour 4.8)', async ({ server, phone }) => {
    const enqueue = (now: string) =>
      server.sql<{ n: string }>('select app.enqueue_workout_reminders($1) as n', [now]).then(([row]) => Number(row?.n));
    await habit(server, phone, 90);
    const set = (changes: string) =>
      server.sql(`update user_split_information set ${changes} where user_id = $1`, [phone.id]);
    await set("estimated_time_utc = '2030-01-01T18:45:59Z', preferred_weekday = 2"); // a Tuesday
    const noon = '2030-01-01T12:00:00Z';
    for (const [spoil, mend] of [
      ['confidence = 0.30', 'confidence = 0.60'],
      ['preferred_weekday = 4', 'preferred_weekday = 2'],
    ] as const) {
      await set(spoil);
      expect([spoil, await enqueue(noon)]).toEqual([spoil, 0]);
      await set(mend);
    }
    expect(await enqueue('2030-01-01T17:45:00Z')).toBe(0); // its minute has come
    expect(await enqueue(noon)).toBe(1);
    const [intent] = await server.sql('select next_attempt_at from outbox where user_id = $1', [phone.id]);
    expect((intent?.next_attempt_at as Date | undefined)?.toISOString()).toBe('2030-01-01T17:45:00.000Z');
    expect(await enqueue('2029-12-31T20:00:00Z')).toBe(0); // the same day's, seen from the day before
    // It follows a habit that changed, and is none the newer for it.
    await set("estimated_time_utc = '2030-01-01T19:30:00Z'");
    expect(await enqueue(noon)).toBe(0);
    const moved = await server.sql('select next_attempt_at from outbox where user_id = $1', [phone.id]);
    expect(moved).toEqual([{ next_attempt_at: new Date('2030-01-01T18:30:00Z') }]);
    await server.sql('delete from outbox where user_id = $1', [phone.id]);
  });

  it('00:30Z with an offset of 60, seen at 23:00Z the day before: 23:30Z, whoever calls when (BG9)', async ({
    server,
    phone,
  }) => {
    const delay = (now: string, day: string, estimated: string, offset: number) =>
      server
        .sql<{ ms: string | null }>('select app.compute_delay_from_utc($1, $2, $3, $4) as ms', [
          now,
          day,
          estimated,
          offset,
        ])
        .then(([row]) => (row?.ms == null ? null : Number(row.ms)));
    expect(await delay('2030-01-01T12:00:00Z', '2030-01-01', '2029-06-05T18:45:59Z', 60)).toBe(20_700_000);
    expect(await delay('2030-01-01T23:00:00Z', '2030-01-02', '2029-06-05T00:30:00Z', 60)).toBe(1_800_000);
    expect(await delay('2030-01-01T17:45:00Z', '2030-01-01', '2029-06-05T18:45:59Z', 60)).toBe(null);
    expect(await delay('2030-01-01T12:00:00Z', '2030-01-01', '2029-06-05T18:45:00Z', -5)).toBe(24_300_000);
    expect(await delay('2030-01-01T12:00:00Z', '2030-01-03', '2029-06-05T12:00:00Z', 99_999)).toBe(86_400_000);

    await habit(server, phone, 90);
    await server.sql(
      "update user_split_information set estimated_time_utc = '2030-01-02T00:30:00Z', preferred_weekday = 3 where user_id = $1",
      [phone.id],
    );
    const calls = [];
    for (const now of [
      '2030-01-01T01:00:00Z',
      '2030-01-01T12:00:00Z',
      '2030-01-01T23:00:00Z',
      '2030-01-01T23:29:59Z',
      '2030-01-02T00:00:00Z',
    ]) {
      const [row] = await server.sql<{ n: string }>('select app.enqueue_workout_reminders($1) as n', [now]);
      calls.push(Number(row?.n));
    }
    expect(calls).toEqual([1, 0, 0, 0, 0]);
    const [intent] = await server.sql('select next_attempt_at from outbox where user_id = $1', [phone.id]);
    expect((intent?.next_attempt_at as Date | undefined)?.toISOString()).toBe('2030-01-01T23:30:00.000Z');
    await server.sql('delete from outbox where user_id = $1', [phone.id]);
  });
});

describe('delivery', () => {
  it('shares requests, at most a hundred in each', async ({ server, expo }) => {
    await server.sql(
      `insert into users (username, push_token, is_verified)
       select 'many_' || n, 'ExponentPushToken[many' || n || ']', true from generate_series(1, 350) n`,
    );
    expo.requests = [];
    await trigger(server, 'daily');
    await until(() => expo.pushes.filter((push) => push.to.includes('many')).length === 350);
    expect(Math.max(...expo.requests)).toBeLessThanOrEqual(100);
    expect(expo.requests.length).toBeLessThan(120); // fewer on a machine that has nothing else to do
    expect(new Set(expo.pushes.filter((push) => push.to.includes('many')).map((push) => push.to)).size).toBe(350);
  });

  it('DeviceNotRegistered in the ticket clears the token; the push counts as failed (BG11)', async ({
    server,
    expo,
    phone,
    token,
  }) => {
    expo.ticketErrors.set(token, 'DeviceNotRegistered');
    await trigger(server, 'daily');
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([
      { status: 'failed', last_error: 'DeviceNotRegistered' },
    ]);
    expect(await server.sql('select push_token from users where id = $1', [phone.id])).toEqual([{ push_token: null }]);
  });

  it('another ticket error is final, one that passes is tried again', async ({ server, expo, phone, token }) => {
    expo.ticketErrors.set(token, 'MessageTooBig');
    await trigger(server, 'daily');
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([
      { status: 'failed', last_error: 'Expo: MessageTooBig' },
    ]);

    phone = await newPhone(server);
    token = `ExponentPushToken[${phone.username}]`;
    await server.sql('update users set push_token = $2 where id = $1', [phone.id, token]);
    expo.ticketErrors.set(token, 'MessageRateExceeded');
    await trigger(server, 'daily');
    await until(async () =>
      (await outcomes(server, phone, 'push.daily')).some((row) => row.last_error === 'Expo: MessageRateExceeded'),
    );
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([{ status: 'pending' }]);
    expo.ticketErrors.delete(token);
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([{ status: 'sent' }]);
    expect(pushesTo(expo, token)).toHaveLength(1);
  });

  it('a server error or a refusal to talk is tried again, once each, and nothing is lost', async ({
    server,
    expo,
    phone,
    token,
  }) => {
    expo.failures = [503];
    await trigger(server, 'daily');
    await finished(server, phone, 'push.daily');
    expect([await outcomes(server, phone, 'push.daily'), pushesTo(expo, token).length]).toMatchObject([
      [{ status: 'sent' }],
      1,
    ]);
  });

  it('a refused request does not spoil the pushes that shared it', async ({ server, expo }) => {
    await server.sql(
      `insert into users (username, push_token, is_verified)
       select 'shared_' || n, 'ExponentPushToken[shared' || n || ']', true from generate_series(1, 5) n`,
    );
    expo.failures = [400];
    await trigger(server, 'daily');
    const receivers = () => new Set(expo.pushes.map(({ to }) => to).filter((to) => to.includes('shared')));
    await vi.waitFor(() => expect(receivers().size).toBe(5), { timeout: 25_000 });
  });

  it('a token that is none of Expo is never sent', async ({ server, expo, phone }) => {
    const before = expo.requests.length;
    await server.sql("update users set push_token = 'nonsense ' || id where id = $1", [phone.id]);
    await trigger(server, 'daily');
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([
      { status: 'failed', last_error: 'not an Expo push token' },
    ]);
    expect(expo.requests.length).toBe(before);
  });

  it('jobs and finished intents hold no token and no text (BG12)', async ({ server, expo, phone, token }) => {
    expo.failures = [500];
    await trigger(server, 'daily');
    await until(async () => (await outcomes(server, phone, 'push.daily')).some((row) => row.last_error !== null));
    const keys = await server.redis.keys('bull:*');
    const dump = await Promise.all(
      keys.map(async (key) => {
        const type = await server.redis.type(key);
        if (type === 'hash') return JSON.stringify(await server.redis.hgetall(key));
        return type === 'string' ? await server.redis.get(key) : '';
      }),
    );
    expect(keys.some((key) => key.startsWith('bull:pushNotifications'))).toBe(true);
    for (const secret of [token, 'ExponentPushToken', 'Ready to go']) expect(dump.join('\n')).not.toContain(secret);
    await finished(server, phone, 'push.daily');
    expect(await outcomes(server, phone, 'push.daily')).toMatchObject([{ status: 'sent', payload: {} }]);
    await until(async () => (await server.redis.exists('bull:pushNotifications:completed')) === 0);
  });
});

it('a receipt with DeviceNotRegistered clears the token wherever it stands; others leave it (BG11)', async ({
  server,
  expo,
  phone,
  token,
}) => {
  // Expo's client was loaded by the server, when its address was known.
  const { expoPusher } = await import('#platform/push/expoPusher.ts');
  const fine = await newPhone(server);
  await server.sql("update users set push_token = 'ExponentPushToken[fine]' where id = $1", [fine.id]);
  await trigger(server, 'daily');
  await finished(server, phone, 'push.daily');
  await until(async () => (await server.sql('select 1 from push_tickets where user_id = $1', [fine.id])).length === 1);
  const [ticket] = await server.sql("insert into push_tickets values ('no receipt yet', $1, 'x', now()) returning *", [
    fine.id,
  ]);
  expo.receiptErrors.set(token, 'DeviceNotRegistered');
  const log = buildLog('silent');
  const db = openDatabase({ url: server.databaseUrl, poolSize: 1, preparedStatements: true, log });
  await fetchReceipts(db, expoPusher(undefined), log, 0);
  await db.close();
  const tokens = await server.sql('select push_token from users where id = any ($1) order by username = $2', [
    [phone.id, fine.id],
    fine.username,
  ]);
  expect(tokens).toEqual([{ push_token: null }, { push_token: 'ExponentPushToken[fine]' }]);
  expect(await server.sql('select ticket_id from push_tickets')).toEqual([{ ticket_id: ticket?.ticket_id }]);
});
