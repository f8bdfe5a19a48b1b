import type { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '#src/config.ts';
import type { ClientAddress } from './clientAddress.ts';
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

/** A /48 holds many customers, and one customer may hold many /64: it may do so many times as much. */
const SITE_FACTOR = 8;

/** The limits of contract 0.6. Keys are what the client cannot choose: address, account, target. */
const LIMITS = {
  general: { points: 100, seconds: MINUTE, message: DEFAULT_MESSAGE },
  refresh: { points: 60, seconds: MINUTE, message: DEFAULT_MESSAGE },
  signInFailures: {
    points: 5,
    seconds: 15 * MINUTE,
    message: "You've reached the maximum amount of login attempts per 15 minutes.",
  },
  signInFailuresByAddress: {
    points: 30,
    seconds: 15 * MINUTE,
    message: "You've reached the maximum amount of login attempts per 15 minutes.",
  },
  // Tries to use a refresh token with another key, by who tries: the owner is never refused for them.
  foreignKeyByAddress: { points: 30, seconds: 15 * MINUTE, message: DEFAULT_MESSAGE },
  registration: { points: 20, seconds: HOUR, message: DEFAULT_MESSAGE },
  // Two endpoints send verification mails, each with its own counters: the app calls one right after the other.
  verificationMailBurst: mailBurst(1),
  verificationMailDaily: mailDaily,
  correctedAddressBurst: mailBurst(1),
  correctedAddressDaily: mailDaily,
  resetMailBurst: mailBurst(2),
  resetMailDaily: mailDaily,
  mailByAddress: { points: 30, seconds: HOUR, message: DEFAULT_MESSAGE },
  emailChangeBurst: mailBurst(2),
  emailChangeDaily: mailDaily,
  profileConflicts: { points: 20, seconds: HOUR, message: DEFAULT_MESSAGE },
  verificationStatus: { points: 30, seconds: MINUTE, message: DEFAULT_MESSAGE },
  // Not in the contract's table: far more than a phone does, whatever addresses it comes from.
  person: { points: 240, seconds: MINUTE, message: DEFAULT_MESSAGE },
  largeChange: { points: 30, seconds: MINUTE, message: DEFAULT_MESSAGE },
  picture: { points: 10, seconds: MINUTE, message: DEFAULT_MESSAGE },
  // Not in the contract's table: a gym whose phones all come back at once stays below it.
  socketHandshakes: { points: 600, seconds: MINUTE, message: DEFAULT_MESSAGE },
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export type Limits = ReturnType<typeof buildLimits>;
export type LimitHeaders = Record<string, string>;

/** What is counted: something that the client cannot choose, or what comes from an address, of one subject or of all. */
export type LimitKey = string | { address: ClientAddress; subject?: string };

interface Counter extends Limit {
  store: RateLimiterAbstract;
}

/**
 * Counters in Redis, shared by all instances and restarts; counted in the process where there is no
 * Redis or while it is away.
 */
export function buildLimits(config: Config, redis: Redis | undefined) {
  const limits: Record<LimitName, Limit> = {
    ...LIMITS,
    general: { ...LIMITS.general, points: config.RATE_LIMIT_GENERAL_PER_MIN },
  };
  const counters = new Map<string, Counter>(
    Object.entries(limits).flatMap(([name, limit]) => {
      const ofSites = { ...limit, points: limit.points * SITE_FACTOR };
      return [
        [name, { ...limit, store: buildStore(name, limit, redis) }],
        [`${name}:site`, { ...ofSites, store: buildStore(`${name}:site`, ofSites, redis) }],
      ];
    }),
  );
  const isOff = (name: LimitName) => !config.RATE_LIMIT_ENABLED || limits[name].points === 0;

  /** The counters that a key belongs to, the narrowest first. */
  function countersOf(name: LimitName, key: LimitKey): Array<{ counter: Counter; id: string }> {
    const [narrow, wide] = [counters.get(name), counters.get(`${name}:site`)];
    if (!narrow || !wide) throw new Error(`there is no limit ${name}`);
    if (typeof key === 'string') return [{ counter: narrow, id: key }];
    const { address, subject } = key;
    const idOf = (part: string) => (subject === undefined ? part : `${subject} ${part}`);
    const ofNetwork = { counter: narrow, id: idOf(address.network) };
    return address.site === undefined ? [ofNetwork] : [ofNetwork, { counter: wide, id: idOf(address.site) }];
  }

  return {
    /**
     * Counts one event.
     * @returns the RateLimit headers of the answer
     * @throws ApiError 429 when there were too many
     */
    async count(name: LimitName, key: LimitKey): Promise<LimitHeaders> {
      if (isOff(name)) return {};
      const headers: LimitHeaders[] = [];
      for (const { counter, id } of countersOf(name, key)) {
        try {
          headers.push(headersOf(counter, await counter.store.consume(id)));
        } catch (state) {
          if (state instanceof RateLimiterRes) throw refusal(counter, state);
          throw state;
        }
      }
      return headers[0] ?? {};
    },

    /**
     * Looks without counting.
     * @throws ApiError 429 when there were too many already
     */
    async check(name: LimitName, key: LimitKey): Promise<LimitHeaders> {
      if (isOff(name)) return {};
      const headers: LimitHeaders[] = [];
      for (const { counter, id } of countersOf(name, key)) {
        const unused = new RateLimiterRes(counter.points, counter.seconds * 1000, 0, true);
        const state = (await counter.store.get(id)) ?? unused;
        if (state.consumedPoints >= counter.points) throw refusal(counter, state);
        headers.push(headersOf(counter, state));
      }
      return headers[0] ?? {};
    },

    /** Takes back an event that was counted and turned out not to be one. */
    async giveBack(name: LimitName, key: LimitKey): Promise<void> {
      if (isOff(name)) return;
      for (const { counter, id } of countersOf(name, key)) await counter.store.reward(id);
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

function refusal(limit: Limit, state: RateLimiterRes): ApiError {
  const retryAfter = String(Math.max(1, Math.ceil(state.msBeforeNext / 1000)));
  const headers = { ...headersOf(limit, state), 'Retry-After': retryAfter };
  return new ApiError(429, 'RATE_LIMITED', limit.message, { headers });
}

function buildStore(name: string, { points, seconds }: Limit, redis: Redis | undefined): RateLimiterAbstract {
  const options = { keyPrefix: `limit:${name}`, points, duration: seconds };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory });
}
