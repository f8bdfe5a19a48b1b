import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Deps } from '#http/deps.ts';
import { buildProofVerifier } from '#http/dpop.ts';
import { corsOptions, mayConnect } from '#http/edge.ts';
import { buildLimits } from '#http/limits.ts';
import { buildProviderTokens } from '#http/providerTokens.ts';
import { buildSeenProofs } from '#http/seenProofs.ts';
import { buildSessionTokens } from '#http/sessionTokens.ts';
import { buildSocketTickets } from '#http/socketTickets.ts';
import { type Cache, memoryCache, noCache, redisCache } from '#platform/cache/cache.ts';
import { buildPasswords } from '#platform/crypto/passwords.ts';
import { buildPictureCleaner } from '#platform/images/picture.ts';
import type { Log } from '#platform/log/log.ts';
import { type Mailer, resendMailer } from '#platform/mail/mail.ts';
import { openMailbox } from '#platform/mail/mailbox.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { connectRedis } from '#platform/redis/redis.ts';
import { openSockets } from '#platform/sockets/sockets.ts';
import { diskStorage, pictureFolder } from '#platform/storage/diskStorage.ts';
import { type PictureStorage, supabaseStorage } from '#platform/storage/storage.ts';
import { announceDeliveries } from '#workers/announceDeliveries.ts';
import { startCleaner } from '#workers/cleaner.ts';
import { mailDeliveries } from '#workers/mailDeliveries.ts';
import { startOutboxWorker } from '#workers/outboxWorker.ts';
import { removalDeliveries } from '#workers/removalDeliveries.ts';
import type { Config } from './config.ts';

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
  const db = openDatabase({
    url: databaseUrl,
    poolSize: config.DATABASE_POOL_SIZE,
    preparedStatements: config.DATABASE_PREPARED_STATEMENTS,
    log,
  });
  const sockets = await openSockets(config.redisUrl, log, {
    cors: corsOptions(config.CORS_ORIGINS),
    allowRequest: (req, answer) => answer(null, mayConnect(req.headers.origin, config.CORS_ORIGINS)),
    maxHttpBufferSize: MAX_SOCKET_EVENT_BYTES,
  });
  const cache = cacheOf(config, redis, log);
  const mailbox = config.RESEND_API_KEY ? undefined : openMailbox(join(config.DATA_DIR, 'mailbox'));
  const pictures = picturesOf(config);
  const deliveries = {
    ...mailDeliveries(config, db, mailerOf(config)),
    ...removalDeliveries(pictures, cache),
    ...announceDeliveries(db, sockets, config.DEFAULT_TZ),
  };
  const worker = withWorkers ? startOutboxWorker(db, log, deliveries) : undefined;
  const stopCleaner = withWorkers ? startCleaner(db, log) : undefined;
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
    pictures,
    cleanPicture: buildPictureCleaner(),
    mailbox: config.production ? undefined : mailbox,
    outboxChanged: () => worker?.wake(),
  };
  return {
    deps,
    close: async () => {
      await Promise.all([worker?.stop(), stopCleaner?.()]);
      await sockets.close();
      await db.close();
      redis?.disconnect();
    },
  };
}

function cacheOf(config: Config, redis: Redis | undefined, log: Log): Cache {
  if (!config.CACHE_ENABLED) return noCache;
  return redis ? redisCache(redis, log) : memoryCache();
}

function mailerOf(config: Config): Mailer {
  if (!config.RESEND_API_KEY) return openMailbox(join(config.DATA_DIR, 'mailbox')).mailer;
  return resendMailer({ apiKey: config.RESEND_API_KEY, baseUrl: config.RESEND_BASE_URL, from: config.EMAIL_FROM });
}

function picturesOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE: serviceRole, ...config }: Config): PictureStorage {
  if (url && serviceRole) return supabaseStorage({ url, serviceRole, bucket: config.BUCKET_NAME });
  return diskStorage(pictureFolder(config.DATA_DIR, config.BUCKET_NAME));
}
