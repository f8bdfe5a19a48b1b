import { z } from 'zod';
import { pageOf, pageQuery } from '#transport/paging.ts';
import { day, decimal, instant } from '#transport/values.ts';

const unit = z.enum(['kg', 'lb', '%', 'cm', 'in', 'mm']);
const kind = z.string().trim().min(1).max(50).meta({
  description:
    '`body_weight`, `body_fat`, `neck`, `shoulders`, `chest`, `waist`, `hips`, `arm_left` and so on, or an own name.',
});
export const measurementForm = z.strictObject({
  id: z.guid().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  kind,
  value: decimal(0, 99_999, 3),
  unit,
  measuredAt: instant,
});

export const measurementAnswer = z.object({
  id: z.guid(),
  version: z.int(),
  kind: z.string(),
  value: z.number(),
  unit: z.string(),
  measuredAt: z.string(),
});

export const measurementsPage = pageOf(measurementAnswer);
export const measurementId = z.object({ id: z.guid().transform((id) => id.toLowerCase()) });

export const measurementsQuery = z.strictObject({
  ...pageQuery,
  kind: kind.optional(),
  from: day.optional(),
  to: day.optional(),
});
