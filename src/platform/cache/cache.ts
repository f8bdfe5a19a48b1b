import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Log } from '#platform/log/log.ts';

/**
 * Bytes that can be computed again. It never fails a request: a cache that is away or full has nothing
 * and keeps nothing. It never says what is current: the key must hold whatever the bytes depend on.
 */
export interface Cache {
  get(key: string): Promise<Buffer | undefined>;
  /** Returns at once; whether it was kept is not told. */
  set(entry: { key: string; owner: string; bytes: Buffer; seconds: number }): void;
  /** Removes everything that an owner has here. @throws when the cache cannot be asked */
  forget(owner: string): Promise<void>;
}

const listOf = (owner: string) => `cached-of:${owner}`;
const goneMark = (owner: string) => `cached-of:${owner}:gone`;
/** A computation that began before its owner was forgotten has ended after so many seconds. */
const STRAGGLER_SECONDS = 60;

/** Every instance shares it. Keys of an owner are listed beside them, so that nothing is ever searched for. */
export function redisCache(redis: Redis, log: Log): Cache {
  async function set(key: string, owner: string, bytes: Buffer, seconds: number): Promise<void> {
    const now = Date.now();
    const list = listOf(owner);
    // Listed first: a value that is kept is always one that can be forgotten.
    const done = await Promise.all([
      redis.zadd(list, String(now + seconds * 1000), key),
      redis.zremrangebyscore(list, '-inf', now),
      redis.expire(list, seconds, 'GT'),
      redis.expire(list, seconds, 'NX'),
      redis.set(key, bytes, 'EX', seconds),
      redis.exists(goneMark(owner)),
    ]);
    if (done.at(-1) === 1) await Promise.all([redis.unlink(key), redis.unlink(list)]);
  }

  return {
    async get(key) {
      try {
        return (await redis.getBuffer(key)) ?? undefined;
      } catch {
        return undefined; // away; the connection itself tells the log
      }
    },
    set: ({ key, owner, bytes, seconds }) => {
      set(key, owner, bytes, seconds).catch((error) => log.debug({ err: error }, 'a payload was not cached'));
    },
    async forget(owner) {
      await redis.set(goneMark(owner), '', 'EX', STRAGGLER_SECONDS);
      const keys = await redis.zrange(listOf(owner), '0', '-1');
      await Promise.all([...keys, listOf(owner)].map((key) => redis.unlink(key)));
    },
  };
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
