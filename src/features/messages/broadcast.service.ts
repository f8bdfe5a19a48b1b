import { randomUUID } from 'node:crypto';
import { addToOutbox } from '#platform/outbox/outbox.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

/** Messages that are written; whoever has a socket open should see them now. */
export const ANNOUNCE_MESSAGES = 'messages.announce';

/** Later than this the inbox has long shown them. */
const ANNOUNCE_SECONDS = 5 * 60;
const PEOPLE_AT_ONCE = 500;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

interface Text {
  subject: string;
  body: string;
}

interface SentRow {
  id: string;
  receiver_id: string;
}

const SEND_TO_PERSON = sql<SentRow>('messages.sendToPerson')`
  insert into messages (sender_id, receiver_id, subject, msg)
  select app.system_user_id(), u.id, $2, $3
  from users u
  where lower(trim(u.username)) = lower(trim($1))
    and u.role <> 'System'
  returning id, receiver_id`;

/** The next $4 verified people after $1, by id. */
const SEND_TO_NEXT = sql<SentRow>('messages.sendToNext')`
  with receiver as (
    select u.id
    from users u
    where u.id > $1
      and u.is_verified
      and u.role <> 'System'
    order by u.id
    limit $4
  )
  insert into messages (sender_id, receiver_id, subject, msg)
  select app.system_user_id(), r.id, $2, $3
  from receiver r
  returning id, receiver_id`;

/** Sends a message of the system user. False when there is no such person. */
export async function sendToPerson(db: Database, username: string, { subject, body }: Text): Promise<boolean> {
  return db.asService(async (tx) => {
    const sent = await tx.rows(SEND_TO_PERSON, [username, subject, body]);
    await announceLater(tx, sent);
    return sent.length > 0;
  });
}

/**
 * Sends a message of the system user to everybody who is verified, some people in each transaction.
 * @param after goes on behind this user id, where an earlier run was interrupted
 */
export async function* sendToEverybody(db: Database, { subject, body }: Text, after = BEFORE_ALL) {
  for (let lastId: string | undefined = after; lastId !== undefined; ) {
    const from: string = lastId;
    const sent = await db.asService(async (tx) => {
      const rows = await tx.rows(SEND_TO_NEXT, [from, subject, body, PEOPLE_AT_ONCE]);
      await announceLater(tx, rows);
      return rows;
    });
    lastId = sent
      .map((row) => row.receiver_id)
      .toSorted()
      .at(-1);
    if (lastId !== undefined) yield { people: sent.length, lastId };
  }
}

async function announceLater(tx: Transaction, sent: SentRow[]): Promise<void> {
  if (sent.length === 0) return;
  await addToOutbox(tx, {
    kind: ANNOUNCE_MESSAGES,
    userId: null,
    payload: { ids: sent.map(({ id }) => id).join(' ') },
    dedupeKey: `${ANNOUNCE_MESSAGES}:${randomUUID()}`,
    lifetimeSeconds: ANNOUNCE_SECONDS,
  });
}
