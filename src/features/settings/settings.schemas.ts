import { z } from 'zod';
import { fullName } from '#identity/account.schemas.ts';
import { WEEKDAYS, weightUnit, zoneName } from '#training/values.ts';

const unit = weightUnit.meta({ description: 'What weights are shown in; stored ones keep theirs.' });
const weekday = z.enum(WEEKDAYS);

export const settings = z.object({
  version: z.int(),
  username: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  unit: z.string(),
  weekStart: z.string(),
  timeZone: z.string(),
  reminders: z.object({ isEnabled: z.boolean(), minutesBefore: z.int() }),
});

export const settingsChange = z.strictObject({
  name: fullName.min(1, 'must not be empty').optional(),
  unit: unit.optional(),
  weekStart: weekday.optional(),
  timeZone: zoneName.optional(),
  reminders: z
    .strictObject({
      isEnabled: z.boolean().optional(),
      minutesBefore: z.int().min(0).max(1_440).optional(),
    })
    .optional(),
});
