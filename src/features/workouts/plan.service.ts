import type { z } from 'zod';
import { type FieldProblem, validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { assertExpected } from '#transport/preconditions.ts';
import type { planDocument } from './plan.schemas.ts';
import { FIND_ACTIVE_PLAN, FIND_CATALOGUE_NAMES, FIND_PLAN_VERSION, type PlanRow } from './workouts.queries.ts';
import { savePlan } from './workouts.service.ts';

/** The plan of the logbook shows no times. */
const ZONE = 'UTC';

/** The active plan as an editor needs it. Without one, id and name are null and there are no splits. */
export async function readPlanDocument(tx: Transaction, userId: string) {
  const [{ version }, rows] = await Promise.all([
    tx.one(FIND_PLAN_VERSION, [userId]),
    tx.rows(FIND_ACTIVE_PLAN, [userId, ZONE]),
  ]);
  const bySplit = Map.groupBy(rows, (row) => row.split_id ?? 0);
  bySplit.delete(0); // the one row of a plan without splits
  const [id, name] = [rows[0]?.plan_id ?? null, rows[0]?.plan_name ?? null];
  return { version, id, name, splits: [...bySplit].map(presentSplit) };
}

/**
 * Creates or edits the active plan with the rules and rows of the app's. For a transaction that holds the session, so
 * that changes of one plan wait for each other.
 * @param expected versions of which one must be the present one, or null
 * @throws ApiError 409 for a plan that is full, 412, 422 for exercises that are not the person's
 */
export async function putPlanDocument(
  tx: Transaction,
  userId: string,
  { name, splits }: z.output<typeof planDocument>,
  expected: number[] | null,
) {
  const { version } = await tx.one(FIND_PLAN_VERSION, [userId]);
  assertExpected(expected, version);
  const wanted = splits.flatMap(({ exercises }) => exercises.map(({ exerciseId }) => exerciseId));
  const known = new Set((await tx.rows(FIND_CATALOGUE_NAMES, [wanted])).map(({ id }) => id));
  const problems: FieldProblem[] = splits.flatMap(({ exercises }, s) =>
    exercises.flatMap(({ exerciseId }, e) =>
      known.has(exerciseId)
        ? []
        : [{ path: `splits.${s}.exercises.${e}.exerciseId`, message: 'There is no such exercise' }],
    ),
  );
  if (problems.length > 0) throw validationFailed(problems);
  const rows = splits.map(
    (split) => [split.name, split.exercises.map(({ exerciseId, sets }) => ({ id: exerciseId, sets }))] as const,
  );
  await savePlan(tx, userId, name, rows, ZONE);
  return readPlanDocument(tx, userId);
}

function presentSplit([id, rows]: [number, PlanRow[]]) {
  const exercises = rows.flatMap((row) =>
    row.ets_id === null
      ? []
      : [
          {
            id: row.ets_id,
            exerciseId: row.exercise_id,
            name: row.exercise,
            muscle: row.targetmuscle,
            sets: row.sets,
          },
        ],
  );
  return { id, name: rows[0]?.split_name ?? '', exercises };
}
