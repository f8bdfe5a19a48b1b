import { z } from 'zod';
import { pageOf, pageQuery } from '#transport/paging.ts';

const unit = z.enum(['kg', 'lb', '%', 'cm', 'in', 'mm']);
const kind = z.string().trim().min(1).max(50).meta({
  description:
    '`body_weight`, `body_fat`, `neck`, `shoulders`, `chest`, `waist`, `hips`, `arm_left` and so on, or an own name.',
});
const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 instant with Z or an offset' })
  .refine(
    (text) => Date.parse(text) >= Date.UTC(1900, 0, 1) && Date.parse(text) < Date.UTC(2200, 0, 1),
    'is out of range',
  )
  .transform((text) => new Date(text).toISOString());

export const measurementForm = z.strictObject({
  id: z.guid().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  kind,
  value: z
    .number()
    .min(0)
    .max(99_999)
    .refine((value) => Number(value.toFixed(3)) === value, 'may have at most 3 decimals'),
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

const day = z.iso.date('must be a day, YYYY-MM-DD');

export const measurementsQuery = z.strictObject({
  ...pageQuery,
  kind: kind.optional(),
  from: day.optional(),
  to: day.optional(),
});
