import { tracingChannel } from 'node:diagnostics_channel';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { StartupError } from './startupError.ts';
import { withTimeout } from './withTimeout.ts';

/** One server, one behind Sentinel, or a cluster: commands are the same, but each may name keys of one slot only. */
export type RedisClient = Redis | Cluster;

const COMMAND_TIMEOUT_MS = 400;
/** A connection on which nothing arrives for so long is replaced. */
const SILENCE_MS = 5_000;
const FIRST_CONNECTION_MS = 3_000;
/** Longest until a first connection stands, whoever has to be asked for the way. */
const START_MS = 6_000;
/** A sentinel that says nothing for so long is passed over for the next one. */
const SENTINEL_MS = 1_000;
/** Longest that a node of a cluster is asked for the slots before the next one is. */
const SLOTS_MS = 300;

const SCHEME = /^(rediss?)(?:\+(cluster|sentinel))?:\/\//;
const SEVERAL =
  /^(?:(?<login>[^?#]*)@)?(?<nodes>[^/?#@]+)(?:\/(?<name>[^/?#]+))?(?:\?sentinelPassword=(?<secret>[^&#]+))?$/;
const DEFAULT_PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 };

/** Where Redis is. */
interface RedisAddress {
  kind: 'single' | 'cluster' | 'sentinel';
  nodes: Array<{ host: string; port: number }>;
  /** The name under which Sentinel knows the servers. */
  name: string;
  sentinelPassword?: string;
  /** Of the servers; a single one's is read by the client itself. */
  login: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
}

/**
 * Reads `redis://…` or `rediss://…` (TLS), as ioredis does, and what it has no URL for: `redis+cluster://login@a:6379,b:6379`
 * and `redis+sentinel://login@a:26379,b:26379/name`. The login is that of the servers
 * themselves; `?sentinelPassword=` at the end that of the sentinels.
 * @throws TypeError or URIError when it is none of these
 */
export function readRedisUrl(text: string): RedisAddress {
  const [start = '', scheme, kind] = SCHEME.exec(text) ?? [];
  if (!scheme) throw new TypeError('not the URL of a Redis');
  if (kind === undefined) return { kind: 'single', nodes: [placeOf(text, DEFAULT_PORTS.single)], name: '', login: {} };
  const { login = '', nodes = '', name = '', secret } = SEVERAL.exec(text.slice(start.length))?.groups ?? {};
  if ((kind === 'sentinel') !== (name !== '')) throw new TypeError('not the URL of several Redis servers');
  const [username, ...password] = login.split(':').map(decodeURIComponent);
  return {
    kind: kind as RedisAddress['kind'],
    nodes: nodes.split(',').map((node) => placeOf(`redis://${node}`, DEFAULT_PORTS[kind as RedisAddress['kind']])),
    name,
    ...(secret === undefined ? {} : { sentinelPassword: decodeURIComponent(secret) }),
    login: {
      ...(username ? { username } : {}),
      ...(password.length > 0 ? { password: password.join(':') } : {}),
      ...(scheme === 'rediss' ? { tls: {} } : {}),
    },
  };
}

function placeOf(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  if (hostname === '') throw new TypeError('a Redis without a host');
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || defaultPort };
}

type ClientOptions = Pick<
  RedisOptions,
  | 'lazyConnect'
  | 'enableOfflineQueue'
  | 'enableAutoPipelining'
  | 'maxRetriesPerRequest'
  | 'commandTimeout'
  | 'socketTimeout'
  | 'connectTimeout'
  | 'retryStrategy'
>;

/** A client for the Redis of a URL that `readRedisUrl` accepts. It connects by itself unless `options.lazyConnect`. */
export function openRedis(url: string, options: ClientOptions): RedisClient {
  const { kind, nodes, name, sentinelPassword, login } = readRedisUrl(url);
  if (kind === 'single') return new Redis(url, options);
  if (kind === 'sentinel') {
    const sentinelTls = login.tls ? { enableTLSForSentinelMode: true, sentinelTLS: login.tls } : {};
    const secret = sentinelPassword === undefined ? {} : { sentinelPassword };
    const asking = { sentinels: nodes, name, sentinelCommandTimeout: SENTINEL_MS, ...secret, ...sentinelTls };
    return new Redis({ ...options, ...login, ...asking });
  }
  const { retryStrategy, lazyConnect, enableOfflineQueue, enableAutoPipelining, ...ofNodes } = options;
  return new Cluster(nodes, {
    ...(lazyConnect ? { lazyConnect } : {}),
    ...(enableOfflineQueue === undefined ? {} : { enableOfflineQueue }),
    ...(enableAutoPipelining ? { enableAutoPipelining } : {}),
    ...(retryStrategy ? { clusterRetryStrategy: (attempt) => retryStrategy(attempt) as number } : {}),
    slotsRefreshTimeout: SLOTS_MS,
    // A request does not wait for a node to be replaced; readers and workers do.
    ...(options.commandTimeout === undefined ? {} : { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }),
    // Certificates are for names: a node is asked for under the name that it has in the cluster.
    ...(login.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    redisOptions: { ...ofNodes, ...login },
  });
}

/**
 * Connects to Redis. A command fails at once while the connection is down and after 400 ms when
 * Redis does not answer, so that callers can take their fallback in time; the client reconnects by itself.
 * @throws StartupError when Redis cannot be reached at the start
 */
export async function connectRedis(url: string, log: Log, commandTimeout = COMMAND_TIMEOUT_MS): Promise<RedisClient> {
  const redis = openRedis(url, {
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
    // The client itself asks sentinels and nodes of a cluster again and again, without an end.
    await withTimeout(START_MS, 'Redis', redis.connect());
  } catch (error) {
    redis.disconnect();
    throw new StartupError(`Redis cannot be reached at ${placesOf(url)}. Check REDIS_URL and REDIS_CACHE_URL.`, {
      cause: error,
    });
  }
  return redis;
}

/** Hosts and ports, without the login. */
const placesOf = (url: string): string =>
  readRedisUrl(url)
    .nodes.map(({ host, port }) => `${host}:${port}`)
    .join(', ');

/** What each server does when its memory is full; one that does not say counts as `noeviction`. */
export async function evictionPolicies(redis: RedisClient): Promise<string[]> {
  const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
  const infos = await Promise.all(servers.map((server) => server.info('memory').catch(() => '')));
  return infos.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction');
}

/** Says so when the Redis that has the queues may drop keys for want of memory: mails and pushes would wait for their turn. */
export async function warnOfEviction(redis: RedisClient, log: Log): Promise<void> {
  const policy = (await evictionPolicies(redis)).find((name) => name !== 'noeviction');
  if (policy === undefined) return;
  log.warn(
    { policy },
    'Redis may drop jobs: set maxmemory-policy to noeviction, and give the cache a Redis of its own (REDIS_CACHE_URL)',
  );
}

/** Commands that wait for something to happen say nothing of how fast Redis is. */
const WAITING = new Set(['bzpopmin', 'xread', 'subscribe', 'ssubscribe']);

/** Measures the commands of all connections of this process, as the client's own channel tells them. @returns an end to it */
export function watchRedis(metrics: Metrics): () => void {
  const durations = metrics.histogram('redis_command_duration_seconds', 'Commands sent to Redis', []);
  const errors = metrics.counter('redis_command_errors_total', 'Commands that failed, timeouts included', []);
  const channel = tracingChannel<'ioredis:command', { command: string; started?: number }>('ioredis:command');
  const subscribers = {
    start: (context: { command: string; started?: number }) => {
      if (!WAITING.has(context.command)) context.started = performance.now();
    },
    asyncEnd: ({ started }: { started?: number }) => {
      if (started !== undefined) durations.observe((performance.now() - started) / 1000);
    },
    error: () => errors.inc(),
  };
  channel.subscribe(subscribers as never);
  return () => void channel.unsubscribe(subscribers as never);
}
