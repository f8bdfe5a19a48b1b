import { z } from 'zod';

export const analytics = z.object({
  _1RM: z.record(
    z.string().describe('exercise id'),
    z.object({ exercise: z.string(), pr_weight: z.number(), pr_reps: z.int(), max_1rm: z.number() }),
  ),
  goals: z.record(
    z.string().describe('split'),
    z.record(
      z.string().describe('exercise'),
      z.object({ planned: z.number(), actual: z.number(), adherence_pct: z.number().nullable() }),
    ),
  ),
});
