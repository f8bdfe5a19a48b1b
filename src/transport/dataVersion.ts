import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const RAISE = sql('dataVersion.raise')`
  select app.raise_data_version()`;

/** In every transaction that changes what answers are made of: cached ones die with its commit. */
export async function raiseDataVersion(tx: Transaction): Promise<void> {
  await tx.rows(RAISE);
}
