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

export interface BestSetRow {
  exercise: string;
  weight: number;
  reps: number;
  workout_time_utc: string;
}

/**
 * The best set of $1 (behaviour 4.1): of the weight records; without any, of the sets in the app's tables, whatever their
 * exercises are measured by; without any, of those that a phone has just sent. $2: zone, $3: what it sent, as JSON, or null: then
 * there is none without an active plan. $4: when that began.
 */
export const FIND_BEST_SET = sql<BestSetRow>('tracking.findBestSet')`
  select best.exercise, best.weight, best.reps, best.workout_time_utc
  from (
    (
      select
        1 as choice,
        e.name as exercise,
        r.pr_weight as weight,
        r.pr_reps as reps,
        to_char(r.pr_start_utc at time zone $2, 'YYYY-MM-DD') as workout_time_utc
      from exercise_records r
      join exercises e on e.id = r.exercise_id
      where r.user_id = $1
        and ($3::jsonb is not null or exists (select from workoutplans p where p.user_id = $1 and p.is_active))
      order by r.pr_weight desc, r.pr_reps desc, r.pr_start_utc desc, e.name
      limit 1
    )
    union all
    (
      select 2, e.name, s.weight, s.reps, to_char(ws.workout_start_utc at time zone $2, 'YYYY-MM-DD')
      from workout_summary ws
      join exercisetracking et on et.workout_summary_id = ws.id
      join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
      join exercises e on e.id = ets.exercise_id
      cross join lateral unnest(et.weight, et.reps) as s (weight, reps)
      where ws.user_id = $1
        and not exists (select from exercise_records r where r.user_id = $1)
        and ($3::jsonb is not null or exists (select from workoutplans p where p.user_id = $1 and p.is_active))
      order by s.weight desc, s.reps desc, ws.workout_start_utc desc, e.name
      limit 1
    )
    union all
    (
      select 3, e.name, s.weight, s.reps, to_char(coalesce($4, now()) at time zone $2, 'YYYY-MM-DD')
      from jsonb_to_recordset($3::jsonb) as sent (exercisetosplit_id bigint, weight real[], reps bigint[])
      join exercisetoworkoutsplit ets on ets.id = sent.exercisetosplit_id
      join exercises e on e.id = ets.exercise_id
      cross join lateral unnest(sent.weight, sent.reps) as s (weight, reps)
      where not exists (select from exercise_records r where r.user_id = $1)
      order by s.weight desc, s.reps desc, e.name
      limit 1
    )
  ) best
  order by best.choice
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
