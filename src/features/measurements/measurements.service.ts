import type { z } from 'zod';
import { notFound } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Secrets } from '#src/config.ts';
import { page, positionOf } from '#transport/paging.ts';
import { preconditionFailed } from '#transport/preconditions.ts';
import {
  DELETE_MEASUREMENT,
  FIND_MEASUREMENT,
  LIST_MEASUREMENTS,
  type MeasurementRow,
  PUT_MEASUREMENT,
} from './measurements.queries.ts';
import type { measurementForm, measurementsQuery } from './measurements.schemas.ts';

const noSuchMeasurement = () => notFound('There is no such measurement', 'MEASUREMENT_NOT_FOUND');

/** Newest first, of days in the zone. */
export async function listMeasurements(
  tx: Transaction,
  secrets: Secrets,
  userId: string,
  zone: string,
  { kind, from, to, limit, cursor }: z.output<typeof measurementsQuery>,
) {
  const [measuredAt, id] = cursor === undefined ? [] : positionOf(secrets, cursor);
  const filters = [kind ?? null, from ?? null, to ?? null, zone];
  const rows = await tx.rows(LIST_MEASUREMENTS, [userId, ...filters, measuredAt ?? null, id ?? null, limit + 1]);
  return page(secrets, rows, limit, present, (row) => [row.position, row.id]);
}

/** @throws ApiError 404 */
export async function readMeasurement(tx: Transaction, userId: string, id: string) {
  const row = await tx.maybe(FIND_MEASUREMENT, [userId, id]);
  if (!row) throw noSuchMeasurement();
  return present(row);
}

/** Creates or replaces; the same again changes nothing. @throws ApiError 412 */
export async function putMeasurement(
  tx: Transaction,
  userId: string,
  id: string,
  { kind, value, unit, measuredAt }: z.output<typeof measurementForm>,
  expected: number[] | null,
) {
  const { outcome, version } = await tx.one(PUT_MEASUREMENT, [id, kind, value, unit, measuredAt, expected]);
  if (outcome === 'mismatch') throw preconditionFailed(version);
  return { isNew: outcome === 'created', measurement: await readMeasurement(tx, userId, id) };
}

/** Removes a measurement and leaves a tombstone. @throws ApiError 404, 412 */
export async function deleteMeasurement(tx: Transaction, id: string, expected: number[] | null): Promise<void> {
  const { outcome, version } = await tx.one(DELETE_MEASUREMENT, [id, expected]);
  if (outcome === 'absent') throw expected ? preconditionFailed(0) : noSuchMeasurement();
  if (outcome === 'mismatch') throw preconditionFailed(version);
}

function present({ id, version, kind, value, unit, measured_at }: MeasurementRow) {
  return { id, version, kind, value: Number(value), unit, measuredAt: measured_at.toISOString() };
}
