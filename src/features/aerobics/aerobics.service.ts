import type { z } from 'zod';
import { ApiError } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { ADD, type CardioRow, LIST_RECENT } from './aerobics.queries.ts';
import type { cardioForm } from './aerobics.schemas.ts';

/**
 * Stores cardio with the present time.
 * @param isOnceAMinute whether the same record within a minute is one: the app sends it again when an answer was lost
 */
export async function addCardio(
  tx: Transaction,
  userId: string,
  { record }: z.output<typeof cardioForm>,
  isOnceAMinute: boolean,
): Promise<void> {
  await tx.rows(ADD, [userId, record.type, record.durationMins, record.durationSec, isOnceAMinute]);
}

/** Most records of the last 45 days; somebody who logs ten a day stays far below. */
const MOST_RECORDS = 1_000;

/** @throws ApiError 409 `CARDIO_LIMIT_REACHED` when more are stored for the last 45 days */
export function assertCardioBounds({ daily }: Awaited<ReturnType<typeof readCardio>>): void {
  const records = Object.values(daily).reduce((sum, ofDay) => sum + (ofDay?.length ?? 0), 0);
  if (records <= MOST_RECORDS) return;
  throw new ApiError(409, 'CARDIO_LIMIT_REACHED', `At most ${MOST_RECORDS} cardio records can be stored for 45 days`);
}

/** The maps of behaviour 4.7. */
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
