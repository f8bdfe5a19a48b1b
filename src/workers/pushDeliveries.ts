import { DAILY_PUSH, sendDailyPush, sendReminder, WORKOUT_REMINDER } from '#features/push/push.service.ts';
import type { Log } from '#platform/log/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Pusher } from '#platform/push/pusher.ts';
import type { Deliveries, DueIntent } from './delivery.ts';

const PLAN = { maxAttempts: 5, queue: 'pushNotifications' } as const;

/** Pushes: who they are for is looked up when their turn comes. */
export function pushDeliveries(db: Database, pusher: Pusher, log: Log): Deliveries {
  const asPush = ({ user_id, payload }: DueIntent) => ({ userId: user_id, payload });
  return {
    [DAILY_PUSH]: { ...PLAN, deliver: (intent) => sendDailyPush(db, pusher, log, asPush(intent)) },
    [WORKOUT_REMINDER]: { ...PLAN, deliver: (intent) => sendReminder(db, pusher, log, asPush(intent)) },
  };
}
