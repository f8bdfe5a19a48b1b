import { describe, expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken);

const read = async (phone: Phone, token: string, tz = 'UTC') =>
  (await phone.get(`/api/aerobics/get?tz=${encodeURIComponent(tz)}`, token)).json();
const add = (phone: Phone, token: string, body: unknown, headers?: Record<string, string>) =>
  phone.post('/api/aerobics/add', token, body, headers);
const log = (server: TestServer, phone: Phone, at: string, mins = 30, sec = 15, type = 'Walk') =>
  server.sql(
    'insert into aerobictracking (user_id, type, duration_mins, duration_sec, workout_time_utc) values ($1, $2, $3, $4, $5)',
    [phone.id, type, mins, sec, at],
  );

describe('cardio (behaviour 4.7)', () => {
  it('without any: both maps, empty', async ({ phone, token }) => {
    expect(await read(phone, token)).toStrictEqual({ daily: {}, weekly: {} });
  });

  it('is stored now and answered with both maps', async ({ phone, token }) => {
    const response = await add(phone, token, {
      record: { type: ' Run ', durationMins: 30, durationSec: 15 },
      tz: 'Asia/Jerusalem',
    });
    const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Jerusalem' }).format(new Date());
    expect([response.status, await response.json()]).toEqual([
      201,
      {
        daily: { [today]: [{ type: 'Run', duration_mins: 30, duration_sec: 15 }] },
        weekly: {
          [expectedSunday(today)]: {
            total_duration_mins: 30,
            total_duration_sec: 15,
            records: [
              {
                type: 'Run',
                duration_mins: 30,
                duration_sec: 15,
                workout_time_utc: expect.stringMatching(/\.\d{3}\+0[23]:00$/),
              },
            ],
          },
        },
      },
    ]);
  });

  it('weeks start on Sunday of the zone; seconds are not carried', async ({ server, phone, token }) => {
    // In Jerusalem (+2): Saturday 2026-11-21 23:30 is 21:30Z; Sunday 2026-11-22 00:10 is 22:10Z.
    await log(server, phone, '2026-11-21T21:30:00Z', 20, 50);
    await log(server, phone, '2026-11-21T22:10:00Z', 10, 40, 'Run');
    await log(server, phone, '2026-11-22T10:00:00Z', 5, 50);
    const maps = (await read(phone, token, 'Asia/Jerusalem')) as {
      daily: object;
      weekly: Record<string, { records: unknown[] }>;
    };
    expect(Object.keys(maps.daily).sort()).toEqual(['2026-11-21', '2026-11-22']);
    expect(maps.weekly).toMatchObject({
      '2026-11-15': { total_duration_mins: 20, total_duration_sec: 50 },
      '2026-11-22': {
        total_duration_mins: 15,
        total_duration_sec: 90,
        records: [{ type: 'Run', workout_time_utc: '2026-11-22T00:10:00.000+02:00' }, { type: 'Walk' }],
      },
    });
    expect(Object.keys(((await read(phone, token, 'America/New_York')) as typeof maps).daily).sort()).toEqual([
      '2026-11-21',
      '2026-11-22',
    ]);
  });

  it('reaches 45 days back', async ({ server, phone, token }) => {
    await log(server, phone, new Date(Date.now() - 45 * 86_400_000 - 1000).toISOString());
    expect(await read(phone, token)).toEqual({ daily: {}, weekly: {} });
  });

  it.for([
    [undefined],
    [{}],
    [{ record: [] }],
    [{ record: { type: '', durationMins: 5 } }],
    [{ record: { type: ' ', durationMins: 5 } }],
    [{ record: { type: 'x'.repeat(51), durationMins: 5 } }],
    [{ record: { type: 'Run', durationMins: -1 } }],
    [{ record: { type: 'Run', durationMins: 1441 } }],
    [{ record: { type: 'Run', durationMins: 1e12 } }],
    [{ record: { type: 'Run', durationMins: 1.5 } }],
    [{ record: { type: 'Run', durationMins: '5' } }],
    [{ record: { type: 'Run', durationMins: 5, durationSec: 60 } }],
    [{ record: { type: 'Run', durationMins: 0, durationSec: 0 } }],
    [{ record: { type: 'Run', durationMins: 0 } }],
    [{ record: { type: 'Run', durationMins: 5 }, tz: 'Mars/Base' }],
  ])('refuses %o and stores nothing (IN1)', async ([body], { server, phone, token }) => {
    const response = await add(phone, token, body);
    expect(response.status).toBe(400);
    expect(await server.sql('select 1 from aerobictracking where user_id = $1', [phone.id])).toEqual([]);
  });

  it('that is sent again within a minute is one record, also at the same time; a key says otherwise', async ({
    server,
    phone,
    token,
  }) => {
    const run = { record: { type: 'Run', durationMins: 5 }, tz: 'UTC' };
    const count = async () => (await server.sql('select 1 from aerobictracking where user_id = $1', [phone.id])).length;
    const answers = await Promise.all(Array.from({ length: 6 }, () => add(phone, token, run)));
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect([answers.map(({ status }) => status), await count()]).toEqual([Array(6).fill(201), 1]);
    for (const body of bodies) expect(body).toEqual(await read(phone, token));
    for (const record of [
      { type: 'Walk', durationMins: 5 },
      { type: 'Run', durationMins: 6 },
      { type: 'Run', durationMins: 5, durationSec: 1 },
    ]) {
      await add(phone, token, { record });
    }
    expect(await count()).toBe(4);
    await add(phone, token, run, { 'idempotency-key': 'another' });
    expect(await count()).toBe(5);
    await add(phone, token, run);
    expect(await count()).toBe(5);
    const other = await newPhone(server);
    expect((await add(other, (await other.tokens()).accessToken, run)).status).toBe(201);
    expect(await server.sql('select 1 from aerobictracking where user_id = $1', [other.id])).toHaveLength(1);
    await server.sql(
      "update aerobictracking set workout_time_utc = workout_time_utc - interval '61 seconds' where user_id = $1",
      [phone.id],
    );
    await add(phone, token, run);
    expect(await count()).toBe(6);
  });

  it('honours an Idempotency-Key', async ({ server, phone, token }) => {
    const body = { record: { type: 'Run', durationMins: 5 } };
    const answers = [
      await add(phone, token, body, { 'idempotency-key': 'a' }),
      await add(phone, token, body, { 'idempotency-key': 'a' }),
    ];
    expect(answers.map((answer) => [answer.status, answer.headers.get('idempotency-replayed')])).toEqual([
      [201, null],
      [201, 'true'],
    ]);
    expect(await server.sql('select 1 from aerobictracking where user_id = $1', [phone.id])).toHaveLength(1);
  });
});

function expectedSunday(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  return new Date(date.getTime() - date.getUTCDay() * 86_400_000).toISOString().slice(0, 10);
}
