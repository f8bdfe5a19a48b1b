import type { z } from 'zod';
import { joinBytes } from '#platform/joinBytes.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { writtenJson } from '#transport/serialize.ts';
import {
  COUNT_BY_SPLIT,
  FIND_BEST_SET,
  LIST_RECENT,
  LIST_RECENT_EXERCISES,
  type SplitCountRow,
  type TrackedExerciseRow,
  type TrackedRow,
} from './tracking.queries.ts';
import type { tracking } from './tracking.schemas.ts';

/** What a phone has just finished. */
interface Finished {
  workout: unknown[];
  workout_start_utc?: Date | null | undefined;
}

/**
 * Statistics of all time and the maps of the last 45 days, in days of the zone (behaviour 4.1 to 4.3).
 * @param finished for the answer to a finish, of which the app reads the best set without asking: there is one then, without
 *   an active plan too, and even where the logbook has taken the workout away meanwhile
 * @returns the number of workouts of all time, and the answer
 */
export async function readTracking(tx: Transaction, userId: string, zone: string, finished?: Finished) {
  const sent = finished ? JSON.stringify(finished.workout) : null;
  const [counts, best, rows, exercises] = await Promise.all([
    tx.rows(COUNT_BY_SPLIT, [userId, zone]),
    tx.maybe(FIND_BEST_SET, [userId, zone, sent, finished?.workout_start_utc ?? null]),
    tx.rows(LIST_RECENT, [userId, zone]),
    tx.rows(LIST_RECENT_EXERCISES, [userId]),
  ]);
  const analysis = { ...statistics(counts), prs: { pr_max: best ?? null } };
  // Written by hand, because every row stands in it three times: objects of them are half of the work of an answer.
  const pieces = [
    `{"exerciseTrackingAnalysis":${JSON.stringify(analysis)},"exerciseTrackingMaps":`,
    ...maps(written(rows, exercises, counts)),
    '}',
  ];
  return { workouts: analysis.unique_days, answer: writtenJson<z.input<typeof tracking>>(joinBytes(pieces)) };
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
  orderIndex: number;
  splitname: string;
  json: { head: string; splitname: string; exercise: string; notes: string; plan: string; workoutdate: string };
}

/** The members of an object as JSON, without its braces. */
const members = (part: object) => JSON.stringify(part).slice(1, -1);

function written(rows: TrackedRow[], exercises: TrackedExerciseRow[], counts: SplitCountRow[]): Written[] {
  const plans = new Map(exercises.map((exercise) => [exercise.id, { ...exercise, ...planJson(exercise) }]));
  const splits = new Map(
    counts.flatMap(({ name, split_ids }) => {
      const split = { name, json: `,${members({ splitname: name })}` };
      return split_ids.map((id) => [id, split] as const);
    }),
  );
  return rows.flatMap((row) => {
    const { id, exercisetosplit_id, weight, reps, workoutsplit_id, notes, workoutdate } = row;
    const [plan, split] = [plans.get(exercisetosplit_id), splits.get(workoutsplit_id)];
    if (!plan || !split) return []; // stored while the four queries ran, and by nobody who holds this person's row
    const { exercise_id } = plan;
    return {
      row,
      start: row.workout_start_utc.getTime(),
      orderIndex: plan.order_index,
      splitname: split.name,
      json: {
        head: `{${members({ id, exercisetosplit_id, weight, reps, exercise_id, workoutsplit_id })}`,
        splitname: split.json,
        exercise: plan.exerciseJson,
        notes: notes === '' ? ',"notes":""' : `,${members({ notes })}`,
        plan: plan.planJson,
        workoutdate: `,"workoutdate":"${workoutdate}"}`,
      },
    };
  });
}

function planJson({ exercise, order_index, sets, targetmuscle, specifictargetmuscle }: TrackedExerciseRow) {
  const exercisetoworkoutsplit = { sets, exercises: { targetmuscle, specifictargetmuscle } };
  return {
    exerciseJson: `,${members({ exercise })}`,
    planJson: `,${members({ order_index, exercisetoworkoutsplit })}`,
  };
}

/** The three views of the same rows as pieces of JSON, each in the order of behaviour 4.2. */
function maps(rows: Written[]): string[] {
  const byDate = grouped(
    rows.toSorted((a, b) => a.orderIndex - b.orderIndex || a.start - b.start || a.row.id - b.row.id),
    ({ row }) => row.workoutdate,
    ({ head, splitname, exercise, notes, plan }) => [head, splitname, exercise, notes, plan, '}'],
  );
  const byExercise = grouped(
    rows.toSorted((a, b) => b.start - a.start || b.row.id - a.row.id),
    ({ row }) => row.exercisetosplit_id,
    ({ head, splitname, exercise, notes, plan, workoutdate }) => [head, splitname, exercise, notes, plan, workoutdate],
  );
  const bySplit = grouped(
    rows.toSorted((a, b) => b.start - a.start || a.orderIndex - b.orderIndex || b.row.id - a.row.id),
    ({ splitname }) => splitname,
    ({ head, exercise, notes, plan, workoutdate }) => [head, exercise, notes, plan, workoutdate],
  );
  return ['{"byDate":{', ...byDate, '},"byETSId":{', ...byExercise, '},"bySplitName":{', ...bySplit, '}}'];
}

function grouped(
  rows: Written[],
  key: (row: Written) => string | number,
  piecesOf: (json: Written['json']) => string[],
): string[] {
  const groups = Object.entries(Object.fromEntries(Map.groupBy(rows, key))); // numbers first, as in any object
  return groups.flatMap(([name, group], n) => {
    const pieces = [`${n > 0 ? ',' : ''}${JSON.stringify(name)}:[`];
    for (const [index, { json }] of group.entries()) {
      if (index > 0) pieces.push(',');
      pieces.push(...piecesOf(json));
    }
    pieces.push(']');
    return pieces;
  });
}
