import type { Database, Transaction } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import type { AnnounceMessage } from '#transport/deps.ts';
import { type AnnouncedRow, DELETE_SOFTLY, LIST_ANNOUNCED, LIST_INBOX, MARK_READ } from './messages.queries.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export async function readInbox(tx: Transaction, userId: string, zone: string) {
  return { messages: await tx.rows(LIST_INBOX, [userId, zone]) };
}

/** Makes the function with which other features announce messages that they have written. */
export const announcer =
  (sockets: Sockets, defaultZone: string): AnnounceMessage =>
  async (tx, id, zone) => {
    const announced = await tx.asService(() => tx.one(LIST_ANNOUNCED, [[id], zone ?? null, defaultZone]));
    tx.afterCommit(() => emitMessages(sockets, [announced]));
  };

/** Sends committed messages to the sockets of their receivers, without those that were deleted meanwhile. */
export async function announceMessages(db: Database, sockets: Sockets, ids: string[], defaultZone: string) {
  emitMessages(sockets, await db.asService((tx) => tx.rows(LIST_ANNOUNCED, [ids, null, defaultZone])));
}

function emitMessages(sockets: Sockets, messages: AnnouncedRow[]): void {
  for (const { receiver_id, ...item } of messages) sockets.emit(receiver_id, 'new_message', item);
}

/** The id of the message; undefined when the caller has no such message. */
export const markRead = (tx: Transaction, userId: string, id: string) => changed(tx, MARK_READ, userId, id);
export const deleteMessage = (tx: Transaction, userId: string, id: string) => changed(tx, DELETE_SOFTLY, userId, id);

async function changed(
  tx: Transaction,
  query: typeof MARK_READ,
  userId: string,
  id: string,
): Promise<string | undefined> {
  return UUID.test(id) ? (await tx.maybe(query, [userId, id]))?.id : undefined;
}
