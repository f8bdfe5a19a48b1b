import { sql } from '#platform/postgres/query.ts';

/** The memory for used proofs remembers used links too. */
export const USE_ONCE = sql<{ first: boolean }>('admin.useLinkOnce')`
  select app.remember_proof('admin link', $1, $2, to_timestamp($3)) as first`;
