import { join } from 'node:path';
import { announcer } from '#features/messages/messages.service.ts';
import { buildIdentity } from '#identity/authenticate.ts';
import { buildProofVerifier } from '#identity/dpop.ts';
import { buildProviderTokens } from '#identity/providerTokens.ts';
import { buildReplayStore } from '#identity/replayStore.ts';
import { buildOtherSessionStates, buildSessionStates } from '#identity/sessionStates.ts';
import { buildSessionTokens } from '#identity/sessionTokens.ts';
import { buildSocketTickets } from '#identity/socketTickets.ts';
import { QUEUES } from '#outbox/delivery.ts';
import { buildOutbox } from '#outbox/outbox.ts';
import { type Cache, memoryCache, noCache, redisCache } from '#platform/cache.ts';
import { fairQueue } from '#platform/fairQueue.ts';
import { openJobQueues } from '#platform/jobQueues.ts';
import { buildLimits } from '#platform/limits.ts';
import type { Log } from '#platform/log.ts';
import { openMailbox } from '#platform/mail/mailbox.ts';
import { buildMetrics, serveMetrics } from '#platform/metrics.ts';
import { buildPasswords } from '#platform/passwords.ts';
import { buildPictureCleaner } from '#platform/picture.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { connectRedis, type RedisClient, warnOfEviction, watchRedis } from '#platform/redis.ts';
import { openSockets } from '#platform/sockets.ts';
import { diskStorage, pictureFolder } from '#platform/storage/diskStorage.ts';
import { type PictureStorage, supabaseStorage } from '#platform/storage/storage.ts';
import { startTracing } from '#platform/tracing.ts';
import type { Deps } from '#transport/deps.ts';
import { buildMeters } from '#transport/meters.ts';
import { corsOptions } from '#transport/middleware/cors.ts';
import { buildOutageHold } from '#transport/outageHold.ts';
import type { Config } from './config.ts';

/** Largest event that is accepted from a socket, in bytes: the app sends only one kind, without a payload. */
const MAX_SOCKET_EVENT_BYTES = 10_000;

export interface RunningDeps {
  deps: Deps;
  /** Lets the workers finish, then closes every connection. */
  close(): Promise<void>;
}

/**
 * Opens everything that the process needs, once.
 * @param databaseUrl `config.DATABASE_URL`, or the embedded server's
 * @param withWorkers whether this process also delivers the outbox
 * @throws StartupError
 */
export async function buildDeps(
  config: Config,
  databaseUrl: string,
  log: Log,
  withWorkers: boolean,
): Promise<RunningDeps> {
  const stopTracing = config.traces ? await startTracing((complaint) => log.warn({ complaint }, 'traces')) : undefined;
  const metrics = buildMetrics();
  const meters = buildMeters(metrics);
  const waits = metrics.histogram('postgres_connection_wait_seconds', 'Waits for a connection', ['pool']);
  const redis = config.redisUrl ? await connectRedis(config.redisUrl, log) : undefined;
  if (redis) await warnOfEviction(redis, log);
  const cacheRedis = config.REDIS_CACHE_URL ? await connectRedis(config.REDIS_CACHE_URL, log) : redis;
  const replicaReads = metrics.counter('replica_reads_total', 'Reads that a replica may answer', ['outcome']);
  const openPool = (poolSize: number, replicaUrl?: string) =>
    openDatabase({
      url: databaseUrl,
      replicaUrl,
      poolSize,
      preparedStatements: config.DATABASE_PREPARED_STATEMENTS,
      log,
      onConnected: (pool, seconds) => waits.observe({ pool }, seconds),
      onReplicaRead: (outcome) => replicaReads.inc({ outcome }),
    });
  const db = openPool(config.DATABASE_POOL_SIZE, config.DATABASE_REPLICA_URL);
  // Workers have connections of their own, so that a hundred thousand pushes do not make requests wait.
  const workerDb = withWorkers ? openPool(Math.ceil(config.DATABASE_POOL_SIZE / 2)) : undefined;
  const sockets = await openSockets(config.redisUrl, log, {
    cors: corsOptions(config.CORS_ORIGINS),
    maxHttpBufferSize: MAX_SOCKET_EVENT_BYTES,
  });
  const cache = cacheOf(config, cacheRedis, log);
  const pictures = picturesOf(config);
  const jobs = config.redisUrl ? await openJobQueues(config.redisUrl, log, QUEUES) : undefined;
  metrics.measured(
    'postgres_connections',
    'Connections of the API, and what waits for one',
    ['pool', 'state'],
    async () =>
      db
        .saturation()
        .flatMap(({ pool, ...states }) =>
          Object.entries(states).map(([state, value]) => ({ labels: { pool, state }, value })),
        ),
  );
  if (redis) {
    // Asked for when metrics are fetched: a quiet server sends no command that could fail.
    metrics.measured('redis_up', 'Whether Redis answers (1) or not (0)', [], async () => [
      {
        labels: {},
        value: await redis.ping().then(
          () => 1,
          () => 0,
        ),
      },
    ]);
  }
  metrics.measured('sockets_connected', 'Sockets of this process', [], async () => [
    { labels: {}, value: sockets.io.engine?.clientsCount ?? 0 },
  ]);
  const stopMetrics = config.METRICS_PORT
    ? await serveMetrics(metrics, config.METRICS_PORT, config.METRICS_HOST)
    : undefined;
  const stopWatching = config.METRICS_PORT ? watchRedis(metrics) : undefined;
  const outbox = buildOutbox();
  const surroundings = { config, log, cache, pictures, sockets, metrics, jobs, outbox };
  // Imported where workers run: a process of the API needs nothing of them.
  const workers = workerDb
    ? await (await import('./startWorkers.ts')).startWorkers({ ...surroundings, db: workerDb })
    : undefined;
  const hasMailbox = !config.RESEND_API_KEY && !config.SMTP_URL && !config.production;
  const replayStore = await buildReplayStore(db, redis);
  const sessionTokens = buildSessionTokens(config);
  const sessionStates = buildSessionStates(db);
  const deps: Deps = {
    config,
    log,
    meters,
    db,
    cache,
    limits: buildLimits(redis, config.RATE_LIMIT_ENABLED, meters.refused),
    identity: buildIdentity({
      config,
      db,
      verifyProof: buildProofVerifier(),
      replayStore,
      sessionTokens,
      sessionStates,
      otherSessionStates: buildOtherSessionStates(db),
    }),
    replayStore,
    sessionTokens,
    sessionStates,
    socketTickets: buildSocketTickets(config),
    sockets,
    providerTokens: buildProviderTokens(config),
    passwords: buildPasswords(),
    outageHold: buildOutageHold(),
    pictures,
    cleanPicture: buildPictureCleaner(),
    uploads: fairQueue({ atOnce: 4, atOncePerKey: 1, waitingPerKey: 3, waiting: 20, longestWaitMs: 15_000 }),
    fileReads: fairQueue({ atOnce: 1, atOncePerKey: 1, waitingPerKey: 2, waiting: 20, longestWaitMs: 60_000 }),
    mailbox: hasMailbox ? openMailbox(join(config.DATA_DIR, 'mailbox')) : undefined,
    jobs,
    lifecycle: { isDraining: false },
    outbox,
    announceMessage: announcer(sockets, config.DEFAULT_TZ),
  };
  return {
    deps,
    close: async () => {
      await stopMetrics?.();
      stopWatching?.();
      await workers?.stop();
      await jobs?.close();
      await sockets.close();
      await Promise.all([db.close(), workerDb?.close()]);
      redis?.disconnect();
      cacheRedis?.disconnect();
      await stopTracing?.();
    },
  };
}

function cacheOf(config: Config, redis: RedisClient | undefined, log: Log): Cache {
  if (!config.CACHE_ENABLED) return noCache;
  return redis ? redisCache(redis, log) : memoryCache();
}

function picturesOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE: serviceRole, ...config }: Config): PictureStorage {
  if (url && serviceRole) return supabaseStorage({ url, serviceRole, bucket: config.BUCKET_NAME });
  return diskStorage(pictureFolder(config.DATA_DIR, config.BUCKET_NAME));
}
