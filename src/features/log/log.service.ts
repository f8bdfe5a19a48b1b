import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ApiError, type FieldProblem, notFound, validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Secrets } from '#src/config.ts';
import { MOST_PAGE_BYTES } from '#training/bounds.ts';
import { COUNT_LOGGED } from '#training/logSize.queries.ts';
import { boundPassed } from '#training/logSize.ts';
import { type WorkoutForm, workoutColumns } from '#training/workout.ts';
import { page, positionOf } from '#transport/paging.ts';
import { preconditionFailed } from '#transport/preconditions.ts';
import {
  COUNT_SHOWN,
  DELETE_WORKOUT,
  FIND_LOGGABLE,
  FIND_OTHER_BLOCKS,
  FIND_WORKOUT,
  LIST_WORKOUTS,
  OWNS_SPLIT,
  PUT_WORKOUT,
  type WorkoutRow,
} from './log.queries.ts';
import type { workoutsQuery } from './log.schemas.ts';

/** Of what the app shows: its answers contain it. */
const MOST_SHOWN = { entries: 2_000, sets: 20_000, note_bytes: 200_000 };

const noSuchWorkout = () => notFound('There is no such workout', 'WORKOUT_NOT_FOUND');

/** Newest first. @param zone of the days, if the request names none @throws ApiError 400 for an altered cursor */
export async function listWorkouts(
  tx: Transaction,
  secrets: Secrets,
  userId: string,
  zone: string,
  { from, to, tz, exerciseId, q, limit, cursor }: z.output<typeof workoutsQuery>,
) {
  const [startedAt, id] = cursor === undefined ? [] : positionOf(secrets, cursor);
  const days = [from ?? null, to ?? null, tz ?? zone];
  const values = [
    userId,
    ...days,
    exerciseId ?? null,
    q ?? null,
    startedAt ?? null,
    id ?? null,
    limit + 1,
    MOST_PAGE_BYTES,
  ];
  const rows = await tx.rows(LIST_WORKOUTS, values);
  return page(secrets, rows, limit, present, (row) => [row.position, row.id]);
}

/** @throws ApiError 404 */
export async function readWorkout(tx: Transaction, userId: string, id: string) {
  const row = await tx.maybe(FIND_WORKOUT, [userId, id]);
  if (!row) throw noSuchWorkout();
  return present(row);
}

/**
 * Creates or replaces a workout; the same content again changes nothing. The app's view of it and the records follow.
 * @param expected versions of which one must be the present one, or null
 * @returns whether it was created, and the document as it is now
 * @throws ApiError 409 when too much is stored, 412, 422 for exercises or a split that are not the person's
 */
export async function putWorkout(
  tx: Transaction,
  userId: string,
  id: string,
  form: WorkoutForm,
  expected: number[] | null,
) {
  await assertOwn(tx, id, form);
  const { outcome, version } = await tx.one(PUT_WORKOUT, [id, JSON.stringify(workoutColumns(form)), expected]);
  if (outcome === 'mismatch') throw preconditionFailed(version);
  if (outcome !== 'unchanged') {
    const [logged, shown] = await Promise.all([tx.one(COUNT_LOGGED, [userId]), tx.one(COUNT_SHOWN, [userId])]);
    const passed = boundPassed(logged);
    if (passed) throw new ApiError(409, passed.code, passed.message);
    assertBounds(shown);
  }
  return { isNew: outcome === 'created', workout: await readWorkout(tx, userId, id) };
}

/** Removes a workout and leaves a tombstone; a PUT brings it back. @throws ApiError 404, 412 */
export async function deleteWorkout(tx: Transaction, id: string, expected: number[] | null): Promise<void> {
  const { outcome, version } = await tx.one(DELETE_WORKOUT, [id, expected]);
  if (outcome === 'absent') throw expected ? preconditionFailed(0) : noSuchWorkout();
  if (outcome === 'mismatch') throw preconditionFailed(version);
}

/** A new open workout that begins now, with the blocks of another one. @throws ApiError 404, 409 */
export async function duplicateWorkout(tx: Transaction, userId: string, id: string) {
  const { title, notes, timeZone, splitId, blocks } = await readWorkout(tx, userId, id);
  const copies = blocks.map((block) => ({
    ...block,
    id: randomUUID(),
    sets: block.sets.map((set) => ({ ...set, doneAt: null })),
  }));
  const startedAt = new Date().toISOString();
  const copy = { title, notes, startedAt, endedAt: null, timeZone, splitId, blocks: copies };
  return (await putWorkout(tx, userId, randomUUID(), copy, null)).workout;
}

/** @throws ApiError 422 with the places of exercises, split and ids that are not free or not the person's */
async function assertOwn(tx: Transaction, id: string, { splitId, blocks }: WorkoutForm): Promise<void> {
  const exerciseIds = [...new Set(blocks.map(({ exerciseId }) => exerciseId))];
  const blockIds = blocks.map((block) => block.id);
  const [loggable, taken, split] = await Promise.all([
    tx.rows(FIND_LOGGABLE, [exerciseIds]),
    tx.rows(FIND_OTHER_BLOCKS, [id, blockIds]),
    splitId === null ? { owns: true } : tx.one(OWNS_SPLIT, [splitId]),
  ]);
  const known = new Set(loggable.map((row) => row.id));
  const problems: FieldProblem[] = split.owns ? [] : [{ path: 'splitId', message: 'There is no such split' }];
  for (const [n, block] of blocks.entries()) {
    if (!known.has(block.exerciseId)) {
      problems.push({ path: `blocks.${n}.exerciseId`, message: 'There is no such exercise' });
    }
    if (taken.some((row) => row.id === block.id.toLowerCase())) {
      problems.push({ path: `blocks.${n}.id`, message: 'This id is that of a block in another workout' });
    }
  }
  if (problems.length > 0) throw validationFailed(problems);
}

function assertBounds(shown: typeof MOST_SHOWN): void {
  const isTooMuch = Object.entries(MOST_SHOWN).some(([name, most]) => shown[name as keyof typeof shown] > most);
  if (!isTooMuch) return;
  const bounds = `${MOST_SHOWN.entries} exercises, ${MOST_SHOWN.sets} sets and ${MOST_SHOWN.note_bytes / 1000} kB of notes`;
  throw new ApiError(409, 'TRAINING_LIMIT_REACHED', `The app shows at most ${bounds} of 45 days`);
}

function present(row: WorkoutRow) {
  return {
    id: row.id,
    version: row.version,
    title: row.title,
    notes: row.notes,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    timeZone: row.time_zone,
    splitId: row.split_id,
    source: row.source,
    importId: row.import_id,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    blocks: row.blocks,
  };
}
