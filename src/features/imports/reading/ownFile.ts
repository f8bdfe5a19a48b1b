import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { validationFailed } from '#platform/apiError.ts';
import type { FileWorkout } from './training.ts';

const text = (most: number) => z.string().max(most);
const instant = z.iso.datetime();

const ownSet = z.object({
  kind: z.enum(['normal', 'warmup', 'drop', 'failure']),
  side: z.enum(['left', 'right']).nullable(),
  weight: z.number().min(0).max(9999.999).nullable(),
  unit: z.enum(['kg', 'lb']).nullable(),
  reps: z.int().min(0).nullable(),
  seconds: z.int().min(0).nullable(),
  distanceM: z.number().min(0).max(1_000_000).nullable(),
  rpe: z.number().min(1).max(10).multipleOf(0.5).nullable(),
  restSec: z.int().min(0).max(86_400).nullable(),
  doneAt: instant.nullable(),
});

const ownExercise = z.object({
  name: text(100).min(1),
  muscle: text(50).min(1),
  specificMuscle: text(50).min(1),
  measure: text(50),
  equipment: text(50).nullable(),
  secondaryMuscles: z.array(text(50)).max(8),
  description: text(1_000),
  isArchived: z.boolean(),
});

const ownMeasurement = z.object({
  id: z.guid(),
  kind: text(50).min(1),
  value: z.number().min(0).max(99_999),
  unit: z.enum(['kg', 'lb', '%', 'cm', 'in', 'mm']),
  measuredAt: instant,
});

const ownWorkout = z.object({
  id: z.guid(),
  title: text(100).min(1),
  notes: text(2_000),
  startedAt: instant,
  endedAt: instant.nullable(),
  timeZone: text(100),
  blocks: z
    .array(
      z.object({
        id: z.guid(),
        exercise: text(200).min(1),
        isOwn: z.boolean(),
        superset: z.int().nullable(),
        notes: text(2_000),
        sets: z.array(ownSet).max(1_000),
      }),
    )
    .max(1_000),
});

/** The long lists are checked piece by piece. */
const ownFile = z.object({
  format: z.literal('strong-together-logbook'),
  formatVersion: z.literal(1),
  exercises: z.array(ownExercise).max(1_000),
  workouts: z.array(z.unknown()).max(50_000),
  measurements: z.array(z.unknown()).max(100_000),
});

/** So many are checked before other requests get their turn: a few milliseconds. */
const PIECE = 100;

export type OwnExercise = z.output<typeof ownExercise>;
export type OwnMeasurement = z.output<typeof ownMeasurement>;

/** Reads the own export; other requests get their turn between pieces. @throws ApiError 422 with the places that are not valid */
export async function readOwnFile(bytes: Buffer): Promise<{
  workouts: FileWorkout[];
  exercises: OwnExercise[];
  measurements: OwnMeasurement[];
}> {
  const { exercises, ...lists } = checked(ownFile, contentOf(bytes), []);
  const workouts: FileWorkout[] = [];
  for await (const piece of pieces(ownWorkout, lists.workouts, 'workouts')) workouts.push(...piece.map(inGeneral));
  const measurements: OwnMeasurement[] = [];
  for await (const piece of pieces(ownMeasurement, lists.measurements, 'measurements')) measurements.push(...piece);
  return { exercises, workouts, measurements };
}

/** As the files of all programs are given on. */
const inGeneral = ({ blocks, ...workout }: z.output<typeof ownWorkout>): FileWorkout => ({
  ...workout,
  exercises: blocks.map(({ exercise: name, isOwn: _isOwn, sets, ...block }) => ({
    ...block,
    name,
    sets: sets.map((set) => ({ ...set, weight: set.weight === null ? null : String(set.weight) })),
  })),
});

function contentOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw validationFailed([{ path: 'file', message: 'The file is no JSON' }]);
  }
}

async function* pieces<T>(schema: z.ZodType<T>, list: unknown[], name: string): AsyncGenerator<T[]> {
  for (let start = 0; start < list.length; start += PIECE) {
    yield list.slice(start, start + PIECE).map((entry, n) => checked(schema, entry, [name, start + n]));
    await setImmediate();
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, at: PropertyKey[]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path }) => ({
    path: ['file', ...at, ...path].map(String).join('.'),
    message: 'is not as an export writes it',
  }));
  throw validationFailed(problems);
}
