import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newPhone, type Phone, type Tokens } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { asSuperuser, startTestServer, type TestServer } from './helpers/server.ts';
import { startTcpProxy, type TcpProxy } from './helpers/tcpProxy.ts';
import { startRedis, type TestRedis } from './setup/redis.ts';

let server: TestServer;
let phone: Phone;
let tokens: Tokens;

const PROFILE = '/api/users/get';
const send = (proof: string) =>
  server.fetch(PROFILE, { headers: { authorization: `DPoP ${tokens.accessToken}`, dpop: proof } });
const proof = () => makeProof(phone.key, `GET ${server.url}${PROFILE}`, { accessToken: tokens.accessToken });

const untilRedisIsBack = (of: TestServer) =>
  vi.waitUntil(() => of.logged.some((line) => line.includes('Redis is available again')), { timeout: 15_000 });

describe('with Redis gone', () => {
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
    server = await startTestServer({
      env: { REDIS_URL: redis.url, RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '50' },
    });
    phone = await newPhone(server);
    tokens = await phone.tokens();
  });
  afterEach(async () => {
    await server.close();
    await redis.stop();
  });

  it('everything works, and a proof stays used across the outage (PO1, OP2)', async () => {
    const before = proof();
    expect((await send(before)).status).toBe(200);
    await redis.stop();
    expect((await send(before)).status).toBe(401);
    const during = proof();
    expect([(await send(during)).status, (await send(during)).status]).toEqual([200, 401]);
    expect(await server.sql('select 1 from seen_proofs')).toHaveLength(1);
    expect((await phone.login()).status).toBe(200);
    tokens = await phone.tokens();
    expect((await phone.refresh(tokens.refreshToken)).status).toBe(200);
  });

  it('another instance refuses a proof that this one accepted meanwhile', async () => {
    const second = await startTestServer({ sharing: server, env: { PUBLIC_BASE_URL: server.url } });
    try {
      await redis.stop();
      const used = proof();
      expect((await send(used)).status).toBe(200);
      const headers = { authorization: `DPoP ${tokens.accessToken}`, dpop: used };
      expect((await second.fetch(PROFILE, { headers })).status).toBe(401);
    } finally {
      await second.close();
    }
  });

  it('a proof that was used during the outage stays used when Redis is back', async () => {
    const second = await startTestServer({ sharing: server, env: { PUBLIC_BASE_URL: server.url } });
    try {
      await redis.stop();
      const used = proof();
      expect((await send(used)).status).toBe(200);
      redis = await startRedis(Number(new URL(redis.url).port));
      await untilRedisIsBack(second);
      const headers = { authorization: `DPoP ${tokens.accessToken}`, dpop: used };
      expect((await second.fetch(PROFILE, { headers })).status).toBe(401);
    } finally {
      await second.close();
    }
  });

  it('limits go on inside the process', async () => {
    await redis.stop();
    const answers = await Promise.all(Array.from({ length: 60 }, () => server.fetch('/')));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  });
});

describe('with PostgreSQL gone', () => {
  let proxy: TcpProxy;

  beforeEach(async () => {
    const base = await startTestServer();
    const target = new URL(base.databaseUrl);
    proxy = await startTcpProxy(Number(target.port));
    const throughProxy = new URL(base.databaseUrl);
    throughProxy.port = String(proxy.port);
    server = await startTestServer({ sharing: { ...base, databaseUrl: throughProxy.href } });
    const { sql, close } = server;
    // Helpers reach the database past the proxy.
    server = {
      ...server,
      sql: base.sql,
      close: async () => {
        await close();
        await base.close();
      },
    };
    void sql;
    phone = await newPhone(server);
    tokens = await phone.tokens();
  });
  afterEach(async () => {
    await server.close();
    await proxy.close();
  });

  it('answers 503 within two seconds, never 401; alive but not ready; and comes back by itself (OP1, OP7)', async () => {
    proxy.cut();
    const started = performance.now();
    const response = await send(proof());
    expect(performance.now() - started).toBeLessThan(2_000);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: 'Service temporarily unavailable',
    });
    expect((await server.fetch('/health')).status).toBe(200);
    expect((await server.fetch('/health/ready')).status).toBe(503);
    proxy.restore();
    expect((await send(proof())).status).toBe(200);
  });

  it('a connection that dies during the guard costs one request, not the process (OP4, OP6)', async () => {
    const locker = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await locker.connect();
    await locker.query('begin; lock table users in access exclusive mode');
    const stuck = send(proof());
    await new Promise((done) => setTimeout(done, 200));
    proxy.cut();
    expect((await stuck).status).toBe(503);
    await locker.end();
    proxy.restore();
    expect((await send(proof())).status).toBe(200);
  });

  it('a database that accepts and says nothing is a 503 in about two seconds', async () => {
    proxy.freeze();
    const started = performance.now();
    expect((await send(proof())).status).toBe(503);
    expect(performance.now() - started).toBeLessThan(4_000);
    proxy.restore();
  });

  it('a page for a browser stays a page', async () => {
    proxy.cut();
    const response = await server.fetch('/api/auth/verify?token=x');
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    proxy.restore();
  });

  it('holds a refresh until it is back (OP1)', async () => {
    proxy.cut();
    const held = phone.refresh(tokens.refreshToken);
    await new Promise((done) => setTimeout(done, 1_500));
    proxy.restore();
    expect((await held).status).toBe(200);
  });
});
