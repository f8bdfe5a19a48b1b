import { createHash } from 'node:crypto';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import { DeviceGone, type Push, type Pusher } from '#platform/push/pusher.ts';
import {
  type AddresseeRow,
  FIND_ADDRESSEE,
  FORGET_PHONE,
  FORGET_TICKETS,
  KEEP_TICKET,
  LIST_TICKETS,
} from './push.queries.ts';

/** Kinds of outbox messages; functions of the database write them (db/code/40_schedule.sql). */
export const DAILY_PUSH = 'push.daily';
export const WORKOUT_REMINDER = 'push.reminder';

/** The payload of these messages. */
interface PushPayload {
  /** SHA-256 of the token that the push was meant for, in hex. */
  tokenHash?: string;
  splitId?: string;
  /** Minutes before the workout. */
  offset?: string;
}

interface PushMessage {
  userId: string | null;
  payload: PushPayload;
}

const RECEIPTS_AT_ONCE = 300;

/** Sends "Ready to go workout?". False when the person has another phone by now. */
export function sendDailyPush(db: Database, pusher: Pusher, log: Log, message: PushMessage): Promise<boolean> {
  return sendPush(db, pusher, log, message, ({ first_name }) => ({
    title: `Hello, ${first_name}!`,
    body: 'Ready to go workout?',
  }));
}

/**
 * Sends a reminder (behaviour 4.8). False when the person has another phone by now or switched reminders off, or when
 * the split was trained today or is no longer in the plan.
 */
export function sendReminder(db: Database, pusher: Pusher, log: Log, message: PushMessage): Promise<boolean> {
  return sendPush(db, pusher, log, message, ({ first_name, split, reminders_enabled, trained_today }) => {
    if (!reminders_enabled || trained_today || split === null) return undefined;
    return {
      title: 'Workout Reminder',
      body: `${first_name}, get ready! Your ${split} workout kicks off in ${message.payload.offset} minutes.`,
    };
  });
}

async function sendPush(
  db: Database,
  pusher: Pusher,
  log: Log,
  { userId, payload }: PushMessage,
  compose: (addressee: AddresseeRow) => Omit<Push, 'to'> | undefined,
): Promise<boolean> {
  const addressee = await db.asService((tx) => tx.maybe(FIND_ADDRESSEE, [userId, payload.splitId ?? null]));
  const token = addressee?.push_token;
  if (!addressee || !token || createHash('sha256').update(token).digest('hex') !== payload.tokenHash) return false;
  const text = compose(addressee);
  if (!text) return false;
  try {
    const ticketId = await pusher.send({ to: token, ...text });
    await db
      .asService((tx) => tx.rows(KEEP_TICKET, [ticketId, userId, token]))
      .catch((error) => log.warn({ err: error }, 'a push will have no receipt')); // it was sent all the same
    return true;
  } catch (error) {
    if (error instanceof DeviceGone) await db.asService((tx) => tx.rows(FORGET_PHONE, [token]));
    throw error;
  }
}

/**
 * Fetches the receipts of pushes that were sent long enough ago, and forgets phones that are gone. Tickets
 * without a receipt are asked for again until they are cleaned up.
 * @param ageSeconds how long Expo takes to know
 */
export async function fetchReceipts(db: Database, pusher: Pusher, log: Log, ageSeconds: number): Promise<void> {
  let after = '';
  for (;;) {
    const tickets = await db.asService((tx) => tx.rows(LIST_TICKETS, [ageSeconds, after, RECEIPTS_AT_ONCE]));
    const last = tickets.at(-1);
    if (!last) return;
    after = last.ticket_id;
    const receipts = await pusher.receipts(tickets.map(({ ticket_id }) => ticket_id));
    const tokens = new Map(tickets.map(({ ticket_id, push_token }) => [ticket_id, push_token]));
    await db.asService(async (tx) => {
      for (const { ticketId, isDeviceGone, error } of receipts) {
        if (error) log.error({ error }, 'a push was not delivered');
        if (isDeviceGone) await tx.rows(FORGET_PHONE, [tokens.get(ticketId)]);
      }
      await tx.rows(FORGET_TICKETS, [receipts.map(({ ticketId }) => ticketId)]);
    });
  }
}
