import type { Log } from '#platform/log.ts';
import { connectRedis, evictionPolicies } from '#platform/redis.ts';
import type { Config } from '#src/config.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Looks at the Redis of the queues, and at that of the cache. */
export async function lookAtRedis(config: Config, log: Log): Promise<Finding[]> {
  if (!config.redisUrl) return [warn('Redis: none is configured; this is for one process on one machine.')];
  const found = await lookAt('Redis', config.redisUrl, log, true);
  if (!config.REDIS_CACHE_URL) return found;
  return [...found, ...(await lookAt('Redis of the cache', config.REDIS_CACHE_URL, log, false))];
}

async function lookAt(name: string, url: string, log: Log, hasQueues: boolean): Promise<Finding[]> {
  let redis: Awaited<ReturnType<typeof connectRedis>>;
  try {
    redis = await connectRedis(url, log);
  } catch {
    return [fail(`${name}: cannot be reached. Check the address, the login and TLS.`)];
  }
  try {
    await redis.set('doctor', '', 'PX', 1);
    const unsafe = (await evictionPolicies(redis)).filter((policy) => policy !== 'noeviction');
    if (!hasQueues || unsafe.length === 0) return [ok(`${name}: reached, and takes writes.`)];
    return [
      warn(`${name}: maxmemory-policy is ${unsafe[0]}, so jobs may be dropped. Set noeviction, or REDIS_CACHE_URL.`),
    ];
  } catch {
    return [fail(`${name}: refuses writes. Is it a replica, full, or is the login read-only?`)];
  } finally {
    redis.disconnect();
  }
}
