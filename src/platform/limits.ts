import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiError } from './apiError.ts';
import type { ClientAddress } from './clientAddress.ts';
import type { RedisClient } from './redis.ts';

/** At most `points` events of one key in `seconds`. Each feature declares its own; behaviour 0.6 has the table. */
export interface Limit {
  /** Names the counter; the same name is the same counter. */
  name: string;
  points: number;
  seconds: number;
  /** What the person reads when it is exceeded. */
  message: string;
}

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const PER_MINUTE = "You've reached the maximum amount of requests per minute.";
export const PER_DAY = "You've reached the maximum amount of requests per day.";

/** Declares a limit. Count by keys that the client cannot choose: address, account, target of a mail. */
export const defineLimit = (name: string, points: number, seconds: number, message = 'Too many requests.'): Limit => ({
  name,
  points,
  seconds,
  message,
});

/** A /48 may belong to one customer with many /64, or to many customers: it may do so many times as much as a /64. */
const SITE_FACTOR = 8;

export type Limits = ReturnType<typeof buildLimits>;
export type LimitHeaders = Record<string, string>;

/** What a service needs to count a request against limits. */
export interface Counting {
  /** Where the client comes from (behaviour 0.1). */
  address: ClientAddress;
  /** Counts one event against a limit. @throws ApiError 429 */
  consume(limit: Limit, key: LimitKey): Promise<void>;
  /** Takes back an event that was counted. */
  reward(limit: Limit, key: LimitKey): Promise<void>;
}

/** What a limit counts by: a text, or an address, alone or together with a subject such as a user name. */
export type LimitKey = string | { address: ClientAddress; subject?: string };

interface Counter extends Limit {
  store: RateLimiterAbstract;
}

/**
 * Counters in Redis, shared by all instances and restarts; counted in the process where there is no
 * Redis or while it is away.
 * @param onRefusal is told the name of the limit that refused a request
 */
export function buildLimits(
  redis: RedisClient | undefined,
  isEnabled: boolean,
  onRefusal: (limit: string) => void = () => undefined,
) {
  const counters = new Map<string, Counter>();
  function refusal(limit: Limit, state: RateLimiterRes): ApiError {
    onRefusal(limit.name);
    const retryAfter = String(Math.max(1, Math.ceil(state.msBeforeNext / 1000)));
    const headers = { ...headersOf(limit, state), 'Retry-After': retryAfter };
    return new ApiError(429, 'RATE_LIMITED', limit.message, { headers });
  }
  const isOff = ({ points }: Limit) => !isEnabled || points === 0;

  function counterOf(limit: Limit): Counter {
    const known = counters.get(limit.name);
    if (known) return known;
    const counter = { ...limit, store: buildStore(limit, redis) };
    counters.set(limit.name, counter);
    return counter;
  }

  /** The counters that a key belongs to, the narrowest first. */
  function countersOf(limit: Limit, key: LimitKey): Array<{ counter: Counter; id: string }> {
    if (typeof key === 'string') return [{ counter: counterOf(limit), id: key }];
    const { address, subject } = key;
    const idOf = (part: string) => (subject === undefined ? part : `${subject} ${part}`);
    const ofNetwork = { counter: counterOf(limit), id: idOf(address.network) };
    if (address.site === undefined) return [ofNetwork];
    const ofSites = { ...limit, name: `${limit.name}:site`, points: limit.points * SITE_FACTOR };
    return [ofNetwork, { counter: counterOf(ofSites), id: idOf(address.site) }];
  }

  return {
    /**
     * Counts one event. One that is refused counts nowhere: a /64 that is over its limit must not use up that of its /48.
     * @returns the RateLimit headers of the answer
     * @throws ApiError 429 when there were too many
     */
    async consume(limit: Limit, key: LimitKey): Promise<LimitHeaders> {
      if (isOff(limit)) return {};
      const counted: Array<() => Promise<unknown>> = [];
      const states: LimitHeaders[] = [];
      for (const { counter, id } of countersOf(limit, key)) {
        counted.push(() => counter.store.reward(id));
        try {
          states.push(headersOf(counter, await counter.store.consume(id)));
        } catch (state) {
          if (!(state instanceof RateLimiterRes)) throw state;
          for (const takeBack of counted) await takeBack();
          throw refusal(counter, state);
        }
      }
      return states[0] ?? {};
    },

    /**
     * Looks without counting.
     * @throws ApiError 429 when there were too many already
     */
    async peek(limit: Limit, key: LimitKey): Promise<LimitHeaders> {
      if (isOff(limit)) return {};
      const headers: LimitHeaders[] = [];
      for (const { counter, id } of countersOf(limit, key)) {
        const unused = new RateLimiterRes(counter.points, counter.seconds * 1000, 0, true);
        const state = (await counter.store.get(id)) ?? unused;
        if (state.consumedPoints >= counter.points) throw refusal(counter, state);
        headers.push(headersOf(counter, state));
      }
      return headers[0] ?? {};
    },

    /** Takes back an event that was counted and should not have been. */
    async reward(limit: Limit, key: LimitKey): Promise<void> {
      if (isOff(limit)) return;
      for (const { counter, id } of countersOf(limit, key)) await counter.store.reward(id);
    },
  };
}

function headersOf({ points, seconds }: Limit, state: RateLimiterRes): LimitHeaders {
  return {
    'RateLimit-Limit': String(points),
    'RateLimit-Remaining': String(Math.max(0, state.remainingPoints)),
    'RateLimit-Reset': String(Math.ceil(state.msBeforeNext / 1000)),
    'RateLimit-Policy': `${points};w=${seconds}`,
  };
}

function buildStore({ name, points, seconds }: Limit, redis: RedisClient | undefined): RateLimiterAbstract {
  const options = { keyPrefix: `limit:${name}`, points, duration: seconds };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory });
}
