// The one description of a workout: forms, answers, files and the documents that SQL functions take follow from it.

import { z } from 'zod';
import {
  DISTANCE_PLACES,
  HEAVIEST,
  LONGEST_NOTE,
  LONGEST_TITLE,
  LONGEST_WORKOUT,
  MOST_BLOCKS,
  MOST_SETS,
  WEIGHT_PLACES,
} from './bounds.ts';
import { decimal, instant, weightUnit, zoneName } from './values.ts';

export const setKind = z.enum(['normal', 'warmup', 'drop', 'failure']);
export const setSide = z.enum(['left', 'right']);
const note = z.string().max(LONGEST_NOTE);

const setFields = z.strictObject({
  kind: setKind.default('normal'),
  side: setSide.nullable().default(null),
  weight: decimal(0, HEAVIEST, WEIGHT_PLACES)
    .nullable()
    .default(null)
    .meta({ description: 'As it was entered, in `unit`.' }),
  unit: weightUnit.nullable().default(null),
  reps: z.int().min(0).max(10_000).nullable().default(null),
  seconds: z.int().min(0).max(1_000_000).nullable().default(null),
  distanceM: decimal(0, 1_000_000, DISTANCE_PLACES).nullable().default(null),
  rpe: z.number().min(1).max(10).multipleOf(0.5).nullable().default(null),
  restSec: z.int().min(0).max(86_400).nullable().default(null),
  doneAt: instant.nullable().default(null),
});

const haveUnits = (set: { weight: number | null; unit: string | null }): boolean =>
  (set.weight === null) === (set.unit === null);
const WITH_UNIT = { message: 'weight and unit go together', path: ['unit'] };

/** A set: weight in kilograms or pounds as it was entered, lengths in metres, durations in seconds. */
export const setForm = setFields.refine(haveUnits, WITH_UNIT);

const blockFields = {
  id: z.guid().transform((id) => id.toLowerCase()),
  superset: z.int().min(0).max(1_000).nullable().default(null),
  notes: note.default(''),
};
const blockForm = z.strictObject({
  ...blockFields,
  exerciseId: z.int().positive(),
  sets: z.array(setForm).max(MOST_SETS),
});

/** What a document says about itself: it may be sent back, and counts for nothing. */
const readOnly = {
  id: z.guid().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  source: z.string().optional().meta({ description: 'Read only.' }),
  importId: z.string().nullable().optional().meta({ description: 'Read only.' }),
  createdAt: z.string().optional().meta({ description: 'Read only.' }),
  updatedAt: z.string().optional().meta({ description: 'Read only.' }),
};

/** What a workout says, whoever it comes from. */
const workoutFields = {
  title: z.string().trim().min(1).max(LONGEST_TITLE),
  notes: note.default(''),
  startedAt: instant,
  endedAt: instant.nullable().default(null),
  timeZone: zoneName,
};

/** @returns whether the end lies between the start and 24 hours later, or there is none yet */
const lastsADayAtMost = ({ startedAt, endedAt }: { startedAt: string; endedAt: string | null }): boolean => {
  const lasted = endedAt === null ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
  return lasted >= 0 && lasted <= LONGEST_WORKOUT * 1000;
};
const ENDS_IN_TIME = { message: 'must be between startedAt and 24 hours later', path: ['endedAt'] };
const haveOwnIds = ({ blocks }: { blocks: Array<{ id: string }> }): boolean =>
  new Set(blocks.map(({ id }) => id)).size === blocks.length;
const OWN_IDS = { message: 'ids of blocks must differ', path: ['blocks'] };

export const workoutForm = z
  .strictObject({
    ...readOnly,
    ...workoutFields,
    splitId: z.int().positive().nullable().default(null),
    blocks: z.array(blockForm).max(MOST_BLOCKS),
  })
  .refine(lastsADayAtMost, ENDS_IN_TIME)
  .refine(haveOwnIds, OWN_IDS);

export type WorkoutForm = z.output<typeof workoutForm>;

const rounded = (places: number) => z.number().transform((value) => Number(value.toFixed(places)));

/** A set of a file: numbers that a program printed as floating point are rounded to what is kept. */
const exportedSet = z
  .object({
    ...setFields.shape,
    weight: z.nullable(rounded(WEIGHT_PLACES).pipe(setFields.shape.weight.unwrap().unwrap())),
    distanceM: z.nullable(rounded(DISTANCE_PLACES).pipe(setFields.shape.distanceM.unwrap().unwrap())),
  })
  .refine(haveUnits, WITH_UNIT);

/** A workout of the own export: the same, with names instead of the ids of exercises. */
export const exportedWorkout = z
  .object({
    id: z.guid().transform((id) => id.toLowerCase()),
    ...workoutFields,
    blocks: z
      .array(
        z.object({
          ...blockFields,
          exercise: z.string().trim().min(1).max(200),
          isOwn: z.boolean(),
          sets: z.array(exportedSet).max(MOST_SETS),
        }),
      )
      .max(MOST_BLOCKS),
  })
  .refine(lastsADayAtMost, ENDS_IN_TIME)
  .refine(haveOwnIds, OWN_IDS);

const setAnswer = z.object({
  kind: setKind,
  side: setSide.nullable(),
  weight: z.number().nullable(),
  unit: weightUnit.nullable(),
  reps: z.int().nullable(),
  seconds: z.int().nullable(),
  distanceM: z.number().nullable(),
  rpe: z.number().nullable(),
  restSec: z.int().nullable(),
  doneAt: z.string().nullable(),
});

export const blockAnswer = z.object({
  id: z.guid(),
  exerciseId: z.int(),
  superset: z.int().nullable(),
  notes: z.string(),
  sets: z.array(setAnswer),
});

/** A set as the functions of the database take it, by the names of the columns. */
const setColumns = ({ distanceM, restSec, doneAt, ...set }: z.output<typeof setFields>) => ({
  ...set,
  distance_m: distanceM,
  rest_sec: restSec,
  done_at: doneAt,
});

/** A workout as `app.write_log_workout` takes it and `app.log_content` gives it back. */
export const workoutColumns = ({ title, notes, startedAt, endedAt, timeZone, splitId, blocks }: WorkoutForm) => ({
  title,
  notes,
  started_at: startedAt,
  ended_at: endedAt,
  time_zone: timeZone,
  split_id: splitId,
  blocks: blocks.map((block) => ({
    id: block.id,
    exercise_id: block.exerciseId,
    superset: block.superset,
    notes: block.notes,
    sets: block.sets.map(setColumns),
  })),
});
