import type { z } from 'zod';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
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
