import { z } from 'zod';
import { plannedReps, splitName } from './workouts.schemas.ts';

const readOnly = z.unknown().optional().meta({ description: 'Read only.' });

const exercise = z.strictObject({
  id: readOnly,
  name: readOnly,
  muscle: readOnly,
  exerciseId: z.int().positive(),
  sets: z.array(plannedReps).min(1, 'must not be empty').max(20).meta({ description: 'Reps of each set.' }),
});

const split = z.strictObject({
  id: readOnly,
  name: splitName,
  exercises: z
    .array(exercise)
    .min(1, 'must not be empty')
    .max(50)
    .refine(
      (list) => new Set(list.map(({ exerciseId }) => exerciseId)).size === list.length,
      'may hold an exercise only once',
    ),
});

/** The rules of the app's `workouts/add`; order is the order of exercises. */
export const planDocument = z.strictObject({
  id: readOnly,
  version: readOnly,
  name: z.string().trim().min(1, 'must not be blank').max(100),
  splits: z
    .array(split)
    .min(1, 'must not be empty')
    .max(26)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'may hold a name only once'),
});

export const planAnswer = z.object({
  version: z.int(),
  id: z.int().nullable(),
  name: z.string().nullable(),
  splits: z.array(
    z.object({
      id: z.int().describe('what a workout of the log names as splitId'),
      name: z.string(),
      exercises: z.array(
        z.object({
          id: z.int(),
          exerciseId: z.int(),
          name: z.string(),
          muscle: z.string(),
          sets: z.array(z.int()),
        }),
      ),
    }),
  ),
});
