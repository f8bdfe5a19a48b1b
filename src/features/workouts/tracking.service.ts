import type { Transaction } from '#platform/postgres/database.ts';
import {
  COUNT_BY_SPLIT,
  FIND_BEST_RECORD,
  LIST_RECENT,
  type SplitCountRow,
  type TrackedRow,
} from './tracking.queries.ts';

/** Statistics of all time and the maps of the last 45 days, in days of the zone (behaviour 4.1 to 4.3). */
export async function readTracking(tx: Transaction, userId: string, zone: string) {
  const counts = await tx.rows(COUNT_BY_SPLIT, [userId, zone]);
  const best = await tx.maybe(FIND_BEST_RECORD, [userId, zone]);
  const rows = await tx.rows(LIST_RECENT, [userId, zone]);
  return {
    exerciseTrackingAnalysis: { ...statistics(counts), prs: { pr_max: best ?? null } },
    exerciseTrackingMaps: maps(rows),
  };
}

/** Most frequent first; ties: most recently trained, then name. */
function statistics(counts: SplitCountRow[]) {
  const byFrequency = counts.toSorted(
    (a, b) => b.workouts - a.workouts || +b.last_start - +a.last_start || (a.name < b.name ? -1 : 1),
  );
  const latest = counts.toSorted((a, b) => +b.last_start - +a.last_start)[0];
  return {
    unique_days: counts.reduce((sum, split) => sum + split.workouts, 0),
    most_frequent_split: byFrequency[0]?.name ?? null,
    most_frequent_split_days: byFrequency[0]?.workouts ?? null,
    lastWorkoutDate: latest?.last_day ?? null,
    splitDaysByName: Object.fromEntries(byFrequency.map((split) => [split.name, split.workouts])),
  };
}

const oldestFirst = (a: TrackedRow, b: TrackedRow) => +a.workout_start_utc - +b.workout_start_utc;

/** The three views of the same rows, each in the order of behaviour 4.2. */
function maps(rows: TrackedRow[]) {
  const byDate = rows.toSorted((a, b) => a.order_index - b.order_index || oldestFirst(a, b) || a.id - b.id);
  const byExercise = rows.toSorted((a, b) => oldestFirst(b, a) || b.id - a.id);
  const bySplit = rows.toSorted((a, b) => oldestFirst(b, a) || a.order_index - b.order_index || b.id - a.id);
  return {
    byDate: grouped(byDate, (row) => row.workoutdate),
    byETSId: grouped(byExercise, (row) => String(row.exercisetosplit_id)),
    bySplitName: grouped(bySplit, (row) => row.splitname),
  };
}

function grouped(rows: TrackedRow[], key: (row: TrackedRow) => string) {
  const groups = Map.groupBy(rows, key);
  return Object.fromEntries([...groups].map(([name, members]) => [name, members.map(present)]));
}

/** Every field of a row; each map's schema leaves out what the app does not expect there. */
function present(row: TrackedRow) {
  const { sets, targetmuscle, specifictargetmuscle, workout_start_utc: _, ...fields } = row;
  return { ...fields, exercisetoworkoutsplit: { sets, exercises: { targetmuscle, specifictargetmuscle } } };
}
