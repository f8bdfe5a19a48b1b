import { sql } from '#platform/postgres/query.ts';

export const COUNT_PEOPLE = sql<{ people: number }>('records.countPeople')`
  select count(*) as people
  from users u
  where u.id > $1`;

export const LIST_PEOPLE = sql<{ id: string }>('records.listPeople')`
  select u.id
  from users u
  where u.id > $1
  order by u.id
  limit $2`;

export const REBUILD = sql<{ changed: number }>('records.rebuild')`
  select app.rebuild_exercise_records($1) as changed`;

export const FIND_PERSON = sql<{ id: string; role: string; session_epoch: number }>('admin.findPerson')`
  select u.id, u.role, u.session_epoch
  from users u
  where lower(trim(u.username)) = lower(trim($1))
    and u.role <> 'System'`;

export const GRANT_ADMIN = sql('admin.grant')`
  update users u
  set role = 'Admin'
  where u.id = $1`;
