import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

/** Rows that one transaction removes: a few milliseconds, however much has piled up. */
const AT_ONCE = 2_000;

const FORGET_PROOFS = sql<{ removed: number }>('cleaner.forgetProofs')`
  with removed as (
    delete from seen_proofs s
    where s.ctid = any (array(
      select o.ctid from seen_proofs o where o.expires_at < now() limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

const FORGET_ANSWERS = sql<{ removed: number }>('cleaner.forgetAnswers')`
  with removed as (
    delete from idempotency_keys k
    where k.ctid = any (array(
      select o.ctid from idempotency_keys o where o.created_at < now() - interval '24 hours' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** De-duplication keys name days at the most: five weeks later none can come again. */
const FORGET_DELIVERIES = sql<{ removed: number }>('cleaner.forgetDeliveries')`
  with removed as (
    delete from outbox d
    where d.ctid = any (array(
      select o.ctid
      from outbox o
      where o.status <> 'pending'
        and o.finished_at < now() - interval '35 days'
      limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Expo keeps receipts for a day. */
const FORGET_TICKETS = sql<{ removed: number }>('cleaner.forgetTickets')`
  with removed as (
    delete from push_tickets t
    where t.ctid = any (array(
      select o.ctid from push_tickets o where o.created_at < now() - interval '24 hours' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** The policy lets the service see and remove no younger ones. */
const FORGET_EVENTS = sql<{ removed: number }>('cleaner.forgetEvents')`
  with removed as (
    delete from security_events e
    where e.id = any (array(
      select o.id from security_events o where o.occurred_at < now() - interval '400 days' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/**
 * Removes what has served its purpose, some of it in each transaction until nothing is left: after a week away,
 * too. Safe to run on several instances, twice or late.
 */
export async function cleanUp(db: Database): Promise<void> {
  for (const query of [FORGET_PROOFS, FORGET_ANSWERS, FORGET_DELIVERIES, FORGET_TICKETS, FORGET_EVENTS]) {
    let removed = AT_ONCE;
    while (removed === AT_ONCE) removed = (await db.asService((tx) => tx.one(query, [AT_ONCE]))).removed;
  }
}
