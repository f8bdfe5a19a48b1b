import type { Log } from '#platform/log/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const EVERY_MS = 10 * 60 * 1000;

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

/** Removes what has served its purpose. Safe to run on several instances, twice or late. */
export async function cleanUp(db: Database): Promise<void> {
  for (const query of [FORGET_PROOFS, FORGET_ANSWERS, FORGET_DELIVERIES]) await db.asService((tx) => tx.rows(query));
}

/** Cleans up at the start and every ten minutes. @returns stops it and waits for a run that is under way */
export function startCleaner(db: Database, log: Log): () => Promise<void> {
  const run = () => cleanUp(db).catch((error) => log.warn({ err: error }, 'cleaning up failed'));
  let running = run();
  const timer = setInterval(() => {
    running = running.then(run);
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
