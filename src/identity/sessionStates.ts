import { buildLoader } from '#platform/loader.ts';
import type { Database } from '#platform/postgres/database.ts';
import { type Query, sql } from '#platform/postgres/query.ts';
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

/** What the guard must know about a session beside the phone. */
interface OtherSessionState {
  id: string;
  user_id: string;
  token_version: number;
  /** Whether it is noted that this version was used today. */
  is_marked: boolean;
}

/** $1: ids; those of nobody have no row. */
const LIST_SESSION_STATES = sql<SessionState>('guard.listSessionStates')`
  select s.* from app.session_states($1) s`;

/** $1: ids; those that have ended have no row. */
const LIST_OTHER_SESSION_STATES = sql<OtherSessionState>('guard.listOtherSessionStates')`
  select s.* from app.other_session_states($1) s`;

/** Questions to PostgreSQL at the same time: one travels while the other is answered. */
const AT_ONCE = 2;

/** Looks a person's session up, always in PostgreSQL: undefined for an unknown id. @throws DatabaseUnavailable */
export type SessionStates = (userId: string) => Promise<SessionState | undefined>;

/** Looks a session beside the phone up, always in PostgreSQL: undefined when it has ended. @throws DatabaseUnavailable */
export type OtherSessionStates = (id: string) => Promise<OtherSessionState | undefined>;

export const buildSessionStates = (db: Database): SessionStates => stateLoader(db, 'guard', LIST_SESSION_STATES);

export const buildOtherSessionStates = (db: Database): OtherSessionStates =>
  stateLoader(db, 'guard of others', LIST_OTHER_SESSION_STATES);

function stateLoader<State extends { id: string }>(db: Database, name: string, query: Query<State>) {
  let turn = 0;
  return buildLoader(async (ids) => {
    // Requests share the question, so it is in no trace of one of them.
    const states = await traced('session states', { parent: null }, () =>
      db.queryUnscoped(`${name} ${turn++ % AT_ONCE}`, query, [ids]),
    );
    return new Map(states.map((state) => [state.id, state]));
  }, AT_ONCE);
}
