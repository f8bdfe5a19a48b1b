import type { z } from 'zod';
import type { Deps } from '#http/deps.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Sockets } from '#platform/sockets/sockets.ts';
import type { message } from './messages.schemas.ts';

/** The newest 200 that $1 received and did not delete; times in zone $2. */
const LIST_INBOX = sql<z.input<typeof message>>('messages.listInbox')`
  select
    m.id,
    m.subject,
    m.msg,
    app.local_timestamp(m.sent_at, $2) as sent_at,
    m.is_read,
    coalesce(s.name, 'Deleted user') as sender_full_name,
    s.profile_image_url as sender_profile_image_url
  from messages m
  left join app.senders_of_received_messages() s on s.id = m.sender_id
  where m.receiver_id = $1
    and m.deleted_at is null
  order by m.sent_at desc, m.id
  limit 200`;

interface AnnouncedRow extends z.input<typeof message> {
  receiver_id: string;
}

/** Role service. Messages $1 as their receivers' inboxes show them: in zone $2, else the receiver's, else $3. */
const LIST_ANNOUNCED = sql<AnnouncedRow>('messages.listAnnounced')`
  select
    m.receiver_id,
    m.id,
    m.subject,
    m.msg,
    app.local_timestamp(m.sent_at, coalesce($2, app.known_zone(urs.timezone, $3))) as sent_at,
    m.is_read,
    coalesce(s.name, s.username, 'Deleted user') as sender_full_name,
    s.profile_image_url as sender_profile_image_url
  from messages m
  left join users s on s.id = m.sender_id
  left join user_reminder_settings urs on urs.user_id = m.receiver_id
  where m.id = any ($1::uuid[])
    and m.deleted_at is null`;

const MARK_READ = sql<{ id: string }>('messages.markRead')`
  update messages m
  set is_read = true
  where m.id = $2
    and m.receiver_id = $1
    and m.deleted_at is null
  returning m.id`;

const DELETE_SOFTLY = sql<{ id: string }>('messages.deleteSoftly')`
  update messages m
  set deleted_at = now()
  where m.id = $2
    and m.receiver_id = $1
    and m.deleted_at is null
  returning m.id`;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export async function readInbox(tx: Transaction, userId: string, zone: string) {
  return { messages: await tx.rows(LIST_INBOX, [userId, zone]) };
}

/**
 * Emits a message that this transaction has written to its receiver's sockets, after the commit.
 * @param zone of the request that caused it; absent: the receiver's stored one
 */
export async function announceMessage(tx: Transaction, deps: Deps, id: string, zone?: string): Promise<void> {
  const announced = await tx.asService(() => tx.one(LIST_ANNOUNCED, [[id], zone ?? null, deps.config.DEFAULT_TZ]));
  tx.afterCommit(() => emitMessages(deps.sockets, [announced]));
}

/** Emits messages that are committed; those that were deleted meanwhile are left out. */
export async function announceMessages(db: Database, sockets: Sockets, ids: string[], defaultZone: string) {
  emitMessages(sockets, await db.asService((tx) => tx.rows(LIST_ANNOUNCED, [ids, null, defaultZone])));
}

function emitMessages(sockets: Sockets, messages: AnnouncedRow[]): void {
  for (const { receiver_id, ...item } of messages) sockets.emit(receiver_id, 'new_message', item);
}

/** False when there is no such message of the caller's. */
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
