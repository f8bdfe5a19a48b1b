import { z } from 'zod';
import { validationFailed } from '#platform/apiError.ts';
import { buildSlices } from '#platform/slices.ts';
import { parseWellFormed } from '#platform/wellFormed.ts';
import { MOST_OWN_EXERCISES, MOST_WORKOUTS } from '#training/bounds.ts';
import { exerciseForm } from '#training/exercise.ts';
import { measurementFields } from '#training/measurement.ts';
import { exportedWorkout } from '#training/workout.ts';
import type { FileWorkout, SkippedLine } from './training.ts';

export const ownExercise = z.object({ ...exerciseForm.shape, isArchived: z.boolean() });
export const ownMeasurement = z.object({ id: z.guid().transform((id) => id.toLowerCase()), ...measurementFields });
export type OwnExercise = z.output<typeof ownExercise>;
export type OwnMeasurement = z.output<typeof ownMeasurement>;

/** The long lists are judged entry by entry. */
const ownFile = z.object({
  format: z.literal('strong-together-logbook'),
  formatVersion: z.literal(1),
  exercises: z.array(z.unknown()).max(MOST_OWN_EXERCISES),
  workouts: z.array(z.unknown()).max(MOST_WORKOUTS),
  measurements: z.array(z.unknown()).max(100_000),
});

/** Whether a file is JSON, and so in the own format or in none. */
export const isJson = (bytes: Buffer): boolean => /^\uFEFF?\s*\{/.test(bytes.toString('utf8', 0, 200));

/**
 * Reads the own export; other requests get their turn meanwhile. What the logbook would not take from anybody is skipped;
 * its `line` is the number of the entry in its list.
 * @throws ApiError 400 with the places that are wrong, if it is not such a file
 */
export async function readOwnFile(bytes: Buffer): Promise<{
  workouts: FileWorkout[];
  exercises: OwnExercise[];
  measurements: OwnMeasurement[];
  skipped: SkippedLine[];
}> {
  const lists = ownFile.safeParse(contentOf(bytes));
  if (!lists.success) {
    throw validationFailed(
      lists.error.issues.map(({ path }) => ({
        path: ['file', ...path].map(String).join('.'),
        message: 'This is not as an export of the logbook has it',
      })),
    );
  }
  const skipped: SkippedLine[] = [];
  const exercises = await goodOnes(ownExercise, lists.data.exercises, 'exercises', skipped, ({ name }) => [
    name.toLowerCase(),
  ]);
  const workouts = await goodOnes(exportedWorkout, lists.data.workouts, 'workouts', skipped, ({ id, blocks }) => [
    id,
    ...blocks.map((block) => block.id),
  ]);
  const measurements = await goodOnes(ownMeasurement, lists.data.measurements, 'measurements', skipped, ({ id }) => [
    id,
  ]);
  return { exercises, workouts: workouts.map(inGeneral), measurements, skipped };
}

/** As the files of all programs are given on. */
const inGeneral = ({ blocks, ...workout }: z.output<typeof exportedWorkout>): FileWorkout => ({
  ...workout,
  exercises: blocks.map(({ exercise: name, isOwn: _isOwn, sets, ...block }) => ({
    ...block,
    name,
    sets: sets.map((set) => ({ ...set, weight: set.weight === null ? null : String(set.weight) })),
  })),
});

function contentOf(bytes: Buffer): unknown {
  try {
    return parseWellFormed(bytes.toString('utf8'));
  } catch {
    throw validationFailed([{ path: 'file', message: 'This file begins like JSON but cannot be read as JSON' }]);
  }
}

/** PostgreSQL cannot hold the character U+0000 in a text. */
const isStorable = (entry: unknown): boolean => !JSON.stringify(entry).includes('\\u0000');

/**
 * The entries that their schema takes and whose ids no other entry has.
 * @param idsOf ids that may stand once in a list
 */
async function goodOnes<Schema extends z.ZodType>(
  schema: Schema,
  list: unknown[],
  name: string,
  skipped: SkippedLine[],
  idsOf: (entry: z.output<Schema>) => string[],
): Promise<Array<z.output<Schema>>> {
  const [good, seen]: [Array<z.output<Schema>>, Set<string>] = [[], new Set()];
  const pause = buildSlices();
  for (const [n, entry] of list.entries()) {
    await pause();
    const result = schema.safeParse(isStorable(entry) ? entry : 'text with the character U+0000');
    const ids = result.success ? idsOf(result.data) : [];
    if (result.success && ids.every((id) => !seen.has(id))) {
      for (const id of ids) seen.add(id);
      good.push(result.data);
      continue;
    }
    const [issue] = result.error?.issues ?? [];
    const reason = issue
      ? `${[name, n, ...issue.path].map(String).join('.')}: ${issue.message}`
      : `${name}.${n}: its id stands twice`;
    skipped.push({ line: n + 1, reason: reason.slice(0, 200) });
  }
  return good;
}
