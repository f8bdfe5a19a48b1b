import { z } from 'zod';
import { decimal, instant } from './values.ts';

export const measurementKind = z.string().trim().min(1).max(50).meta({
  description:
    '`body_weight`, `body_fat`, `neck`, `shoulders`, `chest`, `waist`, `hips`, `arm_left` and so on, or an own name.',
});

/** What a measurement says, whoever it comes from. */
export const measurementFields = {
  kind: measurementKind,
  value: decimal(0, 99_999, 3),
  unit: z.enum(['kg', 'lb', '%', 'cm', 'in', 'mm']),
  measuredAt: instant,
};
