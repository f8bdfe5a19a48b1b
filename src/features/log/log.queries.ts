import type { z } from 'zod';
import { sql } from '#platform/postgres/query.ts';
import type { blockAnswer } from '#training/workout.ts';

/** A block with its sets, as the answers show it. */
type BlockAnswer = z.input<typeof blockAnswer>;

export interface WorkoutRow {
  id: string;
  version: number;
  title: string;
  notes: string;
  started_at: Date;
  /** To the microsecond, for the cursor. */
  position: string;
  ended_at: Date | null;
  time_zone: string;
  split_id: number | null;
  source: string;
  import_id: string | null;
  created_at: Date;
  updated_at: Date;
  blocks: Array<BlockAnswer>;
}

export const FIND_WORKOUT = sql<WorkoutRow>('log.findWorkout')`
  select
    v.id, v.version, v.title, v.notes, v.started_at, v.position, v.ended_at, v.time_zone, v.split_id, v.source,
    v.import_id, v.created_at, v.updated_at, v.blocks
  from v_log_workouts v
  where v.user_id = $1
    and v.id = $2`;

export interface ListedRow extends WorkoutRow {
  /** How many of those that were asked for come after this one. */
  following: number;
}

/**
 * $1: user, $2: first and $3: last day in zone $4, $5: exercise, $6: text, $7 and $8: start and id that the page goes on
 * after, $9: how many, $10: bytes of JSON that they may come to; the first is given in any case.
 */
export const LIST_WORKOUTS = sql<ListedRow>('log.listWorkouts')`
  with named as materialized (
    select e.id
    from exercises e
    where $6::text is not null
      and (e.owner_id is null or e.owner_id = $1)
      and strpos(lower(e.name), lower($6)) > 0
  )
  select
    v.id, v.version, v.title, v.notes, v.started_at, v.position, v.ended_at, v.time_zone, v.split_id, v.source,
    v.import_id, v.created_at, v.updated_at, v.blocks, chosen.following
  from (
    select
      c.user_id,
      c.id,
      sum(c.bytes) over (order by c.started_at desc, c.id desc) - c.bytes as bytes_before,
      row_number() over (order by c.started_at, c.id) - 1 as following
    from (
      select w.user_id, w.id, w.started_at, app.document_bytes(w.note_bytes, w.block_count, w.set_count) as bytes
      from log_workouts w
      where w.user_id = $1
        and ($2::date is null or w.started_at >= $2::date::timestamp at time zone $4)
        and ($3::date is null or w.started_at < ($3::date + 1)::timestamp at time zone $4)
        and (
          $5::bigint is null
          or exists (
            select
            from log_blocks b
            where b.user_id = w.user_id
              and b.workout_id = w.id
              and b.exercise_id = $5
          )
        )
        and (
          $6::text is null
          or strpos(lower(w.title), lower($6)) > 0
          or strpos(lower(w.notes), lower($6)) > 0
          or w.id in (
            select b.workout_id
            from named n
            join log_blocks b on b.exercise_id = n.id and b.user_id = $1
          )
        )
        and ($7::timestamptz is null or (w.started_at, w.id) < ($7::timestamptz, $8::uuid))
      order by w.started_at desc, w.id desc
      limit $9
    ) c
  ) chosen
  join v_log_workouts v on v.user_id = chosen.user_id and v.id = chosen.id
  where chosen.bytes_before < $10
  order by v.started_at desc, v.id desc`;

interface WrittenRow {
  /** `created`, `replaced`, `unchanged`, `deleted`, `absent` or `mismatch`. */
  outcome: string;
  version: number;
}

/** $1: id, $2: content, $3: expected versions. */
export const PUT_WORKOUT = sql<WrittenRow>('log.putWorkout')`
  select p.outcome, p.version
  from app.put_own_workout($1, $2, $3) p`;

/** $1: id, $2: expected versions. */
export const DELETE_WORKOUT = sql<WrittenRow>('log.deleteWorkout')`
  select d.outcome, d.version
  from app.delete_own_workout($1, $2) d`;

/** Those of $1 that the person can log: of the catalogue, and their own. */
export const FIND_LOGGABLE = sql<{ id: number }>('log.findLoggable')`
  select e.id
  from exercises e
  where e.id = any ($1::bigint[])`;

export const OWNS_SPLIT = sql<{ owns: boolean }>('log.ownsSplit')`
  select exists (
    select
    from workoutsplits s
    join workoutplans p on p.id = s.workout_id
    where s.id = $1
      and p.user_id = app.user_id()
  ) as owns`;

/** Blocks of other workouts with these ids: $1 workout, $2 ids. */
export const FIND_OTHER_BLOCKS = sql<{ id: string }>('log.findOtherBlocks')`
  select b.id
  from log_blocks b
  where b.user_id = app.user_id()
    and b.id = any ($2::uuid[])
    and b.workout_id <> $1`;

/** What of the log of $1 the app shows. */
export const COUNT_SHOWN = sql<{ entries: number; sets: number; note_bytes: number }>('log.countShown')`
  select
    count(*) as entries,
    coalesce(sum(cardinality(et.weight)), 0) as sets,
    coalesce(sum(octet_length(et.notes)), 0) as note_bytes
  from workout_summary ws
  join exercisetracking et on et.workout_summary_id = ws.id
  where ws.user_id = $1`;
