import type { z } from 'zod';
import { validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { assertExpected } from '#transport/preconditions.ts';
import type { planDocument } from './plan.schemas.ts';
import { FIND_ACTIVE_PLAN, FIND_PLAN_VERSION, type PlanRow } from './workouts.queries.ts';
import { findNames, SAME_NAME, sameNames, savePlan } from './workouts.service.ts';

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
  const wanted = splits.map(
    (split) => [split.name, split.exercises.map(({ exerciseId, sets }) => ({ id: exerciseId, sets }))] as const,
  );
  const names = await findNames(tx, wanted);
  const problemAt = (s: number, e: number, message: string) => ({
    path: `splits.${s}.exercises.${e}.exerciseId`,
    message,
  });
  const problems = [
    ...wanted.flatMap(([, exercises], s) =>
      exercises.flatMap(({ id }, e) => (names.has(id) ? [] : [problemAt(s, e, 'There is no such exercise')])),
    ),
    ...sameNames(wanted, names, (s, e) => problemAt(s, e, SAME_NAME)),
  ];
  if (problems.length > 0) throw validationFailed(problems);
  await savePlan(tx, userId, name, wanted, ZONE);
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
