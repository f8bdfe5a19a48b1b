import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Deps } from '#http/deps.ts';
import { buildProofVerifier } from '#http/dpop.ts';
import { corsOptions } from '#http/edge.ts';
import { buildLimits } from '#http/limits.ts';
import { buildOutageHold } from '#http/outageHold.ts';
import { buildProviderTokens } from '#http/providerTokens.ts';
import { buildSeenProofs } from '#http/seenProofs.ts';
import { buildSessionTokens } from '#http/sessionTokens.ts';
import { buildSocketTickets } from '#http/socketTickets.ts';
import { type Cache, memoryCache, noCache, redisCache } from '#platform/cache/cache.ts';
import { buildPasswords } from '#platform/crypto/passwords.ts';
import { buildPictureCleaner } from '#platform/images/picture.ts';
import { openJobQueues } from '#platform/jobs/jobQueues.ts';
import type { Log } from '#platform/log/log.ts';
import { openMailbox } from '#platform/mail/mailbox.ts';
import { buildMetrics, serveMetrics } from '#platform/metrics/metrics.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { connectRedis } from '#platform/redis/redis.ts';
import { openSockets } from '#platform/sockets/sockets.ts';
import { diskStorage, pictureFolder } from '#platform/storage/diskStorage.ts';
import { type PictureStorage, supabaseStorage } from '#platform/storage/storage.ts';
import { QUEUES } from '#workers/delivery.ts';
import type { Config } from './config.ts';
import { startWorkers } from './startWorkers.ts';

/** The app's one event has no payload. */
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
  const redis: Redis | undefined = config.redisUrl ? await connectRedis(config.redisUrl, log) : undefined;
  const openPool = (poolSize: number) =>
    openDatabase({ url: databaseUrl, poolSize, preparedStatements: config.DATABASE_PREPARED_STATEMENTS, log });
  const db = openPool(config.DATABASE_POOL_SIZE);
  // Connections of their own: a hundred thousand pushes must not make requests wait.
  const workerDb = withWorkers ? openPool(Math.ceil(config.DATABASE_POOL_SIZE / 2)) : undefined;
  const sockets = await openSockets(config.redisUrl, log, {
    cors: corsOptions(config.CORS_ORIGINS),
    maxHttpBufferSize: MAX_SOCKET_EVENT_BYTES,
  });
  const cache = cacheOf(config, redis, log);
  const pictures = picturesOf(config);
  const jobs = config.redisUrl ? await openJobQueues(config.redisUrl, log, QUEUES) : undefined;
  const metrics = buildMetrics();
  const stopMetrics = config.METRICS_PORT
    ? await serveMetrics(metrics, config.METRICS_PORT, config.METRICS_HOST)
    : undefined;
  const surroundings = { config, log, cache, pictures, sockets, metrics, jobs };
  const workers = workerDb ? await startWorkers({ ...surroundings, db: workerDb }) : undefined;
  const hasMailbox = !config.RESEND_API_KEY && !config.SMTP_URL && !config.production;
  const deps: Deps = {
    config,
    log,
    db,
    cache,
    limits: buildLimits(config, redis),
    verifyProof: buildProofVerifier(),
    seenProofs: await buildSeenProofs(db, redis),
    sessionTokens: buildSessionTokens(config),
    socketTickets: buildSocketTickets(config),
    sockets,
    providerTokens: buildProviderTokens(config),
    passwords: buildPasswords(),
    outageHold: buildOutageHold(),
    pictures,
    cleanPicture: buildPictureCleaner(),
    mailbox: hasMailbox ? openMailbox(join(config.DATA_DIR, 'mailbox')) : undefined,
    jobs,
    lifecycle: { isDraining: false },
    outboxChanged: () => workers?.wake(),
  };
  return {
    deps,
    close: async () => {
      await stopMetrics?.();
      await workers?.stop();
      await jobs?.close();
      await sockets.close();
      await Promise.all([db.close(), workerDb?.close()]);
      redis?.disconnect();
    },
  };
}

function cacheOf(config: Config, redis: Redis | undefined, log: Log): Cache {
  if (!config.CACHE_ENABLED) return noCache;
  return redis ? redisCache(redis, log) : memoryCache();
}

function picturesOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE: serviceRole, ...config }: Config): PictureStorage {
  if (url && serviceRole) return supabaseStorage({ url, serviceRole, bucket: config.BUCKET_NAME });
  return diskStorage(pictureFolder(config.DATA_DIR, config.BUCKET_NAME));
}
