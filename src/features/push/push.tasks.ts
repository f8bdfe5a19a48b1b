import type { Outbox } from '#outbox/outbox.ts';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Pusher } from '#platform/push/pusher.ts';
import { every, HOUR_MS, LONG_MS, MINUTE_MS, type Task } from '#platform/schedule.ts';
import type { Config } from '#src/config.ts';
import { ENQUEUE_DAILY_PUSHES, ENQUEUE_REMINDERS, REFRESH_HABITS } from './push.queries.ts';
import { fetchReceipts } from './push.service.ts';

/** Tasks that the workers run by themselves, without an outside scheduler. Times are UTC. */
export function pushTasks(config: Config, db: Database, pusher: Pusher, log: Log, outbox: Outbox): Task[] {
  return [
    {
      name: 'reminders',
      next: every(HOUR_MS, 7 * MINUTE_MS),
      run: async () => {
        await db.asService((tx) => tx.rows(REFRESH_HABITS), LONG_MS);
        await db.asService((tx) => tx.rows(ENQUEUE_REMINDERS), LONG_MS);
        outbox.wake();
      },
    },
    {
      name: 'daily push',
      next: every(HOUR_MS, 7 * MINUTE_MS),
      run: async () => {
        if (config.DAILY_PUSH_HOUR === 'off') return;
        await db.asService((tx) => tx.rows(ENQUEUE_DAILY_PUSHES, [config.DAILY_PUSH_HOUR]), LONG_MS);
        outbox.wake();
      },
    },
    {
      name: 'receipts',
      next: every(MINUTE_MS),
      run: () => fetchReceipts(db, pusher, log, config.PUSH_RECEIPT_AGE_SEC),
    },
  ];
}
