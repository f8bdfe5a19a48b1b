import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Log } from './log.ts';

/**
 * Bytes that can be computed again. It never fails a request: a cache that is away or full has nothing
 * and keeps nothing. It never says what is current: the key must hold whatever the bytes depend on.
 */
export interface Cache {
  get(key: string): Promise<Buffer | undefined>;
  /** Returns at once; whether it was kept is not told. */
  set(entry: CacheEntry): void;
  /** Removes everything that an owner has here. @throws when the cache cannot be asked */
  forget(owner: string): Promise<void>;
}

interface CacheEntry {
  key: string;
  owner: string;
  /** What the bytes were made from; with an entry of a newer version the owner's older ones go. */
  version: number;
  bytes: Buffer;
  seconds: number;
}

/** What one owner may have: four answers in a few zones each, and none of a size that no person's data has. */
const MOST_ENTRIES = 24;
const MOST_BYTES = 384 * 1024;

const listOf = (owner: string) => `cached-of:${owner}`;
const goneMark = (owner: string) => `cached-of:${owner}:gone`;
/** A computation that began before its owner was forgotten has ended after so many seconds. */
const STRAGGLER_SECONDS = 60;

/**
 * Every instance shares it. Keys of an owner are listed beside them, so that nothing is ever searched for. The list
 * is ordered by version, then by time.
 */
export function redisCache(redis: Redis, log: Log): Cache {
  async function set({ key, owner, version, bytes, seconds }: CacheEntry): Promise<void> {
    const list = listOf(owner);
    // Listed first: a value that is kept is always one that can be forgotten.
    const [, , , listed, isGone] = await Promise.all([
      redis.zadd(list, scoreOf(version), key),
      redis.expire(list, seconds, 'GT'),
      redis.expire(list, seconds, 'NX'),
      redis.zrange(list, '0', '-1', 'WITHSCORES'),
      redis.exists(goneMark(owner)),
      redis.set(key, bytes, 'EX', seconds),
    ]);
    if (isGone === 1) await Promise.all([redis.unlink(key), redis.unlink(list)]);
    const surplus = surplusOf(pairs(listed));
    if (surplus.length > 0)
      await Promise.all([redis.zrem(list, ...surplus), ...surplus.map((old) => redis.unlink(old))]);
  }

  return {
    async get(key) {
      try {
        return (await redis.getBuffer(key)) ?? undefined;
      } catch {
        return undefined; // away; the connection itself tells the log
      }
    },
    set: (entry) => {
      if (entry.bytes.length > MOST_BYTES) return;
      set(entry).catch((error) => log.debug({ err: error }, 'a payload was not cached'));
    },
    async forget(owner) {
      await redis.set(goneMark(owner), '', 'EX', STRAGGLER_SECONDS);
      const keys = await redis.zrange(listOf(owner), '0', '-1');
      await Promise.all([...keys, listOf(owner)].map((key) => redis.unlink(key)));
    },
  };
}

/** Seconds within a version, so that one number orders by both; exact below 2^53. */
const scoreOf = (version: number): number => version * 1e6 + (Math.floor(Date.now() / 1000) % 1e6);

function pairs(listed: string[]): Array<{ key: string; score: number }> {
  return Array.from({ length: listed.length / 2 }, (_, index) => ({
    key: listed[2 * index] ?? '',
    score: Number(listed[2 * index + 1]),
  }));
}

/** Keys of older versions, and the oldest above what an owner may have. */
function surplusOf(entries: Array<{ key: string; score: number }>): string[] {
  const newest = Math.floor(Math.max(...entries.map(({ score }) => score)) / 1e6);
  const current = entries.filter(({ score }) => Math.floor(score / 1e6) === newest);
  const kept = new Set(current.toSorted((a, b) => b.score - a.score).slice(0, MOST_ENTRIES));
  return entries.filter((entry) => !kept.has(entry)).map(({ key }) => key);
}

/** Longest that this process keeps in memory, in bytes. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/** The stand-in for development without Redis. */
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

/** Switched off: nothing is ever there. */
export const noCache: Cache = { get: async () => undefined, set: () => undefined, forget: async () => undefined };
