import { z } from 'zod';
import { timeZone } from '#transport/timeZone.ts';

const MINUTES = 'durationMins must be a whole number from 0 to 1440';
const SECONDS = 'durationSec must be a whole number from 0 to 59';
const TYPE = 'type must have 1 to 50 characters';

export const cardioForm = z.object(
  {
    record: z
      .object(
        {
          type: z.string(TYPE).trim().min(1, TYPE).max(50, TYPE),
          durationMins: z.int(MINUTES).min(0, MINUTES).max(1440, MINUTES),
          durationSec: z.int(SECONDS).min(0, SECONDS).max(59, SECONDS).default(0),
        },
        { error: 'record must be an object' },
      )
      .refine(({ durationMins, durationSec }) => durationMins + durationSec > 0, 'The duration must not be zero'),
    tz: timeZone,
  },
  { error: 'record must be an object' },
);

const cardio = z.object({ type: z.string(), duration_mins: z.int(), duration_sec: z.int() });

export const cardioMaps = z.object({
  daily: z.record(z.string(), z.array(cardio)),
  weekly: z.record(
    z.string().describe('the Sunday that starts the week'),
    z.object({
      total_duration_mins: z.int(),
      total_duration_sec: z.int().describe('sum of the seconds, without carry into minutes'),
      records: z.array(cardio.extend({ workout_time_utc: z.iso.datetime({ offset: true }) })),
    }),
  ),
});
