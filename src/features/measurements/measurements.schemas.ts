import { z } from 'zod';
import { measurementFields, measurementKind } from '#training/measurement.ts';
import { day } from '#training/values.ts';
import { pageOf, pageQuery } from '#transport/paging.ts';

export const measurementForm = z.strictObject({
  id: z.guid().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  ...measurementFields,
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
  kind: measurementKind.optional(),
  from: day.optional(),
  to: day.optional(),
});
