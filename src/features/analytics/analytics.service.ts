import type { Transaction } from '#platform/postgres/database.ts';
import { type GoalRow, LIST_GOALS, LIST_RECORDS } from './analytics.queries.ts';

/** Estimated one-rep maxima and the adherence to the active plan. */
export async function readAnalytics(tx: Transaction, userId: string) {
  const [records, goals] = await Promise.all([tx.rows(LIST_RECORDS, [userId]), tx.rows(LIST_GOALS, [userId])]);
  const bySplit = [...Map.groupBy(goals, (row) => row.split)].map(([split, rows]) => [
    split,
    Object.fromEntries(rows.map((row) => [row.exercise, adherence(row)])),
  ]);
  return {
    _1RM: Object.fromEntries(records.map(({ exercise_id, ...record }) => [exercise_id, record])),
    goals: Object.fromEntries(bySplit),
  };
}

const adherence = ({ planned, actual }: GoalRow) => ({
  planned,
  actual,
  adherence_pct: planned > 0 ? (100 * actual) / planned : null,
});
