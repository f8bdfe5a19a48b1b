import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { startSchedule, type Task } from '#platform/schedule.ts';
import { startResend } from './fakes/resend.ts';
import { startSmtp } from './fakes/smtp.ts';
import { startTestServer, type TestServer } from './helpers/server.ts';
import { startTcpProxy } from './helpers/tcpProxy.ts';

const closers: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const until = (isTrue: () => Promise<boolean> | boolean) => vi.waitUntil(isTrue, { timeout: 30_000, interval: 20 });

let registered = 0;
async function register(server: TestServer): Promise<string> {
  const username = `later_${registered++}`;
  const response = await server.fetch('/api/users/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, email: `${username}@example.com`, password: 'long enough' }),
  });
  expect(response.status).toBe(201);
  return `${username}@example.com`;
}
const outcome = async (server: TestServer, email: string) =>
  (
    await server.sql<{ status: string; last_error: string | null; payload: object }>(
      'select o.status, o.last_error, o.payload from outbox o join users u on u.id = o.user_id where u.email = $1',
      [email],
    )
  )[0];

async function serverWith(env: Record<string, string>, redis = true): Promise<TestServer> {
  const server = await startTestServer({ env, redis });
  closers.push(() => server.close());
  return server;
}

describe.each([
  ['through the queue', true],
  ['without Redis', false],
])('mail %s', (_name, redis) => {
  it('a refusal is final, and recorded as such (BG11)', async () => {
    const resend = await startResend();
    closers.push(() => resend.close());
    const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url }, redis);
    resend.failures = [422];
    const email = await register(server);
    await until(async () => (await outcome(server, email))?.status === 'failed');
    expect(await outcome(server, email)).toMatchObject({ last_error: 'Resend answered 422', payload: {} });
    expect([resend.attempts, resend.sent.size]).toEqual([1, 0]);
    if (redis) await until(async () => (await server.redis.zcard('bull:emails:failed')) === 1);
  });

  it('a provider that asks for time gets it; no attempt is used up by that', async () => {
    const resend = await startResend();
    closers.push(() => resend.close());
    const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url }, redis);
    resend.failures = [429, 429, 429, 429, 429, 429];
    const email = await register(server);
    await until(async () => (await outcome(server, email))?.status === 'sent');
    expect([resend.attempts, resend.sent.size]).toEqual([7, 1]);
  });

  it('is dropped when its link would be dead (BG12)', async () => {
    const resend = await startResend();
    closers.push(() => resend.close());
    const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url }, redis);
    resend.failures = Array(20).fill(500);
    const email = await register(server);
    await until(async () => (await outcome(server, email))?.last_error === 'Resend answered 500');
    resend.failures = [];
    await server.sql("update outbox set expires_at = now() - interval '1 second', next_attempt_at = now()");
    await until(async () => (await outcome(server, email))?.status === 'dropped');
    await new Promise((done) => setTimeout(done, 6_000)); // the next attempt of the queue
    expect([(await outcome(server, email))?.last_error, resend.sent.size]).toEqual(['expired', 0]);
  });
});

it('a hundred thousand pushes, or a picture store that hangs, do not stand before a mail', async () => {
  const hanging = createServer(() => undefined);
  await new Promise<void>((done) => hanging.listen(0, '127.0.0.1', done));
  closers.push(async () => void hanging.close().closeAllConnections());
  const resend = await startResend();
  closers.push(() => resend.close());
  const server = await serverWith({
    RESEND_API_KEY: 're_test',
    RESEND_BASE_URL: resend.url,
    SUPABASE_URL: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`,
    SUPABASE_SERVICE_ROLE: 'service-role',
  });
  await server.sql(
    `insert into outbox (kind, payload, dedupe_key, created_at, next_attempt_at, expires_at)
     select k.kind, k.payload, k.kind || n, now(), now() - interval '1 minute', now() + interval '1 hour'
     from (values
       ('pictures.remove-one', '{"key":"a/b.jpg"}'::jsonb, 80),
       ('push.daily', '{"tokenHash":"x"}'::jsonb, 100000)
     ) as k (kind, payload, count)
     cross join lateral generate_series(1, k.count) as n`,
  );
  const email = await register(server);
  await until(async () => (await outcome(server, email))?.status === 'sent');
  const [waiting] = await server.sql(
    "select count(*)::int as n from outbox where kind = 'push.daily' and status = 'pending'",
  );
  expect(waiting?.n).toBeGreaterThan(0); // the mail was not last
});

it('what Redis forgot is handed over again, also a job that ended while its intent waits', async () => {
  const resend = await startResend();
  closers.push(() => resend.close());
  const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url });
  resend.failures = [500, 422];
  const [forgotten, ended] = [await register(server), await register(server)];
  await until(async () => (await outcome(server, ended))?.status === 'failed');
  await until(async () => (await outcome(server, forgotten))?.last_error !== null);
  await server.redis.flushdb();
  // The outcome of the second was never noted, as when the database is away at that moment.
  await server.sql(
    `update outbox set status = 'pending', finished_at = null, payload = jsonb_build_object('email', $1::text)
     where status = 'failed'`,
    [ended],
  );
  await server.sql("update outbox set next_attempt_at = now() where status = 'pending'"); // the lease is over
  await until(async () => resend.sent.size === 2);
  await until(async () => (await outcome(server, forgotten))?.status === 'sent');
  expect([...resend.sent.values()].map((mail) => mail.to).sort()).toEqual([forgotten, ended].sort());
});

it('a registration while Redis is away is answered, and its mail comes when Redis is back (BG1)', async () => {
  const plain = await startTestServer();
  const redisUrl = new URL(plain.config.redisUrl ?? '');
  await plain.close();
  const proxy = await startTcpProxy(Number(redisUrl.port));
  closers.push(() => proxy.close());
  redisUrl.port = String(proxy.port);
  const resend = await startResend();
  closers.push(() => resend.close());
  const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url, REDIS_URL: redisUrl.href });
  proxy.cut();
  const email = await register(server);
  await new Promise((done) => setTimeout(done, 1_500));
  proxy.restore();
  await until(async () => (await outcome(server, email))?.status === 'sent');
  expect([...resend.sent.values()].map((mail) => mail.to)).toEqual([email]);
});

it('mail through SMTP: both parts, a stable Message-ID, a refusal is final, a hiccup is not', async () => {
  const smtp = await startSmtp();
  closers.push(() => smtp.close());
  const server = await serverWith({ SMTP_URL: smtp.url, EMAIL_FROM: 'Us <us@mail.example>' });
  smtp.refusals = ['451 try again later'];
  const email = await register(server);
  await until(async () => (await outcome(server, email))?.status === 'sent');
  const [mail] = smtp.received;
  expect(mail).toMatchObject({ from: 'us@mail.example', to: email });
  expect(mail?.data).toContain('Subject: Confirm your Strong Together account');
  expect(mail?.data).toMatch(/Message-ID: <[0-9a-f-]{36}@mail\.example>/);
  for (const part of ['text/plain', 'text/html']) expect(mail?.data).toContain(`Content-Type: ${part}`);
  expect((await server.fetch('/dev/mailbox/json')).status).toBe(404);

  smtp.refusals = ['550 no such mailbox'];
  const nobody = await register(server);
  await until(async () => (await outcome(server, nobody))?.status === 'failed');
  expect(await outcome(server, nobody)).toMatchObject({ last_error: 'the mail server answered 550' });
});

it('the log of a delivery has the id of the request that asked for it, in another process, too', async () => {
  const resend = await startResend();
  closers.push(() => resend.close());
  const server = await serverWith({ RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url });
  resend.failures = [500];
  const response = await server.fetch('/api/users/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'traced', email: 'traced@example.com', password: 'long enough' }),
  });
  const requestId = response.headers.get('x-request-id');
  const ofRequest = () =>
    server.logged.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId && line.outboxId);
  await until(() => ofRequest().length === 2);
  expect(ofRequest()).toMatchObject([
    { level: 'warn', kind: 'mail.verification', attempt: 1, msg: 'a delivery failed' },
    { level: 'info', kind: 'mail.verification', attempt: 2, msg: 'delivery', outcome: 'sent' },
  ]);
});

it('metrics tell outcomes, depth and lag, on a port of their own', async () => {
  const port = await freePort();
  const resend = await startResend();
  closers.push(() => resend.close());
  const server = await serverWith({
    METRICS_PORT: String(port),
    RESEND_API_KEY: 're_test',
    RESEND_BASE_URL: resend.url,
  });
  resend.failures = [422];
  const failing = await register(server);
  await until(async () => (await outcome(server, failing))?.status === 'failed');
  const sent = await register(server);
  await until(async () => (await outcome(server, sent))?.status === 'sent');
  await server.sql(
    `insert into outbox (kind, dedupe_key, created_at, next_attempt_at, expires_at)
     values ('of.the.future', 'f', now() - interval '1 hour', now() - interval '30 minutes', now() + interval '1 day')`,
  );
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  expect(value('deliveries_total{kind="mail.verification",outcome="failed"}')).toBe(1);
  expect(value('deliveries_total{kind="mail.verification",outcome="sent"}')).toBe(1);
  expect(value('outbox_pending{kind="of.the.future"}')).toBe(1);
  expect(value('outbox_lag_seconds{kind="of.the.future"}')).toBeGreaterThan(1_799);
  expect(value('queue_jobs{queue="emails",state="failed"}')).toBe(1);
  expect(value('queue_oldest_job_seconds{queue="emails"}')).toBe(0);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  expect((await server.fetch('/metrics')).status).toBe(404);
});

describe('the schedule', () => {
  it('runs a task at its times, goes on after a failure, and waits for what is under way when it stops', async () => {
    let runs = 0;
    let isRunning = false;
    const task: Task = {
      name: 'test',
      next: (after) => new Date(after.getTime() + 20),
      run: async () => {
        runs++;
        isRunning = true;
        await new Promise((done) => setTimeout(done, 50));
        isRunning = false;
        if (runs === 1) throw new Error('once');
      },
    };
    const stop = startSchedule([task], buildLog('silent'));
    await until(() => runs === 3);
    await stop();
    expect(isRunning).toBe(false);
    const runsAtStop = runs;
    await new Promise((done) => setTimeout(done, 150));
    expect(runs).toBe(runsAtStop);
  });
});
