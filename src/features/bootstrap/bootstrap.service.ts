import type { Log } from '#platform/log.ts';
import { SessionEnded, type Transaction } from '#platform/postgres/database.ts';
import { STORE_ZONE } from './bootstrap.queries.ts';

/** Remembers where the person is, for reminders; a failure is logged and changes nothing else. */
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
