import type { z } from 'zod';
import { ApiError, notFound } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { exerciseForm } from '#training/exercise.ts';
import { preconditionFailed } from '#transport/preconditions.ts';
import {
  CHANGE_OWN,
  COUNT_OWN,
  CREATE_OWN,
  type ExerciseRow,
  FIND_OWN,
  LIST_EXERCISES,
  RECOMPUTE_RECORDS,
  REMOVE_OWN,
} from './ownExercises.queries.ts';
import type { changedExercise } from './ownExercises.schemas.ts';

const MOST_OWN = 1_000;

export const nameTaken = () =>
  new ApiError(
    409,
    'EXERCISE_NAME_TAKEN',
    'The catalogue or one of your own exercises has this name already. Choose another name.',
  );
const noSuchExercise = () => notFound('There is no such exercise of your own', 'EXERCISE_NOT_FOUND');

/** The catalogue and the caller's own, archived ones too, by name. */
export async function listExercises(tx: Transaction) {
  return { items: (await tx.rows(LIST_EXERCISES)).map(present) };
}

/** @throws ApiError 409 for a name that is taken, or too many */
export async function createExercise(tx: Transaction, form: z.output<typeof exerciseForm>) {
  const { number } = await tx.one(COUNT_OWN);
  if (number >= MOST_OWN) {
    throw new ApiError(409, 'EXERCISE_LIMIT_REACHED', `At most ${MOST_OWN} own exercises can be stored`);
  }
  const { id } = await tx.one(CREATE_OWN, valuesOf(form));
  return present(await tx.one(FIND_OWN, [id]));
}

/** Changes an own exercise; the same again changes nothing. @throws ApiError 404, 409, 412 */
export async function changeExercise(
  tx: Transaction,
  id: number,
  form: z.output<typeof changedExercise>,
  expected: number[] | null,
) {
  const before = await tx.maybe(FIND_OWN, [id]);
  if (!before) throw noSuchExercise();
  if (expected && !expected.some((version) => version === -1 || version === before.version)) {
    throw preconditionFailed(before.version);
  }
  const values = [...valuesOf(form), form.isArchived];
  const { name, muscle, specific_muscle, measure, equipment, secondary_muscles, description, is_archived } = before;
  const stored = [name, muscle, specific_muscle, measure, equipment, secondary_muscles, description, is_archived];
  if (JSON.stringify(values) === JSON.stringify(stored)) return present(before);
  await tx.rows(CHANGE_OWN, [...values, id]);
  if (form.measure !== measure) await tx.rows(RECOMPUTE_RECORDS, [id]);
  return present(await tx.one(FIND_OWN, [id]));
}

/** Removes an own exercise, or archives it where history or plan needs it. @throws ApiError 404 */
export async function removeExercise(tx: Transaction, id: number): Promise<void> {
  const { outcome } = await tx.one(REMOVE_OWN, [id]);
  if (outcome === null) throw noSuchExercise();
}

const valuesOf = ({ name, muscle, specificMuscle, measure, ...form }: z.output<typeof exerciseForm>) => [
  name,
  muscle,
  specificMuscle ?? muscle,
  measure,
  form.equipment,
  form.secondaryMuscles,
  form.description,
];

function present(row: ExerciseRow) {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    muscle: row.muscle,
    specificMuscle: row.specific_muscle,
    measure: row.measure,
    equipment: row.equipment,
    secondaryMuscles: row.secondary_muscles,
    description: row.description,
    isOwn: row.is_own,
    isArchived: row.is_archived,
  };
}
