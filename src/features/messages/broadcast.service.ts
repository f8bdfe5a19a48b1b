import type { Outbox } from '#outbox/outbox.ts';
import { batches } from '#platform/batches.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import { SEND_TO_NEXT, SEND_TO_PERSON, type SentRow } from './messages.queries.ts';

/** Kind of outbox message: messages that were written are to be sent to open sockets. */
export const ANNOUNCE_MESSAGES = 'messages.announce';

/** Later than this, in seconds, the inbox has shown them already. */
const ANNOUNCE_SECONDS = 5 * 60;
const PEOPLE_AT_ONCE = 500;

interface Text {
  subject: string;
  body: string;
}

/** Sends a message of the system user. False when there is no such person. */
export async function sendToPerson(
  db: Database,
  outbox: Outbox,
  username: string,
  { subject, body }: Text,
): Promise<boolean> {
  return db.asService(async (tx) => {
    const sent = await tx.rows(SEND_TO_PERSON, [username, subject, body]);
    await announceLater(tx, outbox, sent);
    return sent.length > 0;
  });
}

/**
 * Sends a message of the system user to everybody who is verified, some people in each transaction.
 * @param after starts after this user id, where an earlier run was interrupted
 */
export function sendToEverybody(db: Database, outbox: Outbox, { subject, body }: Text, after?: string) {
  return batches(async (from) => {
    const sent = await db.asService(async (tx) => {
      const rows = await tx.rows(SEND_TO_NEXT, [from, subject, body, PEOPLE_AT_ONCE]);
      await announceLater(tx, outbox, rows);
      return rows;
    });
    const [last] = sent
      .map((row) => row.receiver_id)
      .toSorted()
      .reverse();
    return { people: sent.length, last_id: last ?? null };
  }, after);
}

async function announceLater(tx: Transaction, outbox: Outbox, sent: SentRow[]): Promise<void> {
  if (sent.length === 0) return;
  await outbox.add(tx, {
    kind: ANNOUNCE_MESSAGES,
    userId: null,
    payload: { ids: sent.map(({ id }) => id).join(' ') },
    lifetimeSeconds: ANNOUNCE_SECONDS,
  });
}
