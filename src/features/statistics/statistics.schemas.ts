import { z } from 'zod';
import { day, WEEKDAYS, weightUnit, zoneName } from '#training/values.ts';
import { pageOf, pageQuery } from '#transport/paging.ts';

const zone = zoneName.optional();

const weekStart = z.enum(WEEKDAYS).default('monday');

/** Days from Monday to the one that a week starts on. */
export const daysFromMonday = (start: (typeof WEEKDAYS)[number]): number => WEEKDAYS.indexOf(start);

/** Thirty years. */
const MOST_DAYS = 10_958;
const isSpan = ({ from, to }: { from: string; to: string }) => {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days >= 0 && days <= MOST_DAYS;
};
const SPAN = { message: `must not be before from, nor more than ${MOST_DAYS} days after it`, path: ['to'] };

export const spanQuery = z.strictObject({ from: day, to: day, tz: zone }).refine(isSpan, SPAN);
export const weeksQuery = z.strictObject({ from: day, to: day, tz: zone, weekStart }).refine(isSpan, SPAN);
export const volumeQuery = z
  .strictObject({ from: day, to: day, tz: zone, weekStart, by: z.enum(['week']).default('week') })
  .refine(isSpan, SPAN);
export const summaryQuery = z.strictObject({ tz: zone, weekStart });
export const historyQuery = z.strictObject({ ...pageQuery, from: day.optional(), to: day.optional(), tz: zone });
export const exerciseId = z.object({ id: z.coerce.number().int().positive() });

const doneSet = z.object({
  kind: z.string(),
  weight: z.number().nullable(),
  unit: weightUnit.nullable(),
  reps: z.int().nullable(),
  seconds: z.int().nullable(),
  distanceM: z.number().nullable(),
  rpe: z.number().nullable(),
});

/** Estimated one-rep max in kilograms, and whose formula it is. */
const oneRepMax = z.object({ kg: z.number(), formula: z.enum(['lifted', 'epley', 'brzycki', 'oconner']) });

export const historyPage = pageOf(
  z.object({
    workoutId: z.guid(),
    startedAt: z.string(),
    title: z.string(),
    sets: z.array(doneSet),
    bestSet: doneSet.nullable().meta({ description: 'The heaviest; of equal ones that with the most reps.' }),
    oneRepMax: oneRepMax.nullable(),
    volumeKg: z.number().meta({ description: 'Weight times reps of all sets but warm-ups.' }),
  }),
);

export const lastAnswer = z.object({
  last: z.object({ workoutId: z.guid(), startedAt: z.string(), sets: z.array(doneSet) }).nullable(),
});

const firstDay = z.string().meta({ description: 'When it was reached for the first time; `day` is the last time.' });
const record = z.object({
  weight: z.number().nullable(),
  unit: weightUnit.nullable(),
  reps: z.int().nullable(),
  day: z.string().meta({ description: 'In the zone of the workout.' }),
  workoutId: z.guid(),
  firstDay,
});
const amount = z.object({ value: z.number(), day: z.string(), workoutId: z.guid(), firstDay });

export const recordsAnswer = z.object({
  items: z.array(
    z.object({
      exerciseId: z.int(),
      exercise: z.string(),
      heaviest: record.nullable().meta({ description: 'With the most reps at that weight.' }),
      bestOneRepMax: record.extend(oneRepMax.shape).nullable(),
      mostReps: record.nullable(),
      mostVolumeInSet: amount.nullable().meta({ description: 'Kilograms.' }),
      mostVolumeInWorkout: amount.nullable().meta({ description: 'Kilograms.' }),
      longest: amount.nullable().meta({ description: 'Seconds.' }),
      farthest: amount.nullable().meta({ description: 'Metres.' }),
    }),
  ),
});

const tile = z.object({ workouts: z.number(), sets: z.number(), minutes: z.number(), volumeKg: z.number() });

export const summaryAnswer = z.object({
  week: tile.extend({ from: z.string() }),
  average: tile.meta({ description: 'A week of the four before.' }),
  all: tile,
  lastWorkoutAt: z.string().nullable(),
});

export const calendarAnswer = z.object({ days: z.array(tile.extend({ day: z.string() })) });
export const volumeAnswer = z.object({ weeks: z.array(tile.extend({ from: z.string() })) });
export const musclesAnswer = z.object({
  weeks: z.array(z.object({ from: z.string(), hardSets: z.record(z.string(), z.number()) })),
});
