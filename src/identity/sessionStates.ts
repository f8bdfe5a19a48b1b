import { buildLoader } from '#platform/loader.ts';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import { traced } from '#platform/tracing.ts';

/** What the guard must know about a person. */
interface SessionState {
  id: string;
  token_version: number;
  token_version_used: boolean;
  session_epoch: number;
  is_verified: boolean;
  role: string;
  stored_zone: string;
  plan_version: number;
  training_version: number;
  cardio_version: number;
  inbox_version: number;
  profile_version: number;
  catalogue_version: number;
  senders_version: number;
  log_version: number;
}

/** $1: ids; those of nobody have no row. */
const LIST_SESSION_STATES = sql<SessionState>('guard.listSessionStates')`
  select s.* from app.session_states($1) s`;

/** Questions to PostgreSQL at the same time: one travels while the other is answered. */
const AT_ONCE = 2;

/** Looks a person's session up, always in PostgreSQL: undefined for an unknown id. @throws DatabaseUnavailable */
export type SessionStates = (userId: string) => Promise<SessionState | undefined>;

export function buildSessionStates(db: Database): SessionStates {
  let turn = 0;
  return buildLoader(async (ids) => {
    // Requests share the question, so it is in no trace of one of them.
    const states = await traced('session states', { parent: null }, () =>
      db.queryUnscoped(`guard ${turn++ % AT_ONCE}`, LIST_SESSION_STATES, [ids]),
    );
    return new Map(states.map((state) => [state.id, state]));
  }, AT_ONCE);
}
