// The JSON documents of an import in the database: written and read by the same schema.

import { z } from 'zod';
import { cut } from '#platform/cut.ts';
import { measure, muscle } from '#training/exercise.ts';
import { setKind, setSide } from '#training/workout.ts';
import { ownExercise, ownMeasurement } from './reading/ownFile.ts';
import { COLUMN_FIELDS, type ColumnField } from './reading/rows.ts';

/** Different names of exercises that a file may have, and so decisions about them. */
export const MOST_NAMES = 2_000;

/**
 * An object whose names come from a file: kept as a Map, because a plain object has names such as `constructor` of its own.
 * `Object.fromEntries` writes it.
 */
const mapOf = <Key extends string, Value>(key: z.ZodType<Key>, value: z.ZodType<Value>) =>
  z
    .unknown()
    .meta({ type: 'object', additionalProperties: true })
    .transform((input, context): Map<Key, Value> => {
      const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
      const entries = isObject ? Object.entries(input) : [];
      if (!isObject || entries.length > MOST_NAMES) {
        context.addIssue({ code: 'custom', message: `must be an object with at most ${MOST_NAMES} names` });
        return z.NEVER;
      }
      const map = new Map<Key, Value>();
      for (const [name, content] of entries) {
        const [known, good] = [key.safeParse(name), value.safeParse(content)];
        if (known.success && good.success) map.set(known.data, good.data);
        else {
          const [issue] = known.error?.issues ?? good.error?.issues ?? [];
          context.addIssue({ code: 'custom', message: issue?.message ?? 'is not valid', path: [cut(name, 200)] });
        }
      }
      return map;
    });

/** What becomes of a name that nobody knows. */
const creation = z.strictObject({ muscle: muscle.optional(), measure: measure.optional() });
const choice = z.union([z.int().positive(), z.enum(['create', 'skip']), z.strictObject({ create: creation })]);
export type Choice = z.output<typeof choice>;

/** Name in the file → what the person decided. */
export const mapping = mapOf(z.string().min(1).max(200), choice);
export type Mapping = z.output<typeof mapping>;

/** Field → header of the file. */
export const columns = mapOf(z.enum(COLUMN_FIELDS), z.string().min(1).max(200)).refine(
  (named: ReadonlyMap<ColumnField, string>) => named.has('date') && named.has('exercise'),
  'must name at least the columns of date and exercise',
);

const skippedLine = z.object({ line: z.int(), reason: z.string() });

/** A name that a file has for an exercise. */
const nameInFile = z.object({
  name: z.string(),
  sets: z.int(),
  /** As the file has it: what a new exercise is measured by and which muscle it is for. */
  measure,
  muscle: muscle.nullable(),
  /** The exercise that the name means; null: nobody knows. */
  match: z.int().nullable(),
  /** The likeliest exercises, best first, where there is no match. */
  candidates: z.array(z.object({ id: z.int(), name: z.string() })),
});
export type NameInFile = z.output<typeof nameInFile>;

/** What a preview says of a file. */
export const facts = z.object({
  sets: z.int(),
  firstDay: z.string().nullable(),
  lastDay: z.string().nullable(),
  skipped: z.object({ lines: z.int(), first: z.array(skippedLine) }),
  ambiguous: z.array(z.string()),
  ignoredColumns: z.array(z.string()).default([]),
  names: z.array(nameInFile),
  /** Of the own format. */
  own: z.object({ exercises: z.array(ownExercise), measurements: z.array(ownMeasurement) }).optional(),
});
export type Facts = z.output<typeof facts>;

/** How the workouts of a file compare with the log. */
export const comparison = z.object({
  /** Version of the log that they were compared with. */
  version: z.int(),
  new: z.int(),
  equal: z.int(),
  changed: z.int(),
  /** Of those that changed, the ones that a person edited: nothing replaces them. */
  edited: z.array(z.string()),
});
export type Comparison = z.output<typeof comparison>;

/** A workout that waits for its commit: `FileWorkout`. */
export const fileWorkout = z.object({
  id: z.string().optional(),
  timeZone: z.string().optional(),
  title: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  lasts: z.number().optional(),
  notes: z.string(),
  exercises: z.array(
    z.object({
      id: z.string().optional(),
      name: z.string(),
      notes: z.string(),
      superset: z.int().nullable(),
      sets: z.array(
        z.object({
          kind: setKind,
          side: setSide.nullish(),
          doneAt: z.string().nullish(),
          weight: z.string().nullable(),
          unit: z.enum(['kg', 'lb']).nullable(),
          reps: z.int().nullable(),
          seconds: z.int().nullable(),
          distanceM: z.number().nullable(),
          rpe: z.number().nullable(),
          restSec: z.int().nullable(),
        }),
      ),
    }),
  ),
});
