import type { z } from 'zod';
import { sql } from '#platform/postgres/query.ts';
import type { historyPage } from './statistics.schemas.ts';

/** A set as the answers show it. */
type DoneSet = z.input<typeof historyPage>['items'][number]['sets'][number];

export interface HistoryRow {
  workout_id: string;
  started_at: Date;
  position: string;
  title: string;
  /** Each with its load in kilograms and its estimated one-rep max, as text of an exact number. */
  sets: Array<DoneSet & Estimates>;
}

interface Estimates {
  kg: number | null;
  oneRepMax: number | null;
}

/**
 * Workouts with exercise $2, newest first. $1: user, $3: first and $4: last day in zone $5, $6 and $7: start and id that
 * the page goes on after, $8: how many.
 */
export const LIST_HISTORY = sql<HistoryRow>('statistics.listHistory')`
  select
    w.id as workout_id,
    w.started_at,
    to_char(w.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position,
    w.title,
    coalesce((
      select json_agg(
        json_build_object(
          'kind', s.kind, 'weight', s.weight, 'unit', s.unit, 'reps', s.reps, 'seconds', s.seconds,
          'distanceM', s.distance_m, 'rpe', s.rpe,
          'kg', app.kilograms(s.weight, s.unit),
          'oneRepMax', app.estimated_one_rep_max(app.kilograms(s.weight, s.unit)::real, s.reps)
        )
        order by b.position, s.position
      )
      from log_blocks b
      join log_sets s on s.user_id = b.user_id and s.block_id = b.id
      where b.user_id = w.user_id
        and b.workout_id = w.id
        and b.exercise_id = $2
    ), '[]') as sets
  from log_workouts w
  where w.user_id = $1
    and w.ended_at is not null
    and exists (
      select
      from log_blocks b
      where b.user_id = w.user_id
        and b.workout_id = w.id
        and b.exercise_id = $2
    )
    and ($3::date is null or w.started_at >= $3::date::timestamp at time zone $5)
    and ($4::date is null or w.started_at < ($4::date + 1)::timestamp at time zone $5)
    and ($6::timestamptz is null or (w.started_at, w.id) < ($6::timestamptz, $7::uuid))
  order by w.started_at desc, w.id desc
  limit $8`;

/** Whether the caller can see exercise $1. */
export const FIND_EXERCISE = sql<{ id: number }>('statistics.findExercise')`
  select e.id
  from exercises e
  where e.id = $1`;

export interface RecordRow {
  exercise_id: number;
  exercise: string;
  /** Which record: `heaviest`, `bestOneRepMax`, `mostReps`, `mostVolumeInSet`, `mostVolumeInWorkout`, `longest`, `farthest`. */
  kind: string;
  value: number;
  weight: string | null;
  unit: string | null;
  reps: number | null;
  day: string;
  workout_id: string;
}

/**
 * The best of each kind for each exercise of $1. First the block that has it: the greatest list of numbers, of which the last
 * is that of the block, says which, in one pass without sorting; then its set.
 */
export const LIST_RECORDS = sql<RecordRow>('statistics.listRecords')`
  with done as materialized (
    select
      row_number() over () as n,
      b.id as block_id,
      b.exercise_id,
      b.workout_id,
      extract(epoch from w.started_at)::float8 as at,
      b.most_reps,
      b.longest_sec,
      b.farthest_m,
      l.is_loaded,
      case when l.is_loaded then b.heaviest_kg end as heaviest_kg,
      case when l.is_loaded then b.heaviest_reps end as heaviest_reps,
      case when l.is_loaded then b.one_rep_max end as one_rep_max,
      case when l.is_loaded then b.most_reps_kg else 0 end as most_reps_kg,
      case when l.is_loaded then b.most_set_kg end as most_set_kg,
      case when l.is_loaded then b.volume_kg end as volume_kg
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    join exercises e on e.id = b.exercise_id
    cross join lateral (select e.measure not in ('bodyweight_reps', 'assisted_bodyweight') as is_loaded) l
    where w.user_id = $1
      and w.ended_at is not null
  ),
  of_workouts as (
    select d.exercise_id, sum(d.volume_kg) as volume, max(d.at) as at, max(d.n) as n
    from done d
    where d.volume_kg is not null
    group by d.exercise_id, d.workout_id
  ),
  best as (
    select k.exercise_id, b.kind, b.key
    from (
      select
        d.exercise_id,
        max(array[d.heaviest_kg, d.heaviest_reps, d.at, d.n]) filter (where d.heaviest_kg is not null) as heaviest,
        max(array[d.one_rep_max::float8, d.at, d.n]) filter (where d.one_rep_max is not null) as strongest,
        max(array[d.most_reps, d.most_reps_kg, d.at, d.n]) filter (where d.most_reps is not null) as most_reps,
        max(array[d.most_set_kg, d.at, d.n]) filter (where d.most_set_kg is not null) as most_volume,
        max(array[d.longest_sec, d.at, d.n]) filter (where d.longest_sec is not null) as longest,
        max(array[d.farthest_m::float8, d.at, d.n]) filter (where d.farthest_m is not null) as farthest
      from done d
      group by d.exercise_id
    ) k
    cross join lateral (
      values
        ('heaviest', k.heaviest),
        ('bestOneRepMax', k.strongest),
        ('mostReps', k.most_reps),
        ('mostVolumeInSet', k.most_volume),
        ('longest', k.longest),
        ('farthest', k.farthest)
    ) as b (kind, key)
    where b.key is not null
    union all
    select w.exercise_id, 'mostVolumeInWorkout', max(array[w.volume, w.at, w.n])
    from of_workouts w
    group by w.exercise_id
  )
  select
    b.exercise_id,
    e.name as exercise,
    b.kind,
    b.key[1] as value,
    s.weight::text as weight,
    s.unit,
    s.reps,
    to_char(w.started_at at time zone w.time_zone, 'YYYY-MM-DD') as day,
    d.workout_id
  from best b
  join done d on d.n = b.key[cardinality(b.key)]::bigint
  join log_workouts w on w.user_id = $1 and w.id = d.workout_id
  join exercises e on e.id = b.exercise_id
  cross join lateral (
    select x.weight, x.unit, x.reps
    from log_sets x
    where x.user_id = $1
      and x.block_id = d.block_id
      and x.kind <> 'warmup'
      and (b.kind <> 'bestOneRepMax' or x.kind <> 'drop')
    order by
      case b.kind
        when 'bestOneRepMax' then app.estimated_one_rep_max(app.kilograms(x.weight, x.unit)::real, x.reps)
        when 'mostReps' then x.reps
        else app.kilograms(x.weight, x.unit)
      end desc nulls last,
      case b.kind when 'mostReps' then app.kilograms(x.weight, x.unit) else x.reps end desc nulls last,
      x.position
    limit 1
  ) s
  order by lower(e.name), b.exercise_id`;

export interface DayRow {
  day: string;
  workouts: number;
  sets: number;
  minutes: number;
  volume_kg: number;
}

/** What $1 did on each day of zone $4 from $2 to $3 on which something was done. Warm-ups are no sets. */
export const LIST_DAYS = sql<DayRow>('statistics.listDays')`
  select
    to_char(w.started_at at time zone $4, 'YYYY-MM-DD') as day,
    count(*) as workouts,
    sum(w.hard_sets)::float8 as sets,
    sum(extract(epoch from w.ended_at - w.started_at) / 60)::float8 as minutes,
    sum(w.volume_kg)::float8 as volume_kg
  from log_workouts w
  where w.user_id = $1
    and w.ended_at is not null
    and w.started_at >= $2::date::timestamp at time zone $4
    and w.started_at < ($3::date + 1)::timestamp at time zone $4
  group by 1
  order by 1`;

export interface MuscleRow {
  day: string;
  muscle: string;
  sets: number;
}

/** Hard sets of $1 by day of zone $4 and muscle: all but warm-ups, for a helping muscle half. */
export const LIST_MUSCLES = sql<MuscleRow>('statistics.listMuscles')`
  select
    to_char(w.started_at at time zone $4, 'YYYY-MM-DD') as day,
    m.muscle,
    sum(m.share)::float8 as sets
  from log_workouts w
  join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
  join log_sets s on s.user_id = b.user_id and s.block_id = b.id and s.kind <> 'warmup'
  join exercises e on e.id = b.exercise_id
  cross join lateral (
    select e.targetmuscle as muscle, 1.0 as share
    union all
    select h.muscle, 0.5
    from unnest(e.secondary_muscles) as h (muscle)
  ) m
  where w.user_id = $1
    and w.ended_at is not null
    and w.started_at >= $2::date::timestamp at time zone $4
    and w.started_at < ($3::date + 1)::timestamp at time zone $4
  group by 1, 2
  order by 1, 2`;

/** The first and the last start of $1, and today in zone $2. */
export const FIND_SPAN = sql<{ first: string; last: Date | null; today: string }>('statistics.findSpan')`
  select
    to_char(coalesce(min(w.started_at), now()) at time zone $2, 'YYYY-MM-DD') as first,
    max(w.started_at) as last,
    to_char(now() at time zone $2, 'YYYY-MM-DD') as today
  from log_workouts w
  where w.user_id = $1
    and w.ended_at is not null`;
