// Redis beyond one server: a cluster, Sentinel, a Redis of its own for the cache.
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { connectRedis, readRedisUrl } from '#platform/redis.ts';
import { StartupError } from '#platform/startupError.ts';
import { startResend } from './fakes/resend.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { openSocket, ticketOf } from './helpers/phoneSocket.ts';
import { startProcess } from './helpers/process.ts';
import { makeProof } from './helpers/proof.ts';
import { type RedisServers, startRedisCluster, startRedisSentinel, startTlsCluster } from './helpers/redisCluster.ts';
import { fixtures as it, startTestServer, type TestServer } from './helpers/server.ts';
import { startRedis } from './setup/redis.ts';

/** Two instances with a mail provider, on the same servers. */
async function startTwo(redis: RedisServers, env: Record<string, string>) {
  const close = (closed: { close(): Promise<void> }) => onTestFinished(() => closed.close());
  close(redis);
  const resend = await startResend();
  close(resend);
  const mail = { RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url, MAIL_MAX_PER_SEC: '1000' };
  const settings = { REDIS_URL: redis.url, ...mail, ...env };
  const one = await startTestServer({ env: settings });
  close(one);
  const two = await startTestServer({ env: { ...settings, PUBLIC_BASE_URL: one.url }, sharing: one });
  close(two);
  return { one, two, resend };
}

const register = (server: TestServer, username: string) =>
  server.fetch('/api/users/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, email: `${username}@example.com`, password: 'long enough' }),
  });

/** A read of the same phone at either instance. */
const readAt = (server: TestServer, phone: Phone, token: string, path = '/api/workouts/gettracking?tz=UTC') =>
  server.fetch(path, {
    headers: {
      authorization: `DPoP ${token}`,
      dpop: makeProof(phone.key, `GET ${server.url}${path}`, { accessToken: token }),
    },
  });

async function finishWorkout(phone: Phone, token: string): Promise<Response> {
  const added = await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 1, sets: [5] }] } });
  const { workoutPlan } = (await added.json()) as {
    workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
  };
  const exercise = workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id;
  const at = new Date(Date.now() - 60_000).toISOString();
  return phone.post('/api/workouts/finishworkout', token, {
    workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
    workout_start_utc: at,
    workout_end_utc: at,
  });
}

describe('where Redis is', () => {
  it('is said by a URL', () => {
    expect(readRedisUrl('redis://:p@ss@[::1]:7000/3?family=6')).toMatchObject({ kind: 'single' });
    expect(readRedisUrl('redis+cluster://:p@ss@[::1]:7000').nodes).toEqual([{ host: '::1', port: 7000 }]);
    expect(readRedisUrl('rediss+cluster://me:a:b@one:7000,two')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'one', port: 7000 },
        { host: 'two', port: 6379 },
      ],
      name: '',
      login: { username: 'me', password: 'a:b', tls: {} },
    });
    expect(readRedisUrl('redis+sentinel://:p%3Fss@one,two:26380/main?sentinelPassword=a%26b')).toMatchObject({
      login: { password: 'p?ss' },
      sentinelPassword: 'a&b',
      nodes: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 26_380 },
      ],
      name: 'main',
    });
  });

  it.for(['http://one', 'redis+cluster://one/3', 'redis+sentinel://one:26379', 'redis://', 'redis+other://one'])(
    '%s is refused',
    (url) => expect(() => readRedisUrl(url)).toThrow(TypeError),
  );
});

describe.each([
  ['a cluster', startRedisCluster],
  ['servers behind Sentinel', startRedisSentinel],
])('on %s', (_name, start) => {
  it('mails, limits, used proofs, cache and sockets are those of all instances', async () => {
    const { one, two, resend } = await startTwo(await start(), { RATE_LIMIT_ENABLED: 'true' });
    expect((await register(one, 'mailed')).status).toBe(201);
    await vi.waitFor(() => expect(resend.sent.size).toBe(1), { timeout: 15_000 });

    const phone = await newPhone(one);
    const { accessToken } = await phone.tokens();
    const arriving = openSocket(two.url, { ticket: await ticketOf(phone, accessToken) });
    onTestFinished(() => void arriving.socket.close());
    await arriving.connected();
    expect((await finishWorkout(phone, accessToken)).status).toBe(200);
    expect(await arriving.messages(1)).toHaveLength(1);

    const text = await (await readAt(one, phone, accessToken)).text();
    await vi.waitFor(async () => {
      const read = await readAt(two, phone, accessToken);
      expect([read.headers.get('x-cache'), await read.text()]).toEqual(['HIT', text]);
    });

    const path = '/api/users/get';
    const headers = {
      authorization: `DPoP ${accessToken}`,
      dpop: makeProof(phone.key, `GET ${one.url}${path}`, { accessToken }),
    };
    expect((await one.fetch(path, { headers })).status).toBe(200);
    expect(await (await two.fetch(path, { headers })).json()).toMatchObject({ code: 'DPOP_PROOF_REPLAYED' });

    const left = (response: Response) => Number(response.headers.get('ratelimit-remaining'));
    const before = left(await one.fetch('/api/exercises/getall'));
    expect(left(await two.fetch('/api/exercises/getall'))).toBe(before - 1);
  });

  it('one that dies under load is replaced: nothing acknowledged is lost, every mail is sent once', async () => {
    const redis = await start();
    const { one, two, resend } = await startTwo(redis, {});
    const phone = await newPhone(one);
    const { accessToken } = await phone.tokens();
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    let isOver = false;
    const registering = (async () => {
      for (let n = 0; !isOver; n++) {
        const response = await register(n % 2 ? one : two, `over_${n}`);
        if (response.status === 201) acknowledged.push(`over_${n}@example.com`);
        else failures.push([response.status, await response.text()]);
      }
    })();
    const reading = (async () => {
      while (!isOver) {
        const read = await readAt(two, phone, accessToken);
        if (read.status !== 200) failures.push([read.status, await read.text()]);
      }
    })();
    await pause(500);
    for (const key of redis.keys) {
      await redis.killMasterOf(key);
      await redis.promoted(key);
    }
    await pause(2_000);
    isOver = true;
    await Promise.all([registering, reading]);
    expect(failures).toEqual([]);
    const missing = () =>
      acknowledged.filter((address) => ![...resend.sent.values()].some((mail) => mail.to === address));
    await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 60_000, interval: 200 });
    expect(resend.sent.size).toBe(acknowledged.length);
  });
});

it('a proof that was used while its node was away stays used when another takes its place', async () => {
  const redis = await startRedisCluster();
  const { one, two } = await startTwo(redis, {});
  const phone = await newPhone(one);
  const { accessToken } = await phone.tokens();
  const path = '/api/users/get';
  const ask = (server: TestServer, dpop: string) =>
    server.fetch(path, { headers: { authorization: `DPoP ${accessToken}`, dpop } });
  const newProof = () => makeProof(phone.key, `GET ${one.url}${path}`, { accessToken });
  const [key = ''] = redis.keys;
  const proofs = Array.from({ length: 12 }, newProof); // some of them belong to its node
  await redis.killMasterOf(key);
  for (const proof of proofs) expect((await ask(one, proof)).status).toBe(200);
  await redis.promoted(key);
  for (const proof of proofs) expect((await ask(two, proof)).status).toBe(401);
});

describe('a Redis of several servers that cannot be used', () => {
  const log = buildLog('silent');
  const silent = async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('is told of at the start, which does not wait for ever', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    for (const url of [
      `redis+sentinel://${nobody}/main`,
      `redis+cluster://${nobody}`,
      `redis+cluster://${await silent()}`,
    ])
      await expect(connectRedis(url, log)).rejects.toThrow(StartupError);
  });

  it('a sentinel that says nothing is passed over', async () => {
    const servers = await startRedisSentinel();
    onTestFinished(() => servers.close());
    const redis = await connectRedis(servers.url.replace('://', `://${await silent()},`), log);
    onTestFinished(() => redis.disconnect());
    expect(await redis.set('a', 'b')).toBe('OK');
  });
});

it('several servers that speak nothing but TLS deliver', { timeout: 60_000 }, async ({ untilEnd }) => {
  const redis = await untilEnd(startTlsCluster());
  const resend = await untilEnd(startResend());
  const database = await startTestServer();
  await database.close();
  const starting = (authority: Record<string, string>) =>
    startProcess('all', {
      ...database.config.secrets,
      DATABASE_URL: database.databaseUrl,
      DATA_DIR: database.config.DATA_DIR,
      REDIS_URL: redis.url,
      RESEND_API_KEY: 're_test',
      RESEND_BASE_URL: resend.url,
      ...authority,
    });
  // A certificate that nobody vouches for is no certificate.
  await expect(starting({})).rejects.toThrow(/Redis/);
  const started = await starting({ NODE_EXTRA_CA_CERTS: redis.authority });
  await untilEnd(Promise.resolve({ close: () => started.kill('SIGTERM') }));
  const answer = await fetch(`${started.url}/api/users/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-app-version': '4.5.0' },
    body: JSON.stringify({ username: 'sealed', email: 'sealed@example.com', password: 'long enough' }),
  });
  expect(answer.status).toBe(201);
  await vi.waitUntil(() => resend.sent.size === 1, { timeout: 15_000 });
});

describe('the Redis of the queues', () => {
  it('that may drop keys is told of at the start; the cache may have one of its own', async () => {
    const cacheRedis = await startRedis(undefined, ['--maxmemory', '10mb', '--maxmemory-policy', 'allkeys-lru']);
    onTestFinished(() => cacheRedis.stop());
    const risky = await startTestServer({ env: { REDIS_URL: cacheRedis.url } });
    expect(risky.logged.filter((line) => line.includes('REDIS_CACHE_URL'))).toHaveLength(1);
    await risky.close();

    const server = await startTestServer({ env: { REDIS_CACHE_URL: cacheRedis.url } });
    onTestFinished(() => server.close());
    expect(server.logged.filter((line) => line.includes('REDIS_CACHE_URL'))).toEqual([]);
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    const inCache = new Redis(cacheRedis.url);
    onTestFinished(() => inCache.disconnect());
    await inCache.flushall();
    await readAt(server, phone, accessToken);
    await vi.waitFor(async () => expect(await inCache.keys('tracking:*')).toHaveLength(1));
    expect(await inCache.keys('proof:*')).toEqual([]);
    expect(await server.redis.keys('tracking:*')).toEqual([]);
    expect(await server.redis.keys('proof:*')).toHaveLength(1);
  });
});
