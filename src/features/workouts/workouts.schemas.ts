import { z } from 'zod';
import { timeZone } from '#transport/timeZone.ts';

const MAX_REPS = 10_000;
const MAX_WEIGHT_KG = 10_000;

// ---------------------------------------------------------------------------
// Plan
// ---------------------------------------------------------------------------

export const plannedReps = z
  .int('sets must be whole numbers of reps')
  .min(1, 'sets must be at least 1 rep each')
  .max(MAX_REPS, `sets must be at most ${MAX_REPS} reps each`);

const plannedExercise = z.object(
  {
    id: z.int('exercise id must be a whole number').positive('exercise id must be positive'),
    // A bare number means one set.
    sets: z
      .preprocess((sets) => (typeof sets === 'number' ? [sets] : sets), z.array(plannedReps, 'sets must be a list'))
      .refine((sets) => sets.length > 0, 'sets must not be empty')
      .refine((sets) => sets.length <= 20, 'an exercise may have at most 20 sets'),
    order_index: z.int('order_index must be a whole number').min(0, 'order_index must not be negative').optional(),
  },
  { error: 'Each exercise must be an object' },
);

const plannedSplit = z
  .array(plannedExercise, 'Each split must be a list of exercises')
  .min(1, 'A split must have at least one exercise')
  .max(50, 'A split may have at most 50 exercises')
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'A split may hold an exercise only once');

export type PlannedExercise = z.output<typeof plannedExercise>;

export const splitName = z
  .string()
  .max(50, 'A split name may have at most 50 characters')
  .refine((name) => name.trim() !== '', 'A split needs a name')
  // The app keeps splits in an object, where this is no key.
  .refine((name) => name !== '__proto__', 'A split cannot be called __proto__');

const NO_PLAN = 'workoutData must map split names to lists of exercises';

export const planForm = z.object(
  {
    workoutData: z
      // `z.record` silently drops this name, and then a split would be missing.
      .preprocess(
        (data) => (isObject(data) && Object.hasOwn(data, '__proto__') ? undefined : data),
        z.record(splitName, plannedSplit, NO_PLAN),
      )
      .refine((splits) => Object.keys(splits).length > 0, 'A plan needs at least one split')
      .refine((splits) => Object.keys(splits).length <= 26, 'A plan may have at most 26 splits'),
    workoutName: z
      .string('workoutName must be text')
      .trim()
      .min(1, 'workoutName must not be blank')
      .max(100, 'workoutName may have at most 100 characters')
      .optional(),
    tz: timeZone,
  },
  { error: NO_PLAN },
);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export const picturedMuscle = z.string().describe('the nearest that the app has a picture for');

const exerciseOfSplit = z.object({
  id: z.int().describe('exercise-to-split id: what finishworkout wants'),
  sets: z.array(z.int()),
  is_active: z.boolean(),
  exercise: z.string(),
  workoutsplit: z.string(),
  targetmuscle: z.string(),
  specifictargetmuscle: picturedMuscle,
});

const workoutPlan = z.object({
  id: z.int(),
  name: z.string(),
  numberofsplits: z.int(),
  created_at: z.iso.datetime(),
  is_deleted: z.boolean(),
  level: z.string(),
  user_id: z.guid(),
  trainer_id: z.guid().nullable(),
  is_active: z.boolean(),
  updated_at: z.iso.datetime({ offset: true }).describe('local time of the requested zone'),
  workoutsplits: z.array(
    z.object({
      id: z.int(),
      workout_id: z.int(),
      name: z.string(),
      created_at: z.iso.datetime(),
      muscle_group: z.string().nullable(),
      is_active: z.boolean(),
      exercisetoworkoutsplit: z.array(exerciseOfSplit),
    }),
  ),
});

const planForEdit = z.record(
  z.string(),
  z.array(
    z.object({
      id: z.int().describe('exercise id'),
      name: z.string(),
      sets: z.array(z.int()),
      order_index: z.int(),
      targetmuscle: z.string(),
      specifictargetmuscle: picturedMuscle,
    }),
  ),
);

/** Without an active plan there is no second key. */
export const plan = z.object({
  workoutPlan: workoutPlan.nullable(),
  workoutPlanForEditWorkout: planForEdit.optional(),
});

export const savedPlan = z.object({
  message: z.string(),
  workoutPlan,
  workoutPlanForEditWorkout: planForEdit,
});

// ---------------------------------------------------------------------------
// Finished workout
// ---------------------------------------------------------------------------

const WEIGHT = `weight must be between 0 and ${MAX_WEIGHT_KG} kg`;
const REPS = `reps must be a whole number between 1 and ${MAX_REPS}`;
const WEIGHTS = 'weight must be a list of kilograms, one for each set';
const REPS_OF_SETS = 'reps must be a list of whole numbers, one for each set';

const weightKg = z
  .number(WEIGHT)
  .min(0, WEIGHT)
  .max(MAX_WEIGHT_KG, WEIGHT)
  // Stored as a 4-byte float: a weight that would become 0 there is refused.
  .refine((kilograms) => kilograms === 0 || Math.fround(kilograms) > 0, WEIGHT);

const finishedExercise = z
  .object(
    {
      exercisetosplit_id: z.int('exercisetosplit_id must be a whole number'),
      weight: z
        .array(weightKg, WEIGHTS)
        .min(1, 'weight must not be empty')
        .max(100, 'an exercise may have at most 100 sets'),
      reps: z
        .array(z.int(REPS).min(1, REPS).max(MAX_REPS, REPS), REPS_OF_SETS)
        .min(1, 'reps must not be empty')
        .max(100, 'an exercise may have at most 100 sets'),
      notes: z
        .string('notes must be text')
        .max(1000, 'notes may have at most 1000 characters')
        .nullish()
        .transform((notes) => notes ?? ''),
    },
    { error: 'Not a valid workout' },
  )
  .refine(({ weight, reps }) => weight.length === reps.length, {
    message: 'weight and reps must have the same length',
    path: ['reps'],
  });

const EARLIEST = Date.UTC(1970, 0, 1);

const instant = (field: string) =>
  z.iso
    .datetime({ offset: true, error: `${field} must be an ISO date-time with Z or an offset` })
    .transform((text) => new Date(text))
    .refine((date) => date.getTime() >= EARLIEST, `${field} is out of range`)
    .nullish();

export const finishedWorkout = z.object(
  {
    workout: z
      .array(finishedExercise, 'Not a valid workout')
      .min(1, 'Not a valid workout')
      .max(100, 'A workout may have at most 100 exercises'),
    workout_start_utc: instant('workout_start_utc'),
    workout_end_utc: instant('workout_end_utc'),
    tz: timeZone,
  },
  { error: 'Not a valid workout' },
);
