import { sql } from '#platform/postgres/query.ts';

export interface SettingsRow {
  version: number;
  username: string;
  email: string | null;
  name: string | null;
  unit: string;
  week_start: string;
  timezone: string;
  workout_reminders_enabled: boolean;
  reminder_offset_minutes: number;
}

export const FIND_SETTINGS = sql<SettingsRow>('settings.find')`
  select
    urs.version, u.username, u.email, u.name, urs.unit, urs.week_start, urs.timezone,
    urs.workout_reminders_enabled, urs.reminder_offset_minutes
  from users u
  join user_reminder_settings urs on urs.user_id = u.id
  where u.id = $1`;

/** A trigger raises the version of the settings. $1: user, $2: name. */
export const CHANGE_NAME = sql('settings.changeName')`
  update users u
  set name = $2
  where u.id = $1
    and u.name is distinct from $2`;

/** A trigger raises the version if something changes. $1: user; null keeps: $2 unit, $3 weekday, $4 zone, $5, $6. */
export const CHANGE_SETTINGS = sql('settings.change')`
  update user_reminder_settings urs
  set unit = coalesce($2, urs.unit),
      week_start = coalesce($3, urs.week_start),
      timezone = coalesce($4, urs.timezone),
      workout_reminders_enabled = coalesce($5, urs.workout_reminders_enabled),
      reminder_offset_minutes = coalesce($6, urs.reminder_offset_minutes)
  where urs.user_id = $1`;
