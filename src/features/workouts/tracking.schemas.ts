import { z } from 'zod';
import { picturedMuscle } from './workouts.schemas.ts';

const day = z.iso.date();

const trackedExercise = z.object({
  id: z.int(),
  exercisetosplit_id: z.int(),
  weight: z.array(z.number()),
  reps: z.array(z.int()),
  exercise_id: z.int(),
  workoutsplit_id: z.int(),
  splitname: z.string(),
  exercise: z.string(),
  notes: z.string(),
  order_index: z.int(),
  exercisetoworkoutsplit: z.object({
    sets: z.array(z.int()),
    exercises: z.object({ targetmuscle: z.string(), specifictargetmuscle: picturedMuscle }),
  }),
});
const dated = trackedExercise.extend({ workoutdate: day });

export const tracking = z.object({
  exerciseTrackingAnalysis: z.object({
    unique_days: z.int().describe('number of workouts, in spite of its name'),
    most_frequent_split: z.string().nullable(),
    most_frequent_split_days: z.int().nullable(),
    lastWorkoutDate: day.nullable(),
    splitDaysByName: z.record(z.string(), z.int()),
    prs: z.object({
      pr_max: z
        .object({
          exercise: z.string(),
          weight: z.number(),
          reps: z.int(),
          workout_time_utc: day.describe('local date of the workout, in spite of its name'),
        })
        .nullable()
        .describe('null without a set, and, except after a finish, without an active plan'),
    }),
  }),
  exerciseTrackingMaps: z.object({
    byDate: z.record(z.string(), z.array(trackedExercise)),
    byETSId: z.record(z.string(), z.array(dated)),
    bySplitName: z.record(z.string(), z.array(dated.omit({ splitname: true }))),
  }),
});
