import { sql } from '#platform/postgres/query.ts';
import type { Command } from './command.ts';

const PEOPLE_AT_ONCE = 200;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

const REBUILD_NEXT = sql<{ last_id: string | null; changed: number }>('records.rebuildNext')`
  select r.last_id, r.changed
  from app.rebuild_exercise_records($1, $2) r`;

/**
 * Computes every person's records and best one-rep maxima anew from their sets, a few people in each
 * transaction, beside a running server. Safe to repeat.
 */
export const rebuildRecords: Command = async ({ db, say }) => {
  let changed = 0;
  let after: string | null = BEFORE_ALL;
  while (after !== null) {
    const from: string = after;
    const batch = await db.asService((tx) => tx.one(REBUILD_NEXT, [from, PEOPLE_AT_ONCE]));
    changed += batch.changed;
    after = batch.last_id;
  }
  say(changed === 0 ? 'Every record was right.' : `${changed} records were wrong and are right now.`);
};
