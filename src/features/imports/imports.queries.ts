import { sql } from '#platform/postgres/query.ts';

/** What a list shows of an import: nothing that grows with its file. */
export interface ListedRow {
  id: string;
  state: string;
  source: string;
  total: number;
  done: number;
  added: number;
  failure: string | null;
  created_at: Date;
}

export interface ImportRow extends ListedRow {
  time_zone: string;
  unit: string | null;
  distance_unit: string | null;
  date_order: string | null;
  duplicates: string;
  /** JSON documents of `imports.documents.ts`. */
  columns: unknown;
  mapping: unknown;
  facts: unknown;
  comparison: unknown;
}

export const FIND_IMPORT = sql<ImportRow>('imports.find')`
  select
    i.id, i.state, i.source, i.time_zone, i.unit, i.distance_unit, i.date_order, i.duplicates, i.columns, i.mapping,
    i.facts, i.comparison, i.failure, i.total, i.done, i.added, i.created_at
  from imports i
  where i.user_id = $1
    and i.id = $2`;

/** The same, and others who change it wait. */
export const LOCK_IMPORT = sql<ImportRow>('imports.lock')`
  select
    i.id, i.state, i.source, i.time_zone, i.unit, i.distance_unit, i.date_order, i.duplicates, i.columns, i.mapping,
    i.facts, i.comparison, i.failure, i.total, i.done, i.added, i.created_at
  from imports i
  where i.user_id = $1
    and i.id = $2
  for update`;

/** Whether there is such an import, of the caller. */
export const EXISTS_IMPORT = sql<{ id: string }>('imports.exists')`
  select i.id
  from imports i
  where i.user_id = app.user_id()
    and i.id = $1`;

export interface ProgressRow {
  state: string;
  total: number;
  done: number;
  added: number;
}

/** How far an import is; others who change it wait. */
export const LOCK_PROGRESS = sql<ProgressRow>('imports.lockProgress')`
  select i.state, i.total, i.done, i.added
  from imports i
  where i.user_id = $1
    and i.id = $2
  for update`;

export const LIST_IMPORTS = sql<ListedRow>('imports.list')`
  select i.id, i.state, i.source, i.total, i.done, i.added, i.failure, i.created_at
  from imports i
  where i.user_id = $1
  order by i.created_at desc, i.id
  limit 50`;

/** Whether an import of $1 that was made before $2 is being written. */
export const FIND_EARLIER_UNDER_WAY = sql<{ id: string }>('imports.findEarlierUnderWay')`
  select i.id
  from imports own
  join imports i on i.user_id = own.user_id
  where own.user_id = $1
    and own.id = $2
    and i.state = 'committing'
    and (i.created_at, i.id) < (own.created_at, own.id)
  limit 1`;

/** Which columns of files of no known program $1 has named, the newest first. */
export const LIST_COLUMNS = sql<{ columns: unknown }>('imports.listColumns')`
  select i.columns
  from imports i
  where i.user_id = $1
    and i.columns is not null
  order by i.created_at desc, i.id
  limit 20`;

export const FIND_FILE = sql<{ file: Buffer | null }>('imports.findFile')`
  select i.file
  from imports i
  where i.user_id = $1
    and i.id = $2`;

/**
 * $1: user, $2: source, $3: zone, $4: unit, $5: unit of distances, $6: order of dates, $7: columns, $8: facts, $9: file,
 * $10: number of workouts.
 */
export const CREATE_IMPORT = sql<{ id: string }>('imports.create')`
  insert into imports (user_id, source, time_zone, unit, distance_unit, date_order, columns, facts, file, total)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  returning id`;

/** $1: user, $2: import, $3: list of id and content, $4: position of the first. */
export const ADD_WORKOUTS = sql('imports.addWorkouts')`
  insert into import_workouts (user_id, import_id, position, id, content)
  select $1, $2, $4::integer + w.n - 1, (w.value ->> 'id')::uuid, w.value -> 'content'
  from jsonb_array_elements($3::jsonb) with ordinality as w (value, n)`;

export const FORGET_WORKOUTS = sql('imports.forgetWorkouts')`
  delete from import_workouts iw
  where iw.user_id = $1
    and iw.import_id = $2`;

/** $1: user, $2: import, $3: what happens to known workouts, $4: mapping. */
export const CHANGE_IMPORT = sql('imports.change')`
  update imports i
  set duplicates = $3, mapping = $4, updated_at = now()
  where i.user_id = $1
    and i.id = $2`;

/**
 * What reading its file again has brought. $1: user, $2: import, $3: unit, $4: unit of distances, $5: order of dates,
 * $6: columns, $7: facts, $8: number of workouts, $9: source.
 */
export const REPLACE_CONTENT = sql('imports.replaceContent')`
  update imports i
  set unit = $3,
      distance_unit = $4,
      date_order = $5,
      columns = $6,
      facts = $7,
      total = $8,
      source = $9,
      updated_at = now()
  where i.user_id = $1
    and i.id = $2`;

/** $1: user, $2: import, $3: comparison. */
export const NOTE_COMPARISON = sql('imports.noteComparison')`
  update imports i
  set comparison = $3
  where i.user_id = $1
    and i.id = $2`;

/** $1: user, $2: import, $3: state, $4: why it failed. */
export const SET_STATE = sql('imports.setState')`
  update imports i
  set state = $3,
      failure = $4,
      updated_at = now(),
      file = case when $3 = 'committed' then null else i.file end
  where i.user_id = $1
    and i.id = $2`;

/** $1: user, $2: import, $3: how many more were looked at, $4: how many of them were added. */
export const NOTE_PROGRESS = sql('imports.noteProgress')`
  update imports i
  set done = i.done + $3, added = i.added + $4, updated_at = now()
  where i.user_id = $1
    and i.id = $2`;

export interface WorkoutRow {
  position: number;
  id: string;
  /** JSON: `fileWorkout`. */
  content: unknown;
}

/** $1: user, $2: import, $3: from which position on, $4: how many. */
export const LIST_WORKOUTS = sql<WorkoutRow>('imports.listWorkouts')`
  select iw.position, iw.id, iw.content
  from import_workouts iw
  where iw.user_id = $1
    and iw.import_id = $2
    and iw.position >= $3
  order by iw.position
  limit $4`;

/**
 * How workouts compare with the log, in their order; see `app.compare_import`. $1: user, $2: import, $3: list of id and
 * content.
 */
export const COMPARE_WORKOUTS = sql<{ pos: number; standing: string }>('imports.compareWorkouts')`
  select c.pos, c.standing
  from app.compare_import($1, $2, $3) c`;

/** Version of the log of $1. */
export const FIND_VERSION = sql<{ version: number }>('imports.findVersion')`
  select h.version
  from log_heads h
  where h.user_id = $1`;

/** $1: user, $2: import, $3: list of id and content. */
export const WRITE_WORKOUTS = sql<{ added: number }>('imports.writeWorkouts')`
  select app.import_workouts($1, $2, $3) as added`;

/** The records of its exercises. $1: user, $2: import, $3: whether it replaced workouts. */
export const FINISH_IMPORT = sql('imports.finish')`
  select app.finish_import($1, $2, $3)`;

export interface KnownExerciseRow {
  id: number;
  name: string;
  is_own: boolean;
  targetmuscle: string;
}

/** What $1 can log: the catalogue and their own. */
export const LIST_EXERCISES = sql<KnownExerciseRow>('imports.listExercises')`
  select e.id, e.name, e.owner_id is not null as is_own, e.targetmuscle
  from exercises e
  where e.owner_id is null
     or e.owner_id = $1
  order by e.owner_id nulls last, e.id`;

/** Names as other programs write them, those that $1 used last. */
export const LIST_ALIASES = sql<{ name: string; exercise_id: number }>('imports.listAliases')`
  select lower(a.name) as name, a.exercise_id
  from exercise_aliases a
  join exercises e on e.id = a.exercise_id
  where a.owner_id is null
     or a.owner_id = $1
  order by a.owner_id nulls first`;

/** $1: user, $2: names in files, $3: their exercises. */
export const REMEMBER_ALIASES = sql('imports.rememberAliases')`
  insert into exercise_aliases as a (owner_id, name, exercise_id)
  select distinct on (lower(n.name)) $1::uuid, n.name, n.exercise_id
  from unnest($2::text[], $3::bigint[]) as n (name, exercise_id)
  order by lower(n.name)
  on conflict (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), lower(name)) do update
    set exercise_id = excluded.exercise_id
    where a.exercise_id <> excluded.exercise_id`;

/**
 * $1: user, $2: name, $3: muscle, $4: specific muscle, $5: measure, $6: equipment, $7: secondary muscles, $8: description,
 * $9: import, $10: whether it is archived. The one of that name, if there is one already.
 */
export const CREATE_EXERCISE = sql<{ id: number }>('imports.createExercise')`
  insert into exercises as e (
    owner_id, name, targetmuscle, specifictargetmuscle, measure, equipment, secondary_muscles, description, import_id,
    archived_at
  )
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then now() end)
  on conflict (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), lower(name)) do update
    set archived_at = null
  returning id`;

export const COUNT_OWN = sql<{ number: number }>('imports.countOwn')`
  select count(*) as number
  from exercises e
  where e.owner_id = $1`;

/** Those that are there already stay. $1: user, $2: list of measurements, as files have them. */
export const ADD_MEASUREMENTS = sql('imports.addMeasurements')`
  with head as materialized (
    select app.next_log_version($1) as version
  )
  insert into measurements (user_id, id, version, kind, value, unit, measured_at)
  select $1, m.id, h.version, m.kind, m.value, m.unit, m."measuredAt"
  from head h
  cross join jsonb_to_recordset($2::jsonb) as m (id uuid, kind text, value numeric, unit text, "measuredAt" timestamptz)
  where not exists (select from measurements x where x.user_id = $1 and x.id = m.id)
  on conflict do nothing`;

/** Null: no such import, or it is being written. $1: import, $2: whether edited workouts go, too. */
export const UNDO_IMPORT = sql<{ kept: string[] | null }>('imports.undo')`
  select app.undo_own_import($1, $2) as kept`;
