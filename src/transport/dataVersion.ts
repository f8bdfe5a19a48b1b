import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const RAISE = sql('dataVersion.raise')`
  select app.raise_data_version()`;

/**
 * Raises the caller's data version, which is part of the cache keys. Call it in every transaction that changes what
 * cached answers are made of: from its commit on, the answers of before are not found any more.
 */
export async function raiseDataVersion(tx: Transaction): Promise<void> {
  await tx.rows(RAISE);
}
