import { z } from 'zod';

/** Of own exercises; `Other` is one that nobody has assigned yet, which the app's catalogue does not show. */
const MUSCLES = ['Legs', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Glutes', 'Abs', 'Other'] as const;
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

export const muscle = z.enum(MUSCLES);
export const measure = z.enum(MEASURES);
export type Muscle = z.output<typeof muscle>;
export type Measure = z.output<typeof measure>;

/** An own exercise, as people, programs and files give it. */
export const exerciseForm = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    // The app keeps a running workout in an object, where this is not a key.
    .refine((name) => name !== '__proto__', 'is not possible: choose another name'),
  muscle,
  specificMuscle: z.string().trim().min(1).max(50).nullable().default(null),
  measure: measure.default('weight_reps'),
  equipment: z.string().trim().min(1).max(50).nullable().default(null),
  secondaryMuscles: z
    .array(muscle.exclude(['Other']))
    .max(8)
    .default([]),
  description: z.string().max(1_000).default(''),
});
