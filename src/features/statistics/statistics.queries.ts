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
  /** How many of those that were asked for come after this one. */
  following: number;
  /** Each with its load in kilograms and its estimated one-rep max, as text of an exact number. */
  sets: Array<DoneSet & Estimates>;
}

interface Estimates {
  kg: number | null;
  oneRepMax: number | null;
}

/**
 * Workouts with exercise $2, newest first. $1: user, $3: first and $4: last day in zone $5, $6 and $7: start and id that
 * the page goes on after, $8: how many, $9: bytes of JSON that they may come to; the first is given in any case.
 */
export const LIST_HISTORY = sql<HistoryRow>('statistics.listHistory')`
  select
    w.id as workout_id,
    w.started_at,
    to_char(w.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position,
    w.title,
    w.following,
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
  from (
    select
      c.*,
      sum(c.bytes) over (order by c.started_at desc, c.id desc) - c.bytes as bytes_before,
      row_number() over (order by c.started_at, c.id) - 1 as following
    from (
      select
        x.user_id, x.id, x.started_at, x.title, app.document_bytes(0, x.block_count, x.set_count) as bytes
      from log_workouts x
      where x.user_id = $1
        and x.ended_at is not null
        and exists (
          select
          from log_blocks b
          where b.user_id = x.user_id
            and b.workout_id = x.id
            and b.exercise_id = $2
        )
        and ($3::date is null or x.started_at >= $3::date::timestamp at time zone $5)
        and ($4::date is null or x.started_at < ($4::date + 1)::timestamp at time zone $5)
        and ($6::timestamptz is null or (x.started_at, x.id) < ($6::timestamptz, $7::uuid))
      order by x.started_at desc, x.id desc
      limit $8
    ) c
  ) w
  where w.bytes_before < $9
  order by w.started_at desc, w.id desc`;

/** How exercise $1 is measured, if the caller can see it. */
export const FIND_EXERCISE = sql<{ measure: string }>('statistics.findExercise')`
  select e.measure
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
  /** When the value was reached for the first time; `day` and `workout_id` are of the last. */
  first_day: string;
}

/**
 * The best of each kind for each exercise of $1: first the greatest values, then the newest and the oldest block that has
 * each, then the newest one's set. Twenty years are twenty thousand blocks, so there is no sorting before few are left.
 */
export const LIST_RECORDS = sql<RecordRow>('statistics.listRecords')`
  with done as materialized (
    select
      b.id as block_id,
      b.exercise_id,
      b.workout_id,
      w.started_at,
      b.most_reps,
      b.longest_sec,
      b.farthest_m::float8 as farthest_m,
      case when l.is_loaded then b.heaviest_kg end as heaviest_kg,
      case when l.is_loaded then b.heaviest_reps end as heaviest_reps,
      case when l.is_loaded then b.one_rep_max::float8 end as one_rep_max,
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
  greatest_values as (
    select
      d.exercise_id,
      max(array[d.heaviest_kg, d.heaviest_reps]) filter (where d.heaviest_kg is not null) as heaviest,
      max(d.one_rep_max) as one_rep_max,
      max(array[d.most_reps, d.most_reps_kg]) filter (where d.most_reps is not null) as most_reps,
      max(d.most_set_kg) as most_set_kg,
      max(d.longest_sec) as longest_sec,
      max(d.farthest_m) as farthest_m
    from done d
    group by d.exercise_id
  ),
  of_workouts as materialized (
    select d.exercise_id, d.workout_id, d.started_at, sum(d.volume_kg) as volume_kg
    from done d
    where d.volume_kg is not null
    group by d.exercise_id, d.workout_id, d.started_at
  ),
  candidates as (
    select d.exercise_id, d.block_id, d.workout_id, d.started_at, v.kind, v.value
    from done d
    join greatest_values g on g.exercise_id = d.exercise_id
      and (
        (d.heaviest_kg = g.heaviest[1] and d.heaviest_reps = g.heaviest[2])
        or d.one_rep_max = g.one_rep_max
        or (d.most_reps = g.most_reps[1] and d.most_reps_kg = g.most_reps[2])
        or d.most_set_kg = g.most_set_kg
        or d.longest_sec = g.longest_sec
        or d.farthest_m = g.farthest_m
      )
    cross join lateral (
      values
        ('heaviest', d.heaviest_kg, d.heaviest_kg = g.heaviest[1] and d.heaviest_reps = g.heaviest[2]),
        ('bestOneRepMax', d.one_rep_max, d.one_rep_max = g.one_rep_max),
        ('mostReps', d.most_reps, d.most_reps = g.most_reps[1] and d.most_reps_kg = g.most_reps[2]),
        ('mostVolumeInSet', d.most_set_kg, d.most_set_kg = g.most_set_kg),
        ('longest', d.longest_sec, d.longest_sec = g.longest_sec),
        ('farthest', d.farthest_m, d.farthest_m = g.farthest_m)
    ) as v (kind, value, is_best)
    where v.is_best
    union all
    select o.exercise_id, null, o.workout_id, o.started_at, 'mostVolumeInWorkout', o.volume_kg
    from of_workouts o
    join (
      select x.exercise_id, max(x.volume_kg) as volume_kg from of_workouts x group by x.exercise_id
    ) g on g.exercise_id = o.exercise_id and g.volume_kg = o.volume_kg
  ),
  best as (
    select distinct on (c.exercise_id, c.kind)
      c.*,
      first_value(c.workout_id) over (partition by c.exercise_id, c.kind order by c.started_at, c.workout_id)
        as first_workout_id
    from candidates c
    order by c.exercise_id, c.kind, c.started_at desc, c.block_id
  )
  select
    b.exercise_id,
    e.name as exercise,
    b.kind,
    b.value,
    s.weight::text as weight,
    s.unit,
    s.reps,
    to_char(w.started_at at time zone w.time_zone, 'YYYY-MM-DD') as day,
    b.workout_id,
    to_char(f.started_at at time zone f.time_zone, 'YYYY-MM-DD') as first_day
  from best b
  join log_workouts w on w.user_id = $1 and w.id = b.workout_id
  join log_workouts f on f.user_id = $1 and f.id = b.first_workout_id
  join exercises e on e.id = b.exercise_id
  left join lateral (
    select x.weight, x.unit, x.reps
    from log_sets x
    where x.user_id = $1
      and x.block_id = b.block_id
      and x.kind <> 'warmup'
      and (b.kind <> 'bestOneRepMax' or x.kind <> 'drop')
      and (b.kind not in ('heaviest', 'bestOneRepMax') or (x.weight > 0 and x.reps > 0)) -- a set of no reps lifts nothing
    order by
      case b.kind
        when 'bestOneRepMax' then app.estimated_one_rep_max(app.kilograms(x.weight, x.unit)::real, x.reps)
        when 'mostReps' then x.reps
        else app.kilograms(x.weight, x.unit)
      end desc nulls last,
      case b.kind when 'mostReps' then app.kilograms(x.weight, x.unit) else x.reps end desc nulls last,
      x.position
    limit 1
  ) s on true
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
  with done as (
    select
      to_char(w.started_at at time zone $4, 'YYYY-MM-DD') as day,
      b.exercise_id,
      sum(b.hard_sets) as sets
    from log_workouts w
    join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
    where w.user_id = $1
      and w.ended_at is not null
      and w.started_at >= $2::date::timestamp at time zone $4
      and w.started_at < ($3::date + 1)::timestamp at time zone $4
    group by 1, 2
  )
  select d.day, m.muscle, sum(d.sets * m.share)::float8 as sets
  from done d
  join exercises e on e.id = d.exercise_id
  cross join lateral (
    select e.targetmuscle as muscle, 1.0 as share
    union all
    select h.muscle, 0.5
    from unnest(e.secondary_muscles) as h (muscle)
  ) m
  where d.sets > 0
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
