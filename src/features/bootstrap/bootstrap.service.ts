import type { Log } from '#platform/log/log.ts';
import { SessionEnded, type Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const STORE_ZONE = sql('bootstrap.storeZone')`
  update user_reminder_settings urs
  set timezone = $2,
      updated_at = now()
  where urs.user_id = $1
    and urs.timezone <> $2`;

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
