import { LRUCache } from 'lru-cache';
import type { Log } from './log.ts';
import type { RedisClient } from './redis.ts';

/**
 * A cache of bytes that can be computed again. Best effort: errors count as misses, and an entry may not be stored.
 * It does not know what is current, so the key must contain whatever the bytes depend on.
 */
export interface Cache {
  get(key: string): Promise<Buffer | undefined>;
  /** Returns at once; a failure is only logged. */
  set(entry: CacheEntry): void;
  /** Removes everything of an owner. @throws when the cache cannot be reached */
  forget(owner: string): Promise<void>;
}

interface CacheEntry {
  key: string;
  owner: string;
  /** What the keys of the same answer begin with, whatever its versions. */
  series: string;
  /** What those of its present versions begin with. Storing one removes the others of the series. */
  current: string;
  bytes: Buffer;
  seconds: number;
}

/** Bounds for one owner: entries (eight answers, each in a few zones) and bytes of one (above any person's data). */
const MOST_ENTRIES = 24;
const MOST_BYTES = 384 * 1024;

const listOf = (owner: string) => `cached-of:${owner}`;
const goneMark = (owner: string) => `cached-of:${owner}:gone`;
/**
 * A request that began before its owner was forgotten has ended after so many seconds. Until then nothing is stored
 * for the owner.
 */
const STRAGGLER_SECONDS = 60;

/**
 * The cache in Redis, which all instances share. The keys of each owner are in a sorted set, ordered by time, so that
 * they are removed without a search.
 */
export function redisCache(redis: RedisClient, log: Log): Cache {
  // What this process made itself is also kept here: a key has the versions of what it was made from, so nothing that
  // another instance does makes it wrong. It is not used while Redis is away (behaviour 0.11).
  const near = new LRUCache<string, { owner: string; bytes: Buffer }>({
    maxSize: NEAR_BYTES,
    sizeCalculation: ({ bytes }, key) => bytes.length + key.length + 100,
  });

  async function set({ key, owner, series, current, bytes, seconds }: CacheEntry): Promise<void> {
    const list = listOf(owner);
    // The key is listed before the value is set, so that every stored value can be forgotten.
    const [, , , listed, isGone] = await Promise.all([
      redis.zadd(list, Date.now(), key),
      redis.expire(list, seconds, 'GT'),
      redis.expire(list, seconds, 'NX'),
      redis.zrange(list, '0', '-1'),
      redis.exists(goneMark(owner)),
      redis.set(key, bytes, 'EX', seconds),
    ]);
    if (isGone === 1) await Promise.all([redis.unlink(key), redis.unlink(list)]);
    else near.set(key, { owner, bytes }, { ttl: seconds * 1000 });
    const surplus = surplusOf(listed, series, current);
    for (const old of surplus) near.delete(old);
    if (surplus.length > 0)
      await Promise.all([redis.zrem(list, ...surplus), ...surplus.map((old) => redis.unlink(old))]);
  }

  return {
    async get(key) {
      if (redis.status !== 'ready') return undefined;
      const known = near.get(key);
      if (known) return known.bytes;
      try {
        return (await redis.getBuffer(key)) ?? undefined;
      } catch {
        return undefined; // Redis is away, which `connectRedis` logs
      }
    },
    set: (entry) => {
      if (entry.bytes.length > MOST_BYTES) return;
      set(entry).catch((error) => log.debug({ err: error }, 'a payload was not cached'));
    },
    async forget(owner) {
      for (const [key, kept] of near.entries()) if (kept.owner === owner) near.delete(key);
      await redis.set(goneMark(owner), '', 'EX', STRAGGLER_SECONDS);
      const keys = await redis.zrange(listOf(owner), '0', '-1');
      await Promise.all([...keys, listOf(owner)].map((key) => redis.unlink(key)));
    },
  };
}

/** The keys to remove, of an owner's from oldest to newest: other versions of the answer, and those beyond the bound. */
function surplusOf(keys: string[], series: string, current: string): string[] {
  const isOutdated = (key: string) => key.startsWith(`${series}:`) && key !== current && !key.startsWith(`${current}:`);
  const outdated = keys.filter(isOutdated);
  const others = keys.filter((key) => !isOutdated(key));
  return [...outdated, ...others.slice(0, Math.max(0, others.length - MOST_ENTRIES))];
}

/** Size of what one process keeps of the cache in Redis, in bytes. */
const NEAR_BYTES = 24 * 1024 * 1024;
/** Size of the cache in memory, in bytes. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/** A cache in the memory of this process, for development without Redis. */
export function memoryCache(): Cache {
  const kept = new LRUCache<string, { owner: string; bytes: Buffer }>({
    maxSize: MEMORY_BYTES,
    sizeCalculation: ({ bytes }, key) => bytes.length + key.length + 100,
  });
  return {
    get: async (key) => kept.get(key)?.bytes,
    set: ({ key, owner, bytes, seconds }) => {
      if (!kept.has(goneMark(owner))) kept.set(key, { owner, bytes }, { ttl: seconds * 1000 });
    },
    forget: async (owner) => {
      for (const [key, value] of kept.entries()) if (value.owner === owner) kept.delete(key);
      kept.set(goneMark(owner), { owner: '', bytes: Buffer.alloc(0) }, { ttl: STRAGGLER_SECONDS * 1000 });
    },
  };
}

/** Caching is switched off: nothing is ever stored. */
export const noCache: Cache = { get: async () => undefined, set: () => undefined, forget: async () => undefined };
