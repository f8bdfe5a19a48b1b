import { Redis } from 'ioredis';
import type { Log } from './log.ts';
import { StartupError } from './startupError.ts';

const COMMAND_TIMEOUT_MS = 400;
/** A connection on which nothing arrives for so long is replaced. */
const SILENCE_MS = 5_000;
const FIRST_CONNECTION_MS = 3_000;

/**
 * Connects to Redis. A command fails at once while the connection is down and after 400 ms when
 * Redis does not answer, so that callers can take their fallback in time; the client reconnects by itself.
 * @throws StartupError when Redis cannot be reached at the start
 */
export async function connectRedis(url: string, log: Log, commandTimeout = COMMAND_TIMEOUT_MS): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    commandTimeout,
    socketTimeout: SILENCE_MS,
    connectTimeout: FIRST_CONNECTION_MS,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
  });
  let reported = false;
  redis.on('error', () => undefined); // logged once, at the next event
  redis.on('reconnecting', () => {
    if (!reported) log.warn('Redis is not available');
    reported = true;
  });
  redis.on('ready', () => {
    if (reported) log.info('Redis is available again');
    reported = false;
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new StartupError('Redis cannot be reached. Check REDIS_URL.', { cause: error });
  }
  return redis;
}
