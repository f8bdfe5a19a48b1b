import type { z } from 'zod';
import type { Transaction } from '#platform/postgres/database.ts';
import { writtenJson } from '#transport/serialize.ts';
import {
  COUNT_BY_SPLIT,
  FIND_BEST_RECORD,
  LIST_RECENT,
  type SplitCountRow,
  type TrackedRow,
} from './tracking.queries.ts';
import type { tracking } from './tracking.schemas.ts';

/**
 * Statistics of all time and the maps of the last 45 days, in days of the zone (behaviour 4.1 to 4.3).
 * @returns the number of workouts of all time, and the answer
 */
export async function readTracking(tx: Transaction, userId: string, zone: string) {
  const [counts, best, rows] = await Promise.all([
    tx.rows(COUNT_BY_SPLIT, [userId, zone]),
    tx.maybe(FIND_BEST_RECORD, [userId, zone]),
    tx.rows(LIST_RECENT, [userId, zone]),
  ]);
  const exerciseTrackingAnalysis = { ...statistics(counts), prs: { pr_max: best ?? null } };
  const json = `{"exerciseTrackingAnalysis":${JSON.stringify(exerciseTrackingAnalysis)},"exerciseTrackingMaps":${maps(rows)}}`;
  // Written by hand, because every row stands in it three times: that is half of the work of an answer.
  return { workouts: exerciseTrackingAnalysis.unique_days, answer: writtenJson<z.input<typeof tracking>>(json) };
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

/** A tracked row, and its JSON in pieces, because each map leaves out something else. */
interface Written {
  row: TrackedRow;
  start: number;
  head: string;
  splitname: string;
  tail: string;
  workoutdate: string;
}

function write(row: TrackedRow): Written {
  const { id, exercisetosplit_id, weight, reps, exercise_id, workoutsplit_id, splitname, workoutdate } = row;
  const { exercise, notes, order_index, sets, targetmuscle, specifictargetmuscle } = row;
  const exercisetoworkoutsplit = { sets, exercises: { targetmuscle, specifictargetmuscle } };
  const members = (part: object) => JSON.stringify(part).slice(1, -1);
  return {
    row,
    start: row.workout_start_utc.getTime(),
    head: `{${members({ id, exercisetosplit_id, weight, reps, exercise_id, workoutsplit_id })}`,
    splitname: `,${members({ splitname })}`,
    tail: `,${members({ exercise, notes, order_index, exercisetoworkoutsplit })}`,
    workoutdate: `,${members({ workoutdate })}}`,
  };
}

/** The three views of the same rows as JSON, each in the order of behaviour 4.2. */
function maps(rows: TrackedRow[]): string {
  const written = rows.map(write);
  const byDate = grouped(
    written.toSorted((a, b) => a.row.order_index - b.row.order_index || a.start - b.start || a.row.id - b.row.id),
    ({ row }) => row.workoutdate,
    ({ head, splitname, tail }) => `${head}${splitname}${tail}}`,
  );
  const byExercise = grouped(
    written.toSorted((a, b) => b.start - a.start || b.row.id - a.row.id),
    ({ row }) => row.exercisetosplit_id,
    ({ head, splitname, tail, workoutdate }) => head + splitname + tail + workoutdate,
  );
  const bySplit = grouped(
    written.toSorted((a, b) => b.start - a.start || a.row.order_index - b.row.order_index || b.row.id - a.row.id),
    ({ row }) => row.splitname,
    ({ head, tail, workoutdate }) => head + tail + workoutdate,
  );
  return `{"byDate":${byDate},"byETSId":${byExercise},"bySplitName":${bySplit}}`;
}

function grouped(rows: Written[], key: (row: Written) => string | number, write: (row: Written) => string): string {
  const groups = [...Map.groupBy(rows, key)].map(([name, members]) => [name, members.map(write).join(',')]);
  const inOrder = Object.entries(Object.fromEntries(groups) as Record<string, string>); // numbers first, as in any object
  return `{${inOrder.map(([name, members]) => `${JSON.stringify(name)}:[${members}]`).join(',')}}`;
}
