import type { Log } from '#platform/log.ts';
import { SessionEnded, type Transaction } from '#platform/postgres/database.ts';
import { STORE_ZONE } from './bootstrap.queries.ts';

/** Stores the person's time zone, for reminders. A failure is logged, and does not fail the request. */
export async function storeZone(
  transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>,
  log: Log,
  userId: string,
  zone: string,
): Promise<void> {
  try {
    await transaction((tx) => tx.rows(STORE_ZONE, [userId, zone]));
  } catch (error) {
    if (error instanceof SessionEnded) throw error;
    log.error({ err: error }, 'the zone of a person was not stored');
  }
}
