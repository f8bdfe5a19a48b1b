import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { startTestServer, type TestServer } from './helpers/server.ts';
import { startTcpProxy, type TcpProxy } from './helpers/tcpProxy.ts';

const KEPT = ['/api/workouts/getworkout', '/api/workouts/gettracking', '/api/aerobics/get', '/api/analytics/get'];
const REVALIDATED = [...KEPT, '/api/exercises/getall', '/api/bootstrap/get'];

async function get(
  server: TestServer,
  phone: Phone,
  token: string,
  path: string,
  headers: Record<string, string> = {},
) {
  const proof = makeProof(phone.key, `GET ${server.url}${path}`, { accessToken: token });
  return server.fetch(path, { headers: { authorization: `DPoP ${token}`, dpop: proof, ...headers } });
}

const finish = (phone: Phone, token: string, exercise: number, tz: string, start = new Date()) =>
  phone.post('/api/workouts/finishworkout', token, {
    workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
    workout_start_utc: start.toISOString(),
    workout_end_utc: start.toISOString(),
    tz,
  });

async function plan(phone: Phone, token: string): Promise<number> {
  const response = await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 1, sets: [5] }] } });
  const saved = (await response.json()) as {
    workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
  };
  return saved.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id ?? 0;
}

describe.each([
  ['with Redis', {}],
  ['with the in-process stand-in', { redis: false }],
] as const)('%s', (_name, options) => {
  let server: TestServer;
  let phone: Phone;
  let token: string;
  let exercise: number;

  beforeAll(async () => {
    server = await startTestServer(options);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    phone = await newPhone(server);
    token = (await phone.tokens()).accessToken;
    exercise = await plan(phone, token);
  });
  const read = (path: string, headers?: Record<string, string>) => get(server, phone, token, path, headers);

  it.each(KEPT)('%s is a miss, then a hit with the same bytes, and a miss in another zone', async (path) => {
    const miss = await read(`${path}?tz=Asia%2FJerusalem`);
    const hit = await read(`${path}?tz=asia%2Fjerusalem`);
    expect([miss, hit].map((r) => r.headers.get('x-cache'))).toEqual(['MISS', 'HIT']);
    expect(hit.headers.get('etag')).toBe(miss.headers.get('etag'));
    expect(hit.headers.get('cache-control')).toBe('private, no-cache');
    expect(await hit.text()).toBe(await miss.text());
    const elsewhere = await read(`${path}?tz=Pacific%2FChatham`);
    expect(elsewhere.headers.get('x-cache')).toBe(path.includes('analytics') ? 'HIT' : 'MISS');
  });

  it('a hit for a client that takes no gzip is the plain text, under an ETag of its own', async () => {
    const zipped = await read(KEPT[1] as string);
    const plain = await read(KEPT[1] as string, { 'accept-encoding': 'identity' });
    expect([zipped, plain].map((r) => r.headers.get('content-encoding'))).toEqual(['gzip', null]);
    expect(plain.headers.get('x-cache')).toBe('HIT');
    expect(plain.headers.get('etag')).not.toBe(zipped.headers.get('etag'));
    expect(plain.headers.get('vary')).toMatch(/accept-encoding/i);
    expect(await plain.text()).toBe(await zipped.text());
  });

  it.each(REVALIDATED)('%s answers 304 without a body to its ETag, and 200 once it changed', async (path) => {
    const first = await read(path);
    const etag = first.headers.get('etag') as string;
    expect(etag).toMatch(/^"[\w-]+"$/); // strong
    for (const sent of [etag, `"other", ${etag}`, '*']) {
      const same = await read(path, { 'if-none-match': sent });
      expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await read(path, { 'if-none-match': '"other"' })).status).toBe(200);
    await finish(phone, token, exercise, 'UTC');
    await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 1, sets: [5, 5] }] } });
    await phone.post('/api/aerobics/add', token, { record: { type: 'Run', durationMins: 5 } });
    const status = path === '/api/exercises/getall' ? 304 : 200;
    expect((await read(path, { 'if-none-match': etag })).status).toBe(status);
  });

  it('a write is seen in every zone, by every payload (CA1, CA2)', async () => {
    const zones = ['', '?tz=Asia%2FJerusalem', '?tz=America%2FNew_York', '?tz=Australia%2FLord_Howe'];
    const warm = () => Promise.all(zones.flatMap((zone) => KEPT.map((path) => read(path + zone))));
    const texts = async (path: string) => Promise.all(zones.map(async (zone) => (await read(path + zone)).text()));
    await warm();
    await finish(phone, token, exercise, 'America/New_York');
    for (const text of await texts('/api/workouts/gettracking')) expect(text).toContain('"weight":[50]');
    for (const text of await texts('/api/analytics/get')) expect(text).toContain('"pr_weight":50');
    await warm();
    await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 2, sets: [7] }] } });
    for (const text of await texts('/api/workouts/getworkout')) expect(text).toContain('"sets":[7]');
    await warm();
    await phone.post('/api/aerobics/add', token, { record: { type: 'Run', durationMins: 9 } });
    for (const text of await texts('/api/aerobics/get')) expect(text).toContain('"duration_mins":9');
  });

  it('bootstrap and the single endpoints warm each other', async () => {
    await read('/api/bootstrap/get?tz=UTC');
    expect((await read('/api/workouts/gettracking?tz=UTC')).headers.get('x-cache')).toBe('HIT');
    await read('/api/workouts/gettracking?tz=Asia%2FTokyo');
    const both = await Promise.all(
      ['/api/bootstrap/get', '/api/workouts/gettracking'].map((p) => read(`${p}?tz=Asia%2FTokyo`)),
    );
    const [bootstrap, single] = await Promise.all(both.map((response) => response.text()));
    expect(bootstrap).toContain(`"tracking":${single}`);
  });

  it('an unknown zone is refused from a warm cache too (IN3)', async () => {
    for (const path of KEPT.slice(0, 3)) {
      await read(path);
      expect((await read(`${path}?tz=Mars%2FBase`)).status).toBe(400);
    }
  });

  it('is of one person: another with the same history has a payload of their own', async () => {
    await finish(phone, token, exercise, 'UTC');
    const other = await newPhone(server);
    const otherToken = (await other.tokens()).accessToken;
    await read('/api/workouts/gettracking');
    const hers = await get(server, other, otherToken, '/api/workouts/gettracking');
    expect([hers.headers.get('x-cache'), await hers.text()]).toEqual([
      'MISS',
      expect.stringContaining('"unique_days":0'),
    ]);
  });
});

it('switched off: every answer is a miss, 304 still works, and Redis holds no payload', async () => {
  const server = await startTestServer({ env: { CACHE_ENABLED: 'false' } });
  try {
    const phone = await newPhone(server);
    const token = (await phone.tokens()).accessToken;
    for (const path of KEPT) {
      await get(server, phone, token, path);
      const second = await get(server, phone, token, path);
      expect(second.headers.get('x-cache')).toBe('MISS');
      const etag = second.headers.get('etag') as string;
      expect((await get(server, phone, token, path, { 'if-none-match': etag })).status).toBe(304);
    }
    expect((await server.redis.keys('*')).filter((key) => key.includes(phone.id))).toEqual([]);
  } finally {
    await server.close();
  }
});

it('payloads live for their setting, none of them is searched for, and a full cache keeps nothing (CA4)', async () => {
  const server = await startTestServer({ env: { CACHE_TTL_ANALYTICS_SEC: '77', CACHE_TTL_PLAN_SEC: '0' } });
  try {
    const phone = await newPhone(server);
    const token = (await phone.tokens()).accessToken;
    await plan(phone, token);
    const scans = async () => /cmdstat_(scan|keys):calls=\d+/.exec(await server.redis.info('commandstats'))?.[0];
    const before = await scans();
    for (let n = 0; n < 20; n++) await get(server, phone, token, '/api/bootstrap/get?tz=UTC');
    for (const path of KEPT) await get(server, phone, token, path);
    await server.fetch('/api/users/deleteself', {
      method: 'DELETE',
      headers: {
        authorization: `DPoP ${(await phone.tokens()).accessToken}`,
        dpop: makeProof(phone.key, `DELETE ${server.url}/api/users/deleteself`, { accessToken: token }),
      },
    });
    expect(await scans()).toBe(before);

    const keeper = await newPhone(server);
    const keeperToken = (await keeper.tokens()).accessToken;
    for (const path of KEPT) await get(server, keeper, keeperToken, path);
    const lifetimes = async (name: string) => {
      const keys = await server.redis.keys(`${name}:${keeper.id}:v*`);
      return Promise.all(keys.map((key) => server.redis.ttl(key)));
    };
    await vi.waitFor(async () => expect(await lifetimes('tracking')).toEqual([expect.closeTo(172_800, -2)]));
    const [ofAnalytics] = await lifetimes('analytics');
    expect(ofAnalytics).toBeGreaterThan(60);
    expect(ofAnalytics).toBeLessThanOrEqual(77);
    expect(await lifetimes('plan')).toEqual([]);
  } finally {
    await server.close();
  }
});

describe('under fire', () => {
  let proxy: TcpProxy;
  let server: TestServer;
  beforeAll(async () => {
    const plain = await startTestServer();
    const redisUrl = new URL(plain.config.redisUrl as string);
    await plain.close();
    proxy = await startTcpProxy(Number(redisUrl.port));
    redisUrl.port = String(proxy.port);
    server = await startTestServer({ env: { REDIS_URL: redisUrl.href } });
  });
  afterAll(async () => {
    await server.close();
    await proxy.close();
  });

  it('parallel writers and readers in several zones, Redis lost in the middle: cache and database agree for everybody (CA3)', async () => {
    const zones = ['Asia/Jerusalem', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham'];
    const people = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const phone = await newPhone(server);
        const token = (await phone.tokens()).accessToken;
        return { phone, token, exercise: await plan(phone, token) };
      }),
    );
    const WRITES = 12;
    let finished = 0;
    const statuses: number[] = [];
    const work = people.flatMap(({ phone, token, exercise }) => [
      (async () => {
        for (let n = 0; n < WRITES; n++) {
          const start = new Date(Date.now() - (n + 1) * 3_600_000);
          statuses.push((await finish(phone, token, exercise, zones[n % zones.length] as string, start)).status);
          // What was answered is there, whatever the cache held (behaviour 0.11).
          const zone = zones[(n + 1) % zones.length] as string;
          const seen = await get(server, phone, token, `/api/workouts/gettracking?tz=${encodeURIComponent(zone)}`);
          expect(JSON.parse(await seen.text()).exerciseTrackingAnalysis.unique_days).toBe(n + 1);
          finished++;
          if (finished === 20) proxy.cut();
          if (finished === 40) proxy.restore();
        }
      })(),
      ...zones.map(async (zone) => {
        for (let n = 0; n < WRITES; n++) {
          const paths = [...KEPT, '/api/bootstrap/get'];
          const path = `${paths[n % paths.length]}?tz=${encodeURIComponent(zone)}`;
          const response = await get(server, phone, token, path);
          statuses.push(response.status);
          await response.text();
        }
      }),
    ]);
    await Promise.all(work);
    expect(new Set(statuses)).toEqual(new Set([200]));

    const cold = await startTestServer({ sharing: server, redis: false, env: { CACHE_ENABLED: 'false' } });
    try {
      for (const { phone } of people) {
        const token = (await phone.tokens()).accessToken;
        for (const path of zones.flatMap((zone) => KEPT.map((kept) => `${kept}?tz=${encodeURIComponent(zone)}`))) {
          const [cached, computed] = await Promise.all([
            get(server, phone, token, path),
            get({ ...cold, fetch: cold.fetch }, phone, token, path),
          ]);
          expect([path, await cached.text()]).toEqual([path, await computed.text()]);
        }
      }
    } finally {
      await cold.close();
    }
  });
});
