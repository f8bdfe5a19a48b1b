import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { type Cache, memoryCache, noCache, redisCache } from './cache.ts';
import { buildLog } from './log.ts';

const NOW = 1_800_000_000_000;
const logged: string[] = [];
const log = buildLog('debug', { write: (line) => logged.push(line) });
let redis: Redis;

beforeAll(() => {
  redis = new Redis(inject('redisUrl'));
});
afterAll(() => {
  redis.disconnect();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One owner's entries; `set` returns before anything is kept, so each waits for the entry or its absence. */
function ownerOf(cache: Cache) {
  const owner = randomUUID();
  const seriesOf = (name: string) => `${name}:${owner}`;
  const key = (name: string, version = 1) => `${seriesOf(name)}:v${version}`;
  const bytes = (name: string, version: number) => Buffer.from(`bytes of ${name} ${version}`);
  const text = async (name: string, version = 1) => (await cache.get(key(name, version)))?.toString();
  return {
    owner,
    key,
    text,
    set: (name: string, version = 1, seconds = 600) => {
      const current = key(name, version);
      cache.set({ key: current, owner, series: seriesOf(name), current, bytes: bytes(name, version), seconds });
    },
    has: (name: string, version = 1) =>
      vi.waitFor(async () => expect(await text(name, version)).toBe(`bytes of ${name} ${version}`)),
    lacks: (name: string, version = 1) => vi.waitFor(async () => expect(await text(name, version)).toBeUndefined()),
    async names() {
      const names = (await redis.zrange(`cached-of:${owner}`, '0', '-1')).map((listed) => listed.split(':')[0]);
      return names.sort();
    },
  };
}

/** An entry of somebody, where only key and size matter. */
const entry = (key: string, size: number) => ({
  key,
  owner: 'somebody',
  series: key,
  current: key,
  bytes: Buffer.alloc(size),
  seconds: 60,
});

describe.each([
  ['shared in Redis', () => redisCache(redis, log)],
  ['in the process', () => memoryCache()],
])('a cache %s', (_where, build) => {
  it('gives back the bytes, and forgets what is of one owner only', async () => {
    const cache = build();
    const [dana, kay] = [ownerOf(cache), ownerOf(cache)];
    logged.length = 0;
    expect(await dana.text('plan')).toBeUndefined();
    for (const name of ['plan', 'tracking']) {
      dana.set(name);
      kay.set(name);
      await dana.has(name);
      await kay.has(name);
    }
    await cache.forget(dana.owner);
    for (const name of ['plan', 'tracking']) {
      expect(await dana.text(name)).toBeUndefined();
      await kay.has(name);
    }
    expect(logged).toEqual([]);
  });

  it('does not keep what was still being computed when its owner was forgotten', async () => {
    const cache = build();
    const [dana, kay] = [ownerOf(cache), ownerOf(cache)];
    await cache.forget(dana.owner);
    dana.set('late');
    kay.set('late');
    await kay.has('late');
    await dana.lacks('late');
  });
});

describe('a cache shared in Redis', () => {
  const cacheOf = () => ownerOf(redisCache(redis, log));

  it('keeps an entry and the list of its owner as long as it should', async () => {
    const dana = cacheOf();
    const list = `cached-of:${dana.owner}`;
    const lifetimes = () => Promise.all([redis.ttl(list), redis.ttl(dana.key('short')), redis.ttl(dana.key('long'))]);
    const near = (seconds: number) => expect.closeTo(seconds, -2); // the test takes time, too
    dana.set('short', 1, 1000);
    await dana.has('short');
    expect(await lifetimes()).toEqual([near(1000), near(1000), -2]);
    dana.set('long', 1, 5000);
    await dana.has('long');
    expect(await lifetimes()).toEqual([near(5000), near(1000), near(5000)]);
    dana.set('short', 1, 2000);
    await vi.waitFor(async () => expect(await lifetimes()).toEqual([near(5000), near(2000), near(5000)]));
  });

  it('keeps the last version of an answer, in each zone, and nothing of the others', async () => {
    const cache = redisCache(redis, log);
    const [dana, kay] = [ownerOf(cache), ownerOf(cache)];
    kay.set('plan');
    await kay.has('plan');
    for (const name of ['plan', 'plan of another', 'tracking']) {
      dana.set(name);
      await dana.has(name);
    }
    vi.setSystemTime(NOW - 100_000); // a clock that goes behind changes nothing
    const [series, current] = [`plan:${dana.owner}`, dana.key('plan', 12)];
    for (const zone of ['UTC', 'Asia/Tokyo']) {
      const key = `${current}:${zone}`;
      cache.set({ key, owner: dana.owner, series, current, bytes: Buffer.from(zone), seconds: 60 });
      await vi.waitFor(async () => expect((await cache.get(key))?.toString()).toBe(zone));
    }
    await dana.lacks('plan');
    expect((await cache.get(`${current}:UTC`))?.toString()).toBe('UTC');
    for (const name of ['plan of another', 'tracking']) await dana.has(name);
    expect(await dana.names()).toEqual(['plan', 'plan', 'plan of another', 'tracking']);
    dana.set('plan', 1); // made from older data, and late: it is never asked for
    await vi.waitFor(async () => expect(await dana.names()).toEqual(['plan', 'plan of another', 'tracking']));
    dana.set('plan', 123); // no part of a number is a version
    await vi.waitFor(async () => expect(await dana.names()).toEqual(['plan', 'plan of another', 'tracking']));
    await dana.lacks('plan', 1);
    await kay.has('plan');
  });

  it('keeps the newest 24 entries of one owner', async () => {
    const dana = cacheOf();
    const names = Array.from({ length: 26 }, (_, index) => `entry ${String(index).padStart(2, '0')}`);
    for (const [index, name] of names.entries()) {
      vi.setSystemTime(NOW + index * 1000);
      dana.set(name);
      await dana.has(name);
      if (index === 23) expect(await dana.names()).toEqual(names.slice(0, 24));
    }
    await vi.waitFor(async () => expect(await dana.names()).toEqual(names.slice(2)));
    await dana.lacks('entry 00');
    await dana.lacks('entry 01');
    await dana.has('entry 02');
    await dana.has('entry 25');
  });

  it('keeps 384 KiB at a time and no more', async () => {
    const cache = redisCache(redis, log);
    const [most, more] = [randomUUID(), randomUUID()];
    const set = (key: string, size: number) => cache.set(entry(key, size));
    set(more, 384 * 1024 + 1);
    set(most, 384 * 1024);
    await vi.waitFor(async () => expect(await redis.strlen(most)).toBe(384 * 1024));
    expect(await redis.exists(more)).toBe(0);
  });

  it('remembers for a minute that an owner was forgotten, and leaves nothing else of it', async () => {
    const cache = redisCache(redis, log);
    const dana = ownerOf(cache);
    dana.set('plan');
    await dana.has('plan');
    await cache.forget(dana.owner);
    const mark = `cached-of:${dana.owner}:gone`;
    const ttl = await redis.ttl(mark);
    expect(ttl).toBeGreaterThan(30);
    expect(ttl).toBeLessThanOrEqual(60);
    dana.set('late');
    await vi.waitFor(async () => {
      expect(await redis.keys(`*${dana.owner}*`)).toEqual([mark]);
    });
    await redis.del(mark);
    dana.set('later');
    await dana.has('later');
  });

  it('that is away has nothing, keeps nothing and says so, but does not pretend to forget', async () => {
    const away = new Redis(inject('redisUrl'), { lazyConnect: true });
    away.disconnect();
    const cache = redisCache(away, log);
    const dana = ownerOf(cache);
    logged.length = 0;
    expect(await dana.text('plan')).toBeUndefined();
    dana.set('plan');
    await vi.waitFor(() => expect(logged.join()).toContain('a payload was not cached'));
    await expect(cache.forget(dana.owner)).rejects.toThrow();
  });
});

describe('a cache in the process', () => {
  let now = 1;
  /** The store reads this clock, and reads it once a millisecond. */
  const pass = (milliseconds: number) => {
    now += milliseconds;
    vi.advanceTimersByTime(milliseconds);
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('keeps an entry as long as it should', async () => {
    const dana = ownerOf(memoryCache());
    dana.set('plan', 1, 600);
    pass(599_000);
    expect(await dana.text('plan')).toBe('bytes of plan 1');
    pass(2_000);
    expect(await dana.text('plan')).toBeUndefined();
  });

  it('remembers for a minute that an owner was forgotten', async () => {
    const cache = memoryCache();
    const dana = ownerOf(cache);
    await cache.forget(dana.owner);
    pass(59_000);
    dana.set('late');
    expect(await dana.text('late')).toBeUndefined();
    pass(2_000);
    dana.set('later');
    expect(await dana.text('later')).toBe('bytes of later 1');
  });

  it('holds 64 MiB, what it costs to keep an entry included, and drops what was used longest ago', async () => {
    const cache = memoryCache();
    const set = (key: string, size: number) => cache.set(entry(key, size));
    const has = async (key: string) => (await cache.get(key)) !== undefined;
    const half = 32 * 1024 * 1024 - 100 - 3;
    set('one', half);
    set('two', half);
    expect([await has('one'), await has('two')]).toEqual([true, true]);
    set('one', half + 1);
    expect([await has('one'), await has('two')]).toEqual([true, false]);
  });
});

it('no cache has nothing', async () => {
  noCache.set(entry('a', 1));
  expect(await noCache.get('a')).toBeUndefined();
  await noCache.forget('b');
});
