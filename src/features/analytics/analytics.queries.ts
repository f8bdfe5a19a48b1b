import { sql } from '#platform/postgres/query.ts';

export interface RecordRow {
  exercise_id: number;
  exercise: string;
  pr_weight: number;
  pr_reps: number;
  max_1rm: number;
}

/** Records with an estimated one-rep max; rounded as decimals, half away from zero (behaviour 4.4). */
export const LIST_RECORDS = sql<RecordRow>('analytics.listRecords')`
  select
    r.exercise_id,
    e.name as exercise,
    r.pr_weight,
    r.pr_reps,
    round(r.one_rep_max, 1)::float8 as max_1rm
  from exercise_records r
  join exercises e on e.id = r.exercise_id
  where r.user_id = $1
    and r.one_rep_max is not null`;

export interface GoalRow {
  split: string;
  exercise: string;
  planned: number;
  actual: number;
}

/** Planned reps of the active plan and the mean of what was done, for exercises that were done (behaviour 4.5). */
export const LIST_GOALS = sql<GoalRow>('analytics.listGoals')`
  select s.name as split, e.name as exercise, planned.reps as planned, done.reps as actual
  from workoutplans p
  join workoutsplits s on s.workout_id = p.id and s.is_active
  join exercisetoworkoutsplit ets on ets.workoutsplit_id = s.id and ets.is_active
  join exercises e on e.id = ets.exercise_id
  cross join lateral (
    select sum(n.reps)::float8 as reps from unnest(ets.sets) as n (reps)
  ) planned
  cross join lateral (
    select avg(workout.reps)::float8 as reps
    from exercisetracking et
    cross join lateral (select sum(n.reps) as reps from unnest(et.reps) as n (reps)) workout
    where et.exercisetosplit_id = ets.id
  ) done
  where p.user_id = $1
    and p.is_active
    and done.reps is not null
  order by s.name, e.name`;
