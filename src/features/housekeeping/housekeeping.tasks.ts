import { batches } from '#platform/batches.ts';
import type { Database } from '#platform/postgres/database.ts';
import { DAY_MS, every, HOUR_MS, MINUTE_MS, type Task } from '#platform/schedule.ts';
import {
  COMPACT_NEXT,
  FAIL_STUCK_IMPORTS,
  FORGET_ANSWERS,
  FORGET_CODES,
  FORGET_DELIVERIES,
  FORGET_EVENTS,
  FORGET_FINISHES,
  FORGET_MAILED_CODES,
  FORGET_PREVIEWS,
  FORGET_PROOFS,
  FORGET_SESSIONS,
  FORGET_TICKETS,
} from './housekeeping.queries.ts';

/** Rows that one transaction removes: it takes a few milliseconds, however many rows have piled up. */
const ROWS_AT_ONCE = 2_000;
const PEOPLE_AT_ONCE = 20;

export const housekeepingTasks = (db: Database): Task[] => [
  { name: 'cleaning', next: every(10 * MINUTE_MS), run: () => cleanUp(db) },
  { name: 'housekeeping', next: every(DAY_MS, 3 * HOUR_MS + 37 * MINUTE_MS), run: () => compactOldWorkouts(db) },
];

/**
 * Removes rows that are not needed any more, and ends imports that are stuck, in batches until none is left, even if many have piled up. Safe to run on
 * several instances, twice or late.
 */
export async function cleanUp(db: Database): Promise<void> {
  const queries = [FORGET_PROOFS, FORGET_ANSWERS, FORGET_DELIVERIES, FORGET_TICKETS, FORGET_EVENTS];
  const more = [
    FORGET_PREVIEWS,
    FAIL_STUCK_IMPORTS,
    FORGET_SESSIONS,
    FORGET_CODES,
    FORGET_MAILED_CODES,
    FORGET_FINISHES,
  ];
  for (const query of [...queries, ...more]) {
    let removed = ROWS_AT_ONCE;
    while (removed === ROWS_AT_ONCE) removed = (await db.asService((tx) => tx.one(query, [ROWS_AT_ONCE]))).removed;
  }
}

async function compactOldWorkouts(db: Database): Promise<void> {
  const next = (after: string) => db.asService((tx) => tx.one(COMPACT_NEXT, [after, PEOPLE_AT_ONCE]));
  for await (const _ of batches(next));
}
