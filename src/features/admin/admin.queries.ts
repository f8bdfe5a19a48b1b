import { sql } from '#platform/postgres/query.ts';

/** Used links are remembered in the same table as used proofs. */
export const USE_ONCE = sql<{ first: boolean }>('admin.useLinkOnce')`
  select app.remember_proof('admin link', $1, $2, to_timestamp($3)) as first`;
