import type { z } from 'zod';
import { ApiError, badRequest, validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import { readTracking } from './tracking.service.ts';
import {
  BEGIN_FINISH,
  COUNT_STORED,
  FIND_OWN_EXERCISES,
  FINISH_REPLACEMENT,
  LOG_FINISHED,
  SAVE_SETS,
  SEND_WORKOUT_DONE,
} from './workouts.queries.ts';
import type { finishedWorkout } from './workouts.schemas.ts';

type FinishedWorkout = z.output<typeof finishedWorkout>;

/** How far a phone's clock may be ahead, in milliseconds. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;
const MOST_ENTRIES = 2_000;
const MOST_SETS = 20_000;
const MOST_NOTE_BYTES = 200_000;
/** Most workouts of a person: a century of training every day. */
const MOST_WORKOUTS = 50_000;

export const unknownExercise = () => badRequest('UNKNOWN_EXERCISE', 'Unknown exercise in workout');

/**
 * Stores a workout once for each start time. The same start again with other content than the last finish replaces the
 * stored workout whole, because an answer was lost and the person went on training; with the same content, or with an
 * earlier end, it changes nothing, and what a desk has made of the workout since stays. With a new workout goes the
 * "Workout Done!" message; a message that cannot be written does not undo the workout.
 * @returns the tracking that includes it
 * @throws ApiError 400 for times that cannot be, or exercises that are not the caller's or of several splits; 409 when
 *   too much is stored
 */
export async function finishWorkout(tx: Transaction, deps: Deps, userId: string, form: FinishedWorkout) {
  const [start, end] = [form.workout_start_utc ?? null, form.workout_end_utc ?? null];
  assertPlausible(start, end);
  const splitId = await findSplit(tx, userId, form.workout);
  const entries = JSON.stringify(form.workout);
  const { outcome, summary_id: id, exercise_ids } = await tx.one(BEGIN_FINISH, [splitId, start, end, entries]);
  const zone = form.tz ?? deps.config.DEFAULT_TZ;
  // In this order, and on their way together.
  const [, , , counted, { workouts, answer }, failure] = await Promise.all([
    id !== null && tx.rows(SAVE_SETS, [id, entries]),
    id !== null && tx.rows(LOG_FINISHED, [id, zone]),
    outcome === 'replaced' && tx.rows(FINISH_REPLACEMENT, [id, exercise_ids]),
    tx.one(COUNT_STORED, [userId]),
    readTracking(tx, userId, zone, form),
    outcome === 'created' && tx.savepoint(() => sendDone(tx, deps, zone)),
  ]);
  assertBounds(counted);
  assertFewWorkouts(workouts);
  if (failure) deps.log.error({ err: failure }, 'the message about a finished workout was not written');
  return answer;
}

async function sendDone(tx: Transaction, deps: Deps, zone: string): Promise<void> {
  const message = await tx.one(SEND_WORKOUT_DONE);
  await deps.announceMessage(tx, message.id, zone);
}

/**
 * Bounds what a person may store in sets that housekeeping has not removed yet, because answers with tracking contain
 * them. The bounds are several times what somebody stores who trains twice a day.
 * @throws ApiError 409 `TRAINING_LIMIT_REACHED`
 */
function assertBounds(stored: { entries: number; sets: number; note_bytes: number }): void {
  const { entries, sets, note_bytes: noteBytes } = stored;
  if (entries <= MOST_ENTRIES && sets <= MOST_SETS && noteBytes <= MOST_NOTE_BYTES) return;
  const bounds = `${MOST_ENTRIES} exercises, ${MOST_SETS} sets and ${MOST_NOTE_BYTES / 1000} kB of notes`;
  throw new ApiError(409, 'TRAINING_LIMIT_REACHED', `At most ${bounds} can be stored for 45 days`);
}

/** The same for the number of workouts, which an answer with tracking contains. @throws ApiError 409 */
function assertFewWorkouts(workouts: number): void {
  if (workouts <= MOST_WORKOUTS) return;
  throw new ApiError(409, 'TRAINING_LIMIT_REACHED', `At most ${MOST_WORKOUTS} workouts can be stored`);
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
