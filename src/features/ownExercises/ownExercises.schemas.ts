import { z } from 'zod';

const MUSCLES = ['Legs', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Glutes', 'Abs'] as const;
/** Of an import that did not say the muscle. The app's catalogue does not show such an exercise. */
const UNKNOWN_MUSCLE = 'Other';
const MEASURES = [
  'weight_reps',
  'bodyweight_reps',
  'weighted_bodyweight',
  'assisted_bodyweight',
  'duration',
  'weight_duration',
  'distance_duration',
  'weight_distance',
] as const;

const muscle = z.enum(MUSCLES);

export const exerciseForm = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    // The app keeps a running workout in an object, where this is no key.
    .refine((name) => name !== '__proto__', 'is not possible: choose another name'),
  muscle: z.enum([...MUSCLES, UNKNOWN_MUSCLE]),
  specificMuscle: z.string().trim().min(1).max(50).nullable().default(null),
  measure: z.enum(MEASURES).default('weight_reps'),
  equipment: z.string().trim().min(1).max(50).nullable().default(null),
  secondaryMuscles: z.array(muscle).max(8).default([]),
  description: z.string().max(1_000).default(''),
});

export const changedExercise = exerciseForm.extend({
  id: z.int().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  isOwn: z.boolean().optional().meta({ description: 'Read only.' }),
  isArchived: z.boolean().default(false).meta({ description: 'An archived exercise is offered no more.' }),
});

export const exerciseAnswer = z.object({
  id: z.int(),
  version: z.int(),
  name: z.string(),
  muscle: z.string(),
  specificMuscle: z.string(),
  measure: z.string(),
  equipment: z.string().nullable(),
  secondaryMuscles: z.array(z.string()),
  description: z.string(),
  isOwn: z.boolean(),
  isArchived: z.boolean(),
});

export const exercisesAnswer = z.object({ items: z.array(exerciseAnswer) });
export const exerciseId = z.object({ id: z.coerce.number().int().positive() });
