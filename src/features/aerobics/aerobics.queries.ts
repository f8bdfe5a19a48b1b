import { sql } from '#platform/postgres/query.ts';

export interface CardioRow {
  type: string;
  duration_mins: number;
  duration_sec: number;
  day: string;
  week: string;
  workout_time_utc: string;
}

/** What $1 logged in the last 45 days; days and weeks (from Sunday) are those of zone $2. */
export const LIST_RECENT = sql<CardioRow>('aerobics.listRecent')`
  select
    a.type,
    a.duration_mins,
    a.duration_sec,
    to_char(t.day, 'YYYY-MM-DD') as day,
    to_char(t.day - extract(dow from t.day)::int, 'YYYY-MM-DD') as week,
    app.local_timestamp(a.workout_time_utc, $2) as workout_time_utc
  from aerobictracking a
  cross join lateral (select (a.workout_time_utc at time zone $2)::date as day) t
  where a.user_id = $1
    and a.workout_time_utc >= now() - interval '45 days'
  order by a.id`;

/**
 * $1: user, $2: type, $3: minutes, $4: seconds, $5: whether the same record of the last minute is this one, sent again. For a
 * transaction that holds the person's row, so that of two at once the second sees the first.
 */
export const ADD = sql('aerobics.add')`
  insert into aerobictracking (user_id, type, duration_mins, duration_sec)
  select $1, $2, $3, $4
  where not $5
    or not exists (
      select
      from aerobictracking a
      where a.user_id = $1
        and a.workout_time_utc > now() - interval '1 minute'
        and (a.type, a.duration_mins, a.duration_sec) = ($2, $3, $4)
    )`;
