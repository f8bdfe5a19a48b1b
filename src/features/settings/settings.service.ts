import type { z } from 'zod';
import type { Transaction } from '#platform/postgres/database.ts';
import { assertExpected } from '#transport/preconditions.ts';
import { CHANGE_NAME, CHANGE_SETTINGS, FIND_SETTINGS, type SettingsRow } from './settings.queries.ts';
import type { settingsChange } from './settings.schemas.ts';

export async function readSettings(tx: Transaction, userId: string) {
  return present(await tx.one(FIND_SETTINGS, [userId]));
}

/**
 * Changes what the form names. For a transaction that holds the session, so that changes of one person wait for each
 * other. A phone that starts in another zone changes the zone again, because reminders go by where the phone is.
 * @param expected versions of which one must be the present one, or null
 * @returns the settings as they are now
 * @throws ApiError 412
 */
export async function changeSettings(
  tx: Transaction,
  userId: string,
  { name, unit, weekStart, timeZone, reminders }: z.output<typeof settingsChange>,
  expected: number[] | null,
) {
  const { version } = await tx.one(FIND_SETTINGS, [userId]);
  assertExpected(expected, version);
  const [isEnabled, minutesBefore] = [reminders?.isEnabled ?? null, reminders?.minutesBefore ?? null];
  if (name !== undefined) await tx.rows(CHANGE_NAME, [userId, name]);
  await tx.rows(CHANGE_SETTINGS, [userId, unit ?? null, weekStart ?? null, timeZone ?? null, isEnabled, minutesBefore]);
  return readSettings(tx, userId);
}

function present({ version, username, email, name, unit, week_start, timezone, ...row }: SettingsRow) {
  const reminders = { isEnabled: row.workout_reminders_enabled, minutesBefore: row.reminder_offset_minutes };
  return { version, username, email, name, unit, weekStart: week_start, timeZone: timezone, reminders };
}
