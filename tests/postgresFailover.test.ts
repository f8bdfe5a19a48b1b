// A primary dies under load and its standby takes over, under the same address: nothing acknowledged is lost.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, vi } from 'vitest';
import { migrate } from '#platform/postgres/migrate.ts';
import { HAS_DEBIAN_POSTGRES, startDebianPostgres } from './helpers/debianPostgres.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { startTestServer, withServer } from './helpers/server.ts';
import { startTcpProxy } from './helpers/tcpProxy.ts';

const it = withServer();
const PEOPLE = 6;

it.skipIf(!HAS_DEBIAN_POSTGRES).for([
  ['synchronous', true],
  ['asynchronous', false],
] as const)('with a standby that is %s', { timeout: 120_000 }, async ([_name, isSynchronous], { server }) => {
  const primary = await startDebianPostgres(['wal_retrieve_retry_interval=200ms']);
  onTestFinished(() => primary.close());
  const systemUserId = server.config.SYSTEM_USER_ID;
  await migrate({ url: primary.url, folder: join(import.meta.dirname, '../db'), systemUserId });
  const standby = await primary.startStandby(isSynchronous);
  onTestFinished(() => standby.close());
  const proxy = await startTcpProxy(primary.port);
  onTestFinished(() => proxy.close());
  const databaseUrl = primary.url.replace(`:${primary.port}`, `:${proxy.port}`);
  const own = await startTestServer({ sharing: { ...server, databaseUrl } });
  onTestFinished(() => own.close());
  const superuser = new pg.Pool({
    connectionString: primary.superuserUrl.replace(`:${primary.port}`, `:${proxy.port}`),
    max: 1,
  });
  superuser.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  onTestFinished(() => superuser.end());
  const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await superuser.query<Row>(text, values)).rows;

  const phones: Array<{ phone: Phone; accessToken: string; refreshToken: string }> = [];
  for (let n = 0; n < PEOPLE; n++) {
    const phone = await newPhone({ ...own, sql });
    phones.push({ phone, ...(await phone.tokens()) });
  }
  const acknowledged: string[] = [];
  const refused = new Map<number, number>();
  let isOver = false;
  let cardio = 0;
  const [signingIn, ...others] = phones; // a refresh ends the access token before
  const training = others.map(async ({ phone, accessToken }) => {
    while (!isOver) {
      const seconds = ++cardio;
      const record = { type: 'Run', durationMins: Math.floor(seconds / 60), durationSec: seconds % 60 };
      const { status } = await phone.post('/api/aerobics/add', accessToken, { record, tz: 'UTC' });
      if (status === 201) acknowledged.push(`${phone.id} ${record.durationMins} ${record.durationSec}`);
      else {
        refused.set(status, (refused.get(status) ?? 0) + 1);
        await pause(50);
      }
    }
  });
  await pause(1_500);
  const before = acknowledged.length;
  await primary.kill();
  proxy.cut();
  const held = signingIn?.phone.refresh(signingIn.refreshToken);
  await standby.promote();
  proxy.pointTo(standby.port);
  proxy.restore();
  await vi.waitUntil(() => acknowledged.length > before + PEOPLE, { timeout: 30_000, interval: 5 });
  await pause(1_000);
  isOver = true;
  await Promise.all(training);

  const rows = await sql<{ key: string }>(
    "select a.user_id || ' ' || a.duration_mins || ' ' || a.duration_sec as key from aerobictracking a",
  );
  const stored = new Set(rows.map(({ key }) => key));
  const lost = acknowledged.filter((key) => !stored.has(key));
  if (isSynchronous) expect(lost).toEqual([]);
  // Only what was not copied yet when the primary died.
  else expect(lost.filter((key) => acknowledged.indexOf(key) < before - 10 * PEOPLE)).toEqual([]);
  expect([...refused.keys()].filter((status) => status !== 503)).toEqual([]);
  // A refresh is held while the database is away: nobody is signed out by a failover.
  expect((await held)?.status).toBe(200);
});
