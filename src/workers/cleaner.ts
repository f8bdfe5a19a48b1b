import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const FORGET_PROOFS = sql('cleaner.forgetProofs')`
  delete from seen_proofs s
  where s.expires_at < now()`;

const FORGET_ANSWERS = sql('cleaner.forgetAnswers')`
  delete from idempotency_keys k
  where k.created_at < now() - interval '24 hours'`;

/** De-duplication keys name days at the most: five weeks later none can come again. */
const FORGET_DELIVERIES = sql('cleaner.forgetDeliveries')`
  delete from outbox o
  where o.status <> 'pending'
    and o.finished_at < now() - interval '35 days'`;

/** Expo keeps receipts for a day. */
const FORGET_TICKETS = sql('cleaner.forgetTickets')`
  delete from push_tickets t
  where t.created_at < now() - interval '24 hours'`;

/** Removes what has served its purpose. Safe to run on several instances, twice or late. */
export async function cleanUp(db: Database): Promise<void> {
  for (const query of [FORGET_PROOFS, FORGET_ANSWERS, FORGET_DELIVERIES, FORGET_TICKETS]) {
    await db.asService((tx) => tx.rows(query));
  }
}
