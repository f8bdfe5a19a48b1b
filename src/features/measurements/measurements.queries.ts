import { sql } from '#platform/postgres/query.ts';

export interface MeasurementRow {
  id: string;
  version: number;
  kind: string;
  value: string;
  unit: string;
  measured_at: Date;
  /** To the microsecond, for the cursor. */
  position: string;
}

export const FIND_MEASUREMENT = sql<MeasurementRow>('measurements.find')`
  select
    m.id, m.version, m.kind, m.value::text as value, m.unit, m.measured_at,
    to_char(m.measured_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
  from measurements m
  where m.user_id = $1
    and m.id = $2`;

/** $1: user, $2: kind, $3: first and $4: last day in zone $5, $6 and $7: where the page goes on after, $8: how many. */
export const LIST_MEASUREMENTS = sql<MeasurementRow>('measurements.list')`
  select
    m.id, m.version, m.kind, m.value::text as value, m.unit, m.measured_at,
    to_char(m.measured_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
  from measurements m
  where m.user_id = $1
    and ($2::text is null or m.kind = $2)
    and ($3::date is null or m.measured_at >= $3::date::timestamp at time zone $5)
    and ($4::date is null or m.measured_at < ($4::date + 1)::timestamp at time zone $5)
    and ($6::timestamptz is null or (m.measured_at, m.id) < ($6::timestamptz, $7::uuid))
  order by m.measured_at desc, m.id desc
  limit $8`;

interface WrittenRow {
  /** `created`, `replaced`, `unchanged`, `deleted`, `absent` or `mismatch`. */
  outcome: string;
  version: number;
}

/** $1: id, $2: kind, $3: value, $4: unit, $5: instant, $6: expected versions. */
export const PUT_MEASUREMENT = sql<WrittenRow>('measurements.put')`
  select p.outcome, p.version
  from app.put_own_measurement($1, $2, $3, $4, $5, $6) p`;

/** $1: id, $2: expected versions. */
export const DELETE_MEASUREMENT = sql<WrittenRow>('measurements.delete')`
  select d.outcome, d.version
  from app.delete_own_measurement($1, $2) d`;
