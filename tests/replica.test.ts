// Reads of a hot standby: it answers what the cache has not, and people see what they wrote whatever it lags behind.
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { expect, vi } from 'vitest';
import { freePort } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import { HAS_DEBIAN_POSTGRES, queryAt, startDebianPostgres } from './helpers/debianPostgres.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { fixtures, startTestServer, type TestServer } from './helpers/server.ts';

const CARDIO = '/api/aerobics/get?tz=UTC';
const SET = { kind: 'normal', weight: 100, unit: 'kg', reps: 5 };
const BOOTSTRAP = '/api/bootstrap/get?tz=UTC';

const it = fixtures.extend('replicated', { scope: 'file' }, async ({ untilEnd }) => {
  const settings = await startTestServer();
  await settings.close();
  const primary = await untilEnd(startDebianPostgres(['wal_retrieve_retry_interval=200ms']));
  const systemUserId = settings.config.SYSTEM_USER_ID;
  await migrate({ url: primary.url, folder: join(import.meta.dirname, '../db'), systemUserId });
  const standby = await untilEnd(primary.startStandby(false));
  const metricsPort = String(await freePort());
  const server = await untilEnd(
    startTestServer({
      sharing: { ...settings, databaseUrl: primary.url },
      env: { DATABASE_REPLICA_URL: standby.url, METRICS_PORT: metricsPort },
    }),
  );
  const superuser = new pg.Pool({ connectionString: primary.superuserUrl, max: 1 });
  await untilEnd(Promise.resolve({ close: () => superuser.end() }));
  const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await superuser.query<Row>(text, values)).rows;
  /** Counts the reads since the last question, by who answered. */
  let before: Record<string, number> = {};
  const reads = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const counted = Object.fromEntries(
      [...text.matchAll(/^replica_reads_total\{outcome="(\w+)"\} (\d+)/gm)].map(([, name = '', n]) => [
        name,
        Number(n),
      ]),
    );
    const since = Object.entries(counted).map(([name, n]) => [name, n - (before[name] ?? 0)] as const);
    before = counted;
    return Object.fromEntries(since.filter(([, n]) => n > 0));
  };
  const caughtUp = async () => {
    const [{ lsn } = { lsn: '' }] = await sql<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    await vi.waitFor(async () => {
      const question = `select pg_last_wal_replay_lsn() >= '${lsn}' as is_there`;
      expect(await queryAt(standby.superuserUrl, question)).toEqual([{ is_there: true }]);
    }, 5_000);
  };
  const signIn = async (at: TestServer = server) => {
    const phone = await newPhone({ ...at, sql });
    return { phone, ...(await phone.tokens()) };
  };
  return { settings, primary, standby, sql, signIn, reads, caughtUp, ...(await signIn()) };
});

const running = it.skipIf(!HAS_DEBIAN_POSTGRES);

async function ran(phone: Phone, accessToken: string, minutes: number): Promise<void> {
  const record = { type: 'Run', durationMins: minutes, durationSec: 0 };
  expect((await phone.post('/api/aerobics/add', accessToken, { record, tz: 'UTC' })).status).toBe(201);
}

running(
  'a replica that has everything answers, one that lags does not',
  { timeout: 60_000 },
  async ({ replicated }) => {
    const { phone, accessToken, standby, reads, caughtUp } = replicated;
    const cardio = async () => {
      const answer = await phone.get(CARDIO, accessToken);
      expect(answer.status).toBe(200);
      return answer.text();
    };
    await ran(phone, accessToken, 41);
    await caughtUp();
    await reads();
    expect(await cardio()).toContain('41');
    expect(await reads()).toEqual({ replica: 1 });

    await queryAt(standby.superuserUrl, 'select pg_wal_replay_pause()');
    await ran(phone, accessToken, 42);
    expect(await cardio()).toContain('42');
    expect(await reads()).toEqual({ behind: 1 });
    // What has not changed since may come from there: here, all but the cardio, which is in the cache by now.
    expect(await (await phone.get(BOOTSTRAP, accessToken)).text()).toContain('42');
    expect(await reads()).toEqual({ replica: 1 });
    await queryAt(standby.superuserUrl, 'select pg_wal_replay_resume()');

    await ran(phone, accessToken, 43);
    await caughtUp();
    expect(await (await phone.get(BOOTSTRAP, accessToken)).text()).toContain('43');
    expect(await reads()).toEqual({ replica: 1 });
  },
);

running(
  'records of an import that was just committed are never those of before',
  { timeout: 60_000 },
  async ({ replicated }) => {
    const { standby, signIn, sql, caughtUp } = replicated;
    const { phone, accessToken } = await signIn();
    const records = async () =>
      (await phone.get('/api/v1/records', accessToken)).json() as Promise<{ items: unknown[] }>;
    expect((await records()).items).toEqual([]);
    await caughtUp();
    await queryAt(standby.superuserUrl, 'select pg_wal_replay_pause()');
    await sql('select app.import_workouts($1, gen_random_uuid(), $2)', [
      phone.id,
      JSON.stringify([
        {
          id: randomUUID(),
          content: {
            ...{ title: 'A', notes: '', started_at: '2023-01-01 10:00 UTC', ended_at: '2023-01-01 11:00 UTC' },
            ...{ time_zone: 'UTC', blocks: [{ id: randomUUID(), exercise_id: 1, notes: '', sets: [SET] }] },
          },
        },
      ]),
    ]);
    expect((await records()).items).toHaveLength(1);
    await queryAt(standby.superuserUrl, 'select pg_wal_replay_resume()');
  },
);

running('a session that has ended reads nothing there', { timeout: 60_000 }, async ({ replicated }) => {
  const { standby, signIn, caughtUp, reads } = replicated;
  const { phone, accessToken } = await signIn();
  await caughtUp();
  await queryAt(standby.superuserUrl, 'select pg_wal_replay_pause()');
  await reads();
  expect((await phone.post('/api/auth/logout', accessToken, {})).status).toBe(200);
  expect((await phone.get(CARDIO, accessToken)).status).toBe(401);
  expect(await reads()).toEqual({});
  await queryAt(standby.superuserUrl, 'select pg_wal_replay_resume()');
});

running(
  'one that is no copy of the primary, or says nothing, is passed over',
  { timeout: 60_000 },
  async ({ replicated, untilEnd }) => {
    const { signIn, settings, primary, standby } = replicated;
    const frozen = await startFrozen();
    await untilEnd(Promise.resolve(frozen));
    const foreign = primary.url.replace(/strong_together$/, 'postgres');
    for (const replica of [foreign, standby.url.replace(String(standby.port), String(frozen.port))]) {
      const server = await untilEnd(
        startTestServer({
          sharing: { ...settings, databaseUrl: primary.url },
          env: { DATABASE_REPLICA_URL: replica },
        }),
      );
      const { phone, accessToken } = await signIn(server);
      const answers = await Promise.all(
        ['UTC', 'Asia/Tokyo', 'Europe/Paris'].map((zone) => phone.get(`/api/aerobics/get?tz=${zone}`, accessToken)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(await (await phone.get(BOOTSTRAP, accessToken)).json()).toHaveProperty('aerobics');
    }
  },
);

/** Takes connections and says nothing. */
async function startFrozen() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

running('without the replica everything goes on', { timeout: 60_000 }, async ({ replicated }) => {
  const { phone, accessToken, standby, reads } = replicated;
  await ran(phone, accessToken, 44);
  await reads();
  await standby.kill();
  expect(await (await phone.get(CARDIO, accessToken)).text()).toContain('44');
  expect(Object.keys(await reads())).toEqual(['away']);
  await ran(phone, accessToken, 45);
  expect(await (await phone.get(CARDIO, accessToken)).text()).toContain('45');
  expect(await reads()).toEqual({}); // it is left alone for a while
});
