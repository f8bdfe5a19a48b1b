import { join } from 'node:path';
import type { Cache } from '#platform/cache/cache.ts';
import type { JobQueues } from '#platform/jobs/jobQueues.ts';
import type { Log } from '#platform/log/log.ts';
import { type Mailer, resendMailer, smtpMailer } from '#platform/mail/mail.ts';
import { openMailbox } from '#platform/mail/mailbox.ts';
import type { Metrics } from '#platform/metrics/metrics.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets/sockets.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import { announceDeliveries } from '#workers/announceDeliveries.ts';
import { watchDeliveries } from '#workers/deliveryMetrics.ts';
import { mailDeliveries } from '#workers/mailDeliveries.ts';
import { startOutboxWorker } from '#workers/outboxWorker.ts';
import { pushDeliveries } from '#workers/pushDeliveries.ts';
import { removalDeliveries } from '#workers/removalDeliveries.ts';
import { scheduledTasks, startSchedule } from '#workers/schedule.ts';
import type { Config } from './config.ts';

interface Surroundings {
  config: Config;
  log: Log;
  db: Database;
  cache: Cache;
  pictures: PictureStorage;
  sockets: Sockets;
  metrics: Metrics;
  jobs: JobQueues | undefined;
}

export interface RunningWorkers {
  /** The outbox has something new. */
  wake(): void;
  /** Finishes what is under way; the queues' own jobs end with `jobs.close`. */
  stop(): Promise<void>;
}

/** Everything that happens later: deliveries and the schedule. */
export async function startWorkers({ config, log, db, metrics, jobs, ...rest }: Surroundings): Promise<RunningWorkers> {
  const pusher = await openPusher(config);
  const worker = startOutboxWorker({
    db,
    log,
    jobs,
    deliveries: {
      ...mailDeliveries(config, db, mailerOf(config)),
      ...pushDeliveries(db, pusher, log),
      ...removalDeliveries(db, config.BUCKET_NAME, rest.pictures, rest.cache),
      ...announceDeliveries(db, rest.sockets, config.DEFAULT_TZ),
    },
    mostPerSecond: { emails: config.MAIL_MAX_PER_SEC, pushNotifications: config.PUSH_MAX_PER_SEC },
    onOutcome: watchDeliveries(metrics, db, jobs),
  });
  const stopSchedule = startSchedule(scheduledTasks(config, db, pusher, log, worker.wake), log);
  return {
    wake: worker.wake,
    stop: async () => {
      await Promise.all([worker.stop(), stopSchedule()]);
    },
  };
}

/** Resend, else SMTP, else the development mailbox. */
function mailerOf(config: Config): Mailer {
  const { RESEND_API_KEY: apiKey, RESEND_BASE_URL: baseUrl, SMTP_URL: smtpUrl, EMAIL_FROM: from } = config;
  if (apiKey) return resendMailer({ apiKey, baseUrl, from });
  return smtpUrl ? smtpMailer(smtpUrl, from) : openMailbox(join(config.DATA_DIR, 'mailbox')).mailer;
}

/** Expo's client reads its address from the environment when it is loaded. */
async function openPusher(config: Config) {
  if (config.EXPO_BASE_URL) process.env.EXPO_BASE_URL = config.EXPO_BASE_URL;
  const { expoPusher } = await import('#platform/push/expoPusher.ts');
  return expoPusher(config.EXPO_ACCESS_TOKEN);
}
