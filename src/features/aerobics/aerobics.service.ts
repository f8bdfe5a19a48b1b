import type { z } from 'zod';
import { ApiError } from '#http/errors.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { cardioForm } from './aerobics.schemas.ts';

interface CardioRow {
  type: string;
  duration_mins: number;
  duration_sec: number;
  day: string;
  week: string;
  workout_time_utc: string;
}

/** What $1 logged in the last 45 days; days and weeks (from Sunday) are those of zone $2. */
const LIST_RECENT = sql<CardioRow>('aerobics.listRecent')`
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

const ADD = sql('aerobics.add')`
  insert into aerobictracking (user_id, type, duration_mins, duration_sec)
  values ($1, $2, $3, $4)`;

const RAISE_DATA_VERSION = sql('aerobics.raiseDataVersion')`
  select app.raise_data_version()`;

/** Stores cardio at the time of its insert. */
export async function addCardio(
  tx: Transaction,
  userId: string,
  { record }: z.output<typeof cardioForm>,
): Promise<void> {
  await tx.rows(RAISE_DATA_VERSION);
  await tx.rows(ADD, [userId, record.type, record.durationMins, record.durationSec]);
}

/** Of 45 days; somebody who moves ten times a day stays far below. */
const MOST_RECORDS = 1_000;

/** @throws ApiError 409 `CARDIO_LIMIT_REACHED` when the window holds more than is served */
export function assertCardioBounds({ daily }: Awaited<ReturnType<typeof readCardio>>): void {
  const records = Object.values(daily).reduce((sum, ofDay) => sum + (ofDay?.length ?? 0), 0);
  if (records <= MOST_RECORDS) return;
  throw new ApiError(409, 'CARDIO_LIMIT_REACHED', `At most ${MOST_RECORDS} cardio records can be stored for 45 days`);
}

/** The maps of contract 4.7. */
export async function readCardio(tx: Transaction, userId: string, zone: string) {
  const rows = await tx.rows(LIST_RECENT, [userId, zone]);
  const sum = (members: CardioRow[], field: 'duration_mins' | 'duration_sec') =>
    members.reduce((total, row) => total + row[field], 0);
  const weekly = [...Map.groupBy(rows, (row) => row.week)].map(([week, records]) => [
    week,
    {
      total_duration_mins: sum(records, 'duration_mins'),
      total_duration_sec: sum(records, 'duration_sec'),
      records,
    },
  ]);
  return { daily: Object.fromEntries(Map.groupBy(rows, (row) => row.day)), weekly: Object.fromEntries(weekly) };
}
