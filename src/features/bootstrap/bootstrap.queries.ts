import { sql } from '#platform/postgres/query.ts';

export const STORE_ZONE = sql('bootstrap.storeZone')`
  update user_reminder_settings urs
  set timezone = $2,
      updated_at = now()
  where urs.user_id = $1
    and urs.timezone <> $2`;
