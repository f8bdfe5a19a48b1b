import { sql } from '#platform/postgres/query.ts';

export interface LogSize {
  workouts: number;
  sets: number;
  /** Bytes of titles and notes as JSON. */
  note_bytes: number;
}

/** What the log of $1 holds. */
export const COUNT_LOGGED = sql<LogSize>('training.countLogged')`
  select
    count(*) as workouts,
    coalesce(sum(w.set_count), 0) as sets,
    coalesce(sum(w.note_bytes), 0) as note_bytes
  from log_workouts w
  where w.user_id = $1`;
