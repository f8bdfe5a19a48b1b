import { z } from 'zod';
import { day, zoneName } from '#training/values.ts';
import { blockAnswer } from '#training/workout.ts';
import { pageOf, pageQuery } from '#transport/paging.ts';

export const workoutAnswer = z.object({
  id: z.guid(),
  version: z.int(),
  title: z.string(),
  notes: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  timeZone: z.string(),
  splitId: z.int().nullable(),
  source: z.string().meta({ description: '`app`, `logbook` or `import`.' }),
  importId: z.guid().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  blocks: z.array(blockAnswer),
});

export const workoutsPage = pageOf(workoutAnswer);
export const workoutId = z.object({ id: z.guid().transform((id) => id.toLowerCase()) });

/** From the first to the last day, in the zone of the request. */
export const workoutsQuery = z.strictObject({
  ...pageQuery,
  from: day.optional(),
  to: day.optional(),
  tz: zoneName.optional(),
  exerciseId: z.coerce.number().int().positive().optional(),
  q: z.string().trim().min(1).max(100).optional().meta({ description: 'In title, notes or names of exercises.' }),
});
