import { ApiError, type FieldProblem } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  COUNT_PLANNED,
  DEACTIVATE_OTHER_EXERCISES,
  DEACTIVATE_OTHER_SPLITS,
  FIND_ACTIVE_PLAN,
  FIND_CATALOGUE_NAMES,
  type PlanRow,
  SAVE_EXERCISES,
  SAVE_PLAN,
  SAVE_SPLITS,
} from './workouts.queries.ts';
import type { PlannedExercise } from './workouts.schemas.ts';

/** Most splits and exercises that a plan may ever have had: what is taken out of it stays stored, for its history. */
const MOST_SPLITS = 200;
const MOST_EXERCISES = 4_000;

/** How the app calls a new split where it cannot count on from the names that are there. */
const UNCOUNTED = new Set(['null', 'undefined', 'NaN']);
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

export const SAME_NAME = 'another exercise of this split has the same name';

/** A split as a request names it, and its exercises. */
export type WantedSplit = readonly [name: string, exercises: readonly PlannedExercise[]];

/** The same splits, with the next free letters for those that the app could not name. */
export function lettered(splits: readonly WantedSplit[]): WantedSplit[] {
  const names = new Set(splits.map(([name]) => name));
  const free = LETTERS.filter((letter) => !names.has(letter)).values();
  return splits.map(([name, exercises]) => [UNCOUNTED.has(name) ? (free.next().value ?? name) : name, exercises]);
}

/** Id → what the exercise is called, of those of these splits that the caller can see. */
export async function findNames(tx: Transaction, splits: readonly WantedSplit[]) {
  const ids = splits.flatMap(([, exercises]) => exercises.map(({ id }) => id));
  return new Map((await tx.rows(FIND_CATALOGUE_NAMES, [ids])).map((row) => [row.id, row]));
}

/**
 * Problems with exercises that are called as one before them in the same split, because the app keys a running workout by
 * name.
 * @param problemAt how the request names the place of the exercise with this number in the split with this number
 */
export function sameNames(
  splits: readonly WantedSplit[],
  names: Awaited<ReturnType<typeof findNames>>,
  problemAt: (split: number, exercise: number, name: string) => FieldProblem,
): FieldProblem[] {
  return splits.flatMap(([, exercises], s) => {
    const seen = new Set<string>();
    return exercises.flatMap(({ id }, e) => {
      const found = names.get(id);
      if (!found) return [];
      if (seen.has(found.name_key)) return [problemAt(s, e, found.name)];
      seen.add(found.name_key);
      return [];
    });
  });
}

/** The active plan twice: for training, and by split for the editor. Null when there is none. */
export async function readPlan(tx: Transaction, userId: string, zone: string) {
  const rows = await tx.rows(FIND_ACTIVE_PLAN, [userId, zone]);
  const [first] = rows;
  if (!first) return null;
  const bySplit = Map.groupBy(
    rows.filter((row) => row.split_id !== null),
    (row) => row.split_id ?? 0,
  );
  const splits = [...bySplit.values()];
  return {
    workoutPlan: { ...presentPlan(first), workoutsplits: splits.map(presentSplit) },
    workoutPlanForEditWorkout: Object.fromEntries(
      splits.map((rowsOfSplit) => [rowsOfSplit[0]?.split_name, active(rowsOfSplit).map(presentForEdit)]),
    ),
  };
}

/**
 * Creates or edits the one active plan (behaviour 4.6). Splits and exercises that stay or come back
 * keep their ids, and with them their history; the others are deactivated, never deleted.
 * @param name undefined keeps the present one
 * @param splits their names, each once, and exercises
 * @returns the plan as it is now, as `readPlan` does
 */
export async function savePlan(
  tx: Transaction,
  userId: string,
  name: string | undefined,
  splits: readonly WantedSplit[],
  zone: string,
) {
  const splitNames = splits.map(([split]) => split);
  const exercises = JSON.stringify(
    splits.flatMap(([split, list]) =>
      list.map(({ id, sets, order_index }, position) => ({
        split,
        exercise_id: id,
        sets,
        order_index: order_index ?? position,
      })),
    ),
  );
  const plan = await tx.one(SAVE_PLAN, [userId, name ?? null, splitNames.length]);
  const [, , , , planned, saved] = await Promise.all([
    tx.rows(SAVE_SPLITS, [plan.id, splitNames]),
    tx.rows(DEACTIVATE_OTHER_SPLITS, [plan.id, splitNames]),
    tx.rows(SAVE_EXERCISES, [plan.id, exercises]),
    tx.rows(DEACTIVATE_OTHER_EXERCISES, [plan.id, exercises]),
    tx.one(COUNT_PLANNED, [plan.id]),
    readPlan(tx, userId, zone),
  ]);
  if (planned.splits > MOST_SPLITS || planned.exercises > MOST_EXERCISES) throw planIsFull();
  if (!saved) throw new Error('the plan that was just saved is not there');
  return saved;
}

const planIsFull = () =>
  new ApiError(
    409,
    'PLAN_LIMIT_REACHED',
    `A plan can have at most ${MOST_SPLITS} splits and ${MOST_EXERCISES} exercises over time, those taken out included`,
  );

const active = (rows: PlanRow[]) => rows.filter((row) => row.ets_id !== null);

function presentPlan(row: PlanRow) {
  return {
    id: row.plan_id,
    name: row.plan_name,
    numberofsplits: row.numberofsplits,
    created_at: row.plan_created_at.toISOString(),
    is_deleted: row.is_deleted,
    level: row.level,
    user_id: row.user_id,
    trainer_id: row.trainer_id,
    is_active: true,
    updated_at: row.updated_at,
  };
}

function presentSplit(rows: PlanRow[]) {
  const [first] = rows as [PlanRow, ...PlanRow[]];
  return {
    id: first.split_id ?? 0,
    workout_id: first.plan_id,
    name: first.split_name,
    created_at: first.split_created_at.toISOString(),
    muscle_group: first.muscle_group,
    is_active: true,
    exercisetoworkoutsplit: active(rows).map((row) => ({
      id: row.ets_id ?? 0,
      sets: row.sets,
      is_active: true,
      exercise: row.exercise,
      workoutsplit: row.split_name,
      targetmuscle: row.targetmuscle,
      specifictargetmuscle: row.specifictargetmuscle,
    })),
  };
}

function presentForEdit(row: PlanRow) {
  return {
    id: row.exercise_id,
    name: row.exercise,
    sets: row.sets,
    order_index: row.order_index,
    targetmuscle: row.targetmuscle,
    specifictargetmuscle: row.specifictargetmuscle,
  };
}
