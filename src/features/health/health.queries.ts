import { sql } from '#platform/postgres/query.ts';

export const PROBE = sql('service.probe')`
  select s.role from app.session_states('{}') s`;
