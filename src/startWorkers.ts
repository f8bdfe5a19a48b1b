import { join } from 'node:path';
import { authDeliveries } from '#features/auth/auth.deliveries.ts';
import { housekeepingTasks } from '#features/housekeeping/housekeeping.tasks.ts';
import { importDeliveries } from '#features/imports/imports.deliveries.ts';
import { announceDeliveries } from '#features/messages/messages.deliveries.ts';
import { pushDeliveries } from '#features/push/push.deliveries.ts';
import { pushTasks } from '#features/push/push.tasks.ts';
import { sessionDeliveries } from '#features/sessions/sessions.deliveries.ts';
import { emailChangeDeliveries, removalDeliveries } from '#features/users/users.deliveries.ts';
import { watchDeliveries } from '#outbox/deliveryMetrics.ts';
import type { Outbox } from '#outbox/outbox.ts';
import { startOutboxWorker } from '#outbox/outboxWorker.ts';
import type { Cache } from '#platform/cache.ts';
import type { JobQueues } from '#platform/jobQueues.ts';
import type { Log } from '#platform/log.ts';
import { type Mailer, resendMailer, smtpMailer } from '#platform/mail/mail.ts';
import { openMailbox } from '#platform/mail/mailbox.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { Database } from '#platform/postgres/database.ts';
import { startSchedule } from '#platform/schedule.ts';
import type { Sockets } from '#platform/sockets.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
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
  outbox: Outbox;
}

export interface RunningWorkers {
  /** Waits for deliveries and tasks that are running; running jobs of the queues are ended by `jobs.close`. */
  stop(): Promise<void>;
}

/** Starts what happens outside of requests: the deliveries of the outbox and the scheduled tasks. */
export async function startWorkers({
  config,
  log,
  db,
  metrics,
  jobs,
  outbox,
  ...rest
}: Surroundings): Promise<RunningWorkers> {
  const pusher = await openPusher(config);
  const mailer = await mailerOf(config);
  const deliveries = {
    ...authDeliveries(config, db, mailer),
    ...sessionDeliveries(config, db, mailer),
    ...emailChangeDeliveries(config, db, mailer),
    ...pushDeliveries(db, pusher, log),
    ...removalDeliveries(db, config.BUCKET_NAME, rest.pictures, rest.cache),
    ...importDeliveries(db, rest.sockets),
    ...announceDeliveries(db, rest.sockets, config.DEFAULT_TZ),
  };
  const worker = startOutboxWorker({
    db,
    log,
    jobs,
    deliveries,
    mostPerSecond: { emails: config.MAIL_MAX_PER_SEC, pushNotifications: config.PUSH_MAX_PER_SEC },
    onOutcome: watchDeliveries(metrics, db, jobs, Object.keys(deliveries)),
  });
  outbox.onAdded(worker.wake);
  const stopSchedule = startSchedule([...pushTasks(config, db, pusher, log, outbox), ...housekeepingTasks(db)], log);
  return {
    stop: async () => {
      await Promise.all([worker.stop(), stopSchedule()]);
    },
  };
}

/** Resend, else SMTP, else the development mailbox. */
async function mailerOf(config: Config): Promise<Mailer> {
  const { RESEND_API_KEY: apiKey, RESEND_BASE_URL: baseUrl, SMTP_URL: smtpUrl, EMAIL_FROM: from } = config;
  if (apiKey) return resendMailer({ apiKey, baseUrl, from });
  return smtpUrl ? smtpMailer(smtpUrl, from) : openMailbox(join(config.DATA_DIR, 'mailbox')).mailer;
}

/** Expo's client reads its base URL from the environment when it is loaded, so it is imported after that is set. */
async function openPusher(config: Config) {
  if (config.EXPO_BASE_URL) process.env.EXPO_BASE_URL = config.EXPO_BASE_URL;
  const { expoPusher } = await import('#platform/push/expoPusher.ts');
  return expoPusher(config.EXPO_ACCESS_TOKEN);
}
