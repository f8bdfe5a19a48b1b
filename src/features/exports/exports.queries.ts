import { sql } from '#platform/postgres/query.ts';

export interface ExportedRow {
  id: string;
  title: string;
  notes: string;
  started_at: Date;
  /** Start and end on the clock on the wall, in the zone of the workout. */
  local_start: string;
  local_end: string | null;
  /** To the microsecond, for the next page. */
  position: string;
  ended_at: Date | null;
  time_zone: string;
  blocks: Array<ExportedBlock>;
}

export interface ExportedBlock {
  id: string;
  exerciseId: number;
  superset: number | null;
  notes: string;
  sets: Array<{
    kind: string;
    side: string | null;
    weight: number | null;
    unit: string | null;
    reps: number | null;
    seconds: number | null;
    distanceM: number | null;
    rpe: number | null;
    restSec: number | null;
    doneAt: string | null;
  }>;
}

/**
 * Oldest first. $1: user, $2 and $3: start and id that the page goes on after, $4: how many, $5: bytes of JSON that they
 * may come to; the first is given in any case.
 */
export const LIST_ASCENDING = sql<ExportedRow>('exports.listAscending')`
  select
    v.id,
    v.title,
    v.notes,
    v.started_at,
    to_char(v.started_at at time zone v.time_zone, 'YYYY-MM-DD"T"HH24:MI:SS') as local_start,
    to_char(v.ended_at at time zone v.time_zone, 'YYYY-MM-DD"T"HH24:MI:SS') as local_end,
    v.position,
    v.ended_at,
    v.time_zone,
    v.blocks
  from (
    select
      c.user_id,
      c.id,
      sum(c.bytes) over (order by c.started_at, c.id) - c.bytes as bytes_before
    from (
      select w.user_id, w.id, w.started_at, app.document_bytes(w.note_bytes, w.block_count, w.set_count) as bytes
      from log_workouts w
      where w.user_id = $1
        and ($2::timestamptz is null or (w.started_at, w.id) > ($2::timestamptz, $3::uuid))
      order by w.started_at, w.id
      limit $4
    ) c
  ) chosen
  join v_log_workouts v on v.user_id = chosen.user_id and v.id = chosen.id
  where chosen.bytes_before < $5
  order by v.started_at, v.id`;

export interface NamedExerciseRow {
  id: number;
  name: string;
  is_own: boolean;
  targetmuscle: string;
  specifictargetmuscle: string;
  measure: string;
  equipment: string | null;
  secondary_muscles: string[];
  description: string;
  is_archived: boolean;
}

/** The catalogue and the caller's own, by name. */
export const LIST_EXERCISES = sql<NamedExerciseRow>('exports.listExercises')`
  select
    e.id, e.name, e.owner_id is not null as is_own, e.targetmuscle, e.specifictargetmuscle, e.measure, e.equipment,
    e.secondary_muscles, e.description, e.archived_at is not null as is_archived
  from exercises e
  order by lower(e.name), e.id`;

export interface MeasurementRow {
  id: string;
  kind: string;
  value: string;
  unit: string;
  measured_at: Date;
  position: string;
}

/** Oldest first. $1: user, $2 and $3: instant and id that the page goes on after, $4: how many. */
export const LIST_MEASUREMENTS = sql<MeasurementRow>('exports.listMeasurements')`
  select
    m.id, m.kind, m.value::text as value, m.unit, m.measured_at,
    to_char(m.measured_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
  from measurements m
  where m.user_id = $1
    and ($2::timestamptz is null or (m.measured_at, m.id) > ($2::timestamptz, $3::uuid))
  order by m.measured_at, m.id
  limit $4`;

/** Whether most loads of $1 were entered in pounds. */
export const LIFTS_POUNDS = sql<{ pounds: boolean }>('exports.liftsPounds')`
  select coalesce(avg(case s.unit when 'lb' then 1 else 0 end) > 0.5, false) as pounds
  from log_sets s
  where s.user_id = $1
    and s.unit is not null`;
