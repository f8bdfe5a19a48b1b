import { sql } from '#platform/postgres/query.ts';

export interface SplitCountRow {
  name: string;
  /** Splits of several plans may have one name. */
  split_ids: number[];
  workouts: number;
  last_start: Date;
  last_day: string;
}

/** All workouts of $1 by split name, with the day of the latest in zone $2. */
export const COUNT_BY_SPLIT = sql<SplitCountRow>('tracking.countBySplit')`
  select
    s.name,
    array_agg(distinct s.id) as split_ids,
    count(*) as workouts,
    max(ws.workout_start_utc) as last_start,
    to_char(max(ws.workout_start_utc) at time zone $2, 'YYYY-MM-DD') as last_day
  from workout_summary ws
  join workoutsplits s on s.id = ws.workoutsplit_id
  where ws.user_id = $1
  group by s.name`;

export interface BestRecordRow {
  exercise: string;
  weight: number;
  reps: number;
  workout_time_utc: string;
}

/**
 * The best of the records of all exercises (behaviour 4.1). $2: zone, $3: whether it is asked for without an active plan,
 * too.
 */
export const FIND_BEST_RECORD = sql<BestRecordRow>('tracking.findBestRecord')`
  select
    e.name as exercise,
    r.pr_weight as weight,
    r.pr_reps as reps,
    to_char(r.pr_start_utc at time zone $2, 'YYYY-MM-DD') as workout_time_utc
  from exercise_records r
  join exercises e on e.id = r.exercise_id
  where r.user_id = $1
    and ($3 or exists (select from workoutplans p where p.user_id = $1 and p.is_active))
  order by r.pr_weight desc, r.pr_reps desc, r.pr_start_utc desc, e.name
  limit 1`;

/** The same without a weight record: of the sets that the app's tables hold, whatever the exercise is measured by. */
export const FIND_BEST_SET = sql<BestRecordRow>('tracking.findBestSet')`
  select
    e.name as exercise,
    s.weight,
    s.reps,
    to_char(ws.workout_start_utc at time zone $2, 'YYYY-MM-DD') as workout_time_utc
  from workout_summary ws
  join exercisetracking et on et.workout_summary_id = ws.id
  join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
  join exercises e on e.id = ets.exercise_id
  cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
  where ws.user_id = $1
    and ($3 or exists (select from workoutplans p where p.user_id = $1 and p.is_active))
  order by s.weight desc, s.reps desc, ws.workout_start_utc desc, e.name
  limit 1`;

/** The same of what a phone has sent: $1: its exercises as JSON, $2: zone, $3: start. */
export const FIND_BEST_SENT_SET = sql<BestRecordRow>('tracking.findBestSentSet')`
  select
    e.name as exercise,
    s.weight,
    s.reps,
    to_char(coalesce($3, now()) at time zone $2, 'YYYY-MM-DD') as workout_time_utc
  from jsonb_to_recordset($1::jsonb) as sent (exercisetosplit_id bigint, weight real[], reps bigint[])
  join exercisetoworkoutsplit ets on ets.id = sent.exercisetosplit_id
  join exercises e on e.id = ets.exercise_id
  cross join lateral unnest(sent.weight, sent.reps) as s (weight, reps)
  order by s.weight desc, s.reps desc, e.name
  limit 1`;

export interface TrackedRow {
  id: number;
  exercisetosplit_id: number;
  weight: number[];
  reps: number[];
  notes: string;
  workoutsplit_id: number;
  workout_start_utc: Date;
  workoutdate: string;
}

/** What $1 did in the last 45 days; days are those of zone $2. */
export const LIST_RECENT = sql<TrackedRow>('tracking.listRecent')`
  select
    et.id,
    et.exercisetosplit_id,
    et.weight,
    et.reps,
    coalesce(et.notes, '') as notes,
    ws.workoutsplit_id,
    ws.workout_start_utc,
    to_char(ws.workout_start_utc at time zone $2, 'YYYY-MM-DD') as workoutdate
  from workout_summary ws
  join exercisetracking et on et.workout_summary_id = ws.id
  where ws.user_id = $1
    and ws.workout_start_utc >= now() - interval '45 days'
    and ws.workout_start_utc < now() + interval '1 day'`;

export interface TrackedExerciseRow {
  id: number;
  exercise_id: number;
  exercise: string;
  order_index: number;
  sets: number[];
  targetmuscle: string;
  specifictargetmuscle: string;
}

/**
 * The planned exercises of `LIST_RECENT`, as today's plan has them. The ids are found first (`materialized`), because
 * without good statistics PostgreSQL would join them with the whole catalogue.
 */
export const LIST_RECENT_EXERCISES = sql<TrackedExerciseRow>('tracking.listRecentExercises')`
  with done as materialized (
    select distinct et.exercisetosplit_id
    from workout_summary ws
    join exercisetracking et on et.workout_summary_id = ws.id
    where ws.user_id = $1
      and ws.workout_start_utc >= now() - interval '45 days'
      and ws.workout_start_utc < now() + interval '1 day'
  )
  select
    ets.id,
    ets.exercise_id,
    e.name as exercise,
    ets.order_index,
    ets.sets,
    e.targetmuscle,
    app.pictured_muscle(e.targetmuscle, e.specifictargetmuscle) as specifictargetmuscle
  from exercisetoworkoutsplit ets
  join exercises e on e.id = ets.exercise_id
  where ets.id in (select d.exercisetosplit_id from done d)`;
