import { z } from 'zod';
import { exerciseForm } from '#training/exercise.ts';

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
