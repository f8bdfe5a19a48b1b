import type { Log } from '#platform/log/log.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const STORE_ZONE = sql('bootstrap.storeZone')`
  update user_reminder_settings urs
  set timezone = $2,
      updated_at = now()
  where urs.user_id = $1
    and urs.timezone <> $2`;

/** Remembers where the person is, for reminders; a failure is logged and changes nothing else. */
export async function storeZone(tx: Transaction, log: Log, userId: string, zone: string): Promise<void> {
  const failure = await tx.attempt(async () => void (await tx.rows(STORE_ZONE, [userId, zone])));
  if (failure) log.error({ err: failure }, 'the zone of a person was not stored');
}
