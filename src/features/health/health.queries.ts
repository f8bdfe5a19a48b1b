import { sql } from '#platform/postgres/query.ts';

export const PROBE = sql('service.probe')`
  select s.role from app.session_state('00000000-0000-0000-0000-000000000000') s`;
