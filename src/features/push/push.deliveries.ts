import type { Deliveries, DueMessage } from '#outbox/delivery.ts';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Pusher } from '#platform/push/pusher.ts';
import { DAILY_PUSH, sendDailyPush, sendReminder, WORKOUT_REMINDER } from './push.service.ts';

const PLAN = { maxAttempts: 5, queue: 'pushNotifications' } as const;

/** How each kind of push is delivered; its receiver is looked up when it is sent. */
export function pushDeliveries(db: Database, pusher: Pusher, log: Log): Deliveries {
  const asPush = ({ user_id, payload }: DueMessage) => ({ userId: user_id, payload });
  return {
    [DAILY_PUSH]: { ...PLAN, deliver: (message) => sendDailyPush(db, pusher, log, asPush(message)) },
    [WORKOUT_REMINDER]: { ...PLAN, deliver: (message) => sendReminder(db, pusher, log, asPush(message)) },
  };
}
