import type { z } from 'zod';
import { announceMessage } from '#features/messages/messages.service.ts';
import type { Deps } from '#http/deps.ts';
import { badRequest, validationFailed } from '#http/errors.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  FIND_OWN_EXERCISES,
  RAISE_DATA_VERSION,
  SAVE_SETS,
  SAVE_WORKOUT,
  SEND_WORKOUT_DONE,
} from './workouts.queries.ts';
import type { finishedWorkout } from './workouts.schemas.ts';

type FinishedWorkout = z.output<typeof finishedWorkout>;

/** How far a phone's clock may be ahead, in milliseconds. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

export const unknownExercise = () => badRequest('UNKNOWN_EXERCISE', 'Unknown exercise in workout');

/**
 * Stores a workout once for each start time: a repeated start changes nothing. With it go the data
 * version and the "Workout Done!" message; a message that cannot be written does not undo the workout.
 * @throws ApiError 400 for times that cannot be, or exercises that are not the caller's or of several splits
 */
export async function saveWorkout(tx: Transaction, deps: Deps, userId: string, form: FinishedWorkout): Promise<void> {
  const [start, end] = [form.workout_start_utc ?? null, form.workout_end_utc ?? null];
  assertPlausible(start, end);
  const splitId = await findSplit(tx, userId, form.workout);
  await tx.rows(RAISE_DATA_VERSION);
  const stored = await tx.maybe(SAVE_WORKOUT, [userId, splitId, start, end]);
  if (!stored) return;
  await tx.rows(SAVE_SETS, [stored.id, JSON.stringify(form.workout)]);
  const failure = await tx.attempt(async () => {
    const message = await tx.one(SEND_WORKOUT_DONE);
    await announceMessage(tx, deps, message.id, form.tz ?? deps.config.DEFAULT_TZ);
  });
  if (failure) deps.log.error({ err: failure }, 'the message about a finished workout was not written');
}

function assertPlausible(start: Date | null, end: Date | null): void {
  const latest = Date.now() + CLOCK_TOLERANCE_MS;
  if (start && start.getTime() > latest) {
    throw validationFailed([{ path: 'workout_start_utc', message: 'workout_start_utc lies in the future' }]);
  }
  if (end && end.getTime() > latest) {
    throw validationFailed([{ path: 'workout_end_utc', message: 'workout_end_utc lies in the future' }]);
  }
  if (start && end && end < start) {
    throw validationFailed([
      { path: 'workout_end_utc', message: 'workout_end_utc must not be before workout_start_utc' },
    ]);
  }
}

async function findSplit(tx: Transaction, userId: string, workout: FinishedWorkout['workout']): Promise<number> {
  const ids = [...new Set(workout.map((entry) => entry.exercisetosplit_id))];
  const rows = await tx.rows(FIND_OWN_EXERCISES, [userId, ids]);
  const [first] = rows;
  if (!first || rows.length < ids.length) throw unknownExercise();
  if (rows.some((row) => row.workoutsplit_id !== first.workoutsplit_id)) {
    throw badRequest('MIXED_SPLITS', 'All exercises must belong to one split');
  }
  return first.workoutsplit_id;
}
