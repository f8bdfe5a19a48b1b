import type { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '#src/config.ts';
import { ApiError } from './errors.ts';

interface Limit {
  points: number;
  seconds: number;
  message: string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DEFAULT_MESSAGE = 'Too many requests.';

const PER_MINUTE = "You've reached the maximum amount of requests per minute.";
const PER_DAY = "You've reached the maximum amount of requests per day.";
const mailBurst = (points: number): Limit => ({ points, seconds: 45, message: PER_MINUTE });
const mailDaily: Limit = { points: 3, seconds: 24 * HOUR, message: PER_DAY };

/** The limits of contract 0.6. Keys are what the client cannot choose: address, account, target. */
const LIMITS = {
  general: { points: 100, seconds: MINUTE, message: DEFAULT_MESSAGE },
  refresh: { points: 60, seconds: MINUTE, message: DEFAULT_MESSAGE },
  signInFailures: {
    points: 5,
    seconds: 15 * MINUTE,
    message: "You've reached the maximum amount of login attempts per 15 minutes.",
  },
  signInFailuresByIp: {
    points: 30,
    seconds: 15 * MINUTE,
    message: "You've reached the maximum amount of login attempts per 15 minutes.",
  },
  // Tries to use a refresh token with another key, by who tries: the owner is never refused for them.
  foreignKeyByIp: { points: 30, seconds: 15 * MINUTE, message: DEFAULT_MESSAGE },
  registration: { points: 20, seconds: HOUR, message: DEFAULT_MESSAGE },
  // Two endpoints send verification mails, each with its own counters: the app calls one right after the other.
  verificationMailBurst: mailBurst(1),
  verificationMailDaily: mailDaily,
  correctedAddressBurst: mailBurst(1),
  correctedAddressDaily: mailDaily,
  resetMailBurst: mailBurst(2),
  resetMailDaily: mailDaily,
  mailByIp: { points: 30, seconds: HOUR, message: DEFAULT_MESSAGE },
  emailChangeBurst: mailBurst(2),
  emailChangeDaily: mailDaily,
  profileConflicts: { points: 20, seconds: HOUR, message: DEFAULT_MESSAGE },
  verificationStatus: { points: 30, seconds: MINUTE, message: DEFAULT_MESSAGE },
  // Not in the contract's table: a gym whose phones all come back at once stays below it.
  socketHandshakes: { points: 600, seconds: MINUTE, message: DEFAULT_MESSAGE },
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export type Limits = ReturnType<typeof buildLimits>;
export type LimitHeaders = Record<string, string>;

/**
 * Counters in Redis, shared by all instances and restarts; counted in the process where there is no
 * Redis or while it is away.
 */
export function buildLimits(config: Config, redis: Redis | undefined) {
  const limits: Record<LimitName, Limit> = {
    ...LIMITS,
    general: { ...LIMITS.general, points: config.RATE_LIMIT_GENERAL_PER_MIN },
  };
  const counters = Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, buildCounter(name, limit, redis)]),
  ) as Record<LimitName, RateLimiterAbstract>;
  const isOff = (name: LimitName) => !config.RATE_LIMIT_ENABLED || limits[name].points === 0;

  function headersOf(name: LimitName, state: RateLimiterRes): LimitHeaders {
    const { points, seconds } = limits[name];
    return {
      'RateLimit-Limit': String(points),
      'RateLimit-Remaining': String(Math.max(0, state.remainingPoints)),
      'RateLimit-Reset': String(Math.ceil(state.msBeforeNext / 1000)),
      'RateLimit-Policy': `${points};w=${seconds}`,
    };
  }

  function refusal(name: LimitName, state: RateLimiterRes): ApiError {
    const retryAfter = String(Math.max(1, Math.ceil(state.msBeforeNext / 1000)));
    const headers = { ...headersOf(name, state), 'Retry-After': retryAfter };
    return new ApiError(429, 'RATE_LIMITED', limits[name].message, { headers });
  }

  return {
    /**
     * Counts one event.
     * @returns the RateLimit headers of the answer
     * @throws ApiError 429 when there were too many
     */
    async count(name: LimitName, key: string): Promise<LimitHeaders> {
      if (isOff(name)) return {};
      try {
        return headersOf(name, await counters[name].consume(key));
      } catch (state) {
        if (state instanceof RateLimiterRes) throw refusal(name, state);
        throw state;
      }
    },

    /**
     * Looks without counting: for limits of failures only.
     * @throws ApiError 429 when there were too many already
     */
    async check(name: LimitName, key: string): Promise<LimitHeaders> {
      if (isOff(name)) return {};
      const state = await counters[name].get(key);
      if (!state) return headersOf(name, new RateLimiterRes(limits[name].points, limits[name].seconds * 1000, 0, true));
      if (state.consumedPoints >= limits[name].points) throw refusal(name, state);
      return headersOf(name, state);
    },
  };
}

function buildCounter(name: string, { points, seconds }: Limit, redis: Redis | undefined): RateLimiterAbstract {
  const options = { keyPrefix: `limit:${name}`, points, duration: seconds };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory });
}
