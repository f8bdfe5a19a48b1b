import type { z } from 'zod';
import { sql } from '#platform/postgres/query.ts';
import type { importAnswer } from './imports.schemas.ts';
import type { FileWorkout } from './reading/training.ts';

/** What is said of a file: the answer without what is decided later. */
type Facts = Pick<z.input<typeof importAnswer>, 'sets' | 'firstDay' | 'lastDay' | 'skipped' | 'ambiguous'> & {
  names: Array<{ name: string; sets: number; measure: string }>;
};

export interface ImportRow {
  id: string;
  state: string;
  source: string;
  time_zone: string;
  unit: string | null;
  duplicates: string;
  mapping: Record<string, number | string>;
  facts: Record<keyof Facts, unknown>;
  total: number;
  done: number;
  added: number;
  created_at: Date;
}

export const FIND_IMPORT = sql<ImportRow>('imports.find')`
  select
    i.id, i.state, i.source, i.time_zone, i.unit, i.duplicates, i.mapping, i.facts, i.total, i.done, i.added, i.created_at
  from imports i
  where i.user_id = coalesce($1, app.user_id())
    and i.id = $2`;

/** The same, and whoever changes it waits. */
export const LOCK_IMPORT = sql<ImportRow>('imports.lock')`
  select
    i.id, i.state, i.source, i.time_zone, i.unit, i.duplicates, i.mapping, i.facts, i.total, i.done, i.added, i.created_at
  from imports i
  where i.user_id = $1
    and i.id = $2
  for update`;

export const LIST_IMPORTS = sql<ImportRow>('imports.list')`
  select
    i.id, i.state, i.source, i.time_zone, i.unit, i.duplicates, i.mapping, i.facts, i.total, i.done, i.added, i.created_at
  from imports i
  where i.user_id = $1
  order by i.created_at desc, i.id
  limit 50`;

export const FIND_FILE = sql<{ file: Buffer | null }>('imports.findFile')`
  select i.file
  from imports i
  where i.user_id = $1
    and i.id = $2`;

/** $1: user, $2: source, $3: zone, $4: unit, $5: mapping, $6: facts, $7: file, $8: number of workouts. */
export const CREATE_IMPORT = sql<{ id: string }>('imports.create')`
  insert into imports (user_id, source, time_zone, unit, mapping, facts, file, total)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
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

/** $1: user, $2: import, $3: unit, $4: duplicates, $5: mapping, $6: facts. */
export const CHANGE_IMPORT = sql('imports.change')`
  update imports i
  set unit = $3, duplicates = $4, mapping = $5, facts = $6, updated_at = now()
  where i.user_id = $1
    and i.id = $2`;

/** $1: user, $2: import, $3: state. */
export const SET_STATE = sql('imports.setState')`
  update imports i
  set state = $3,
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
  content: Record<keyof FileWorkout, unknown>;
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

/** $1: user, $2: import, $3: mapping to ids. */
export const LIST_DUPLICATES = sql<{ position: number; is_same: boolean }>('imports.listDuplicates')`
  select d.pos as position, d.is_same
  from app.import_duplicates($1, $2, $3) d`;

/** $1: user, $2: import, $3: list of id and content. */
export const WRITE_WORKOUTS = sql<{ added: number }>('imports.writeWorkouts')`
  select app.import_workouts($1, $2, $3) as added`;

/** The records of its exercises. $1: user, $2: import. */
export const FINISH_IMPORT = sql('imports.finish')`
  select app.finish_import($1, $2)`;

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

/** $1: user, $2: name in files, $3: exercise. */
export const REMEMBER_ALIAS = sql('imports.rememberAlias')`
  insert into exercise_aliases as a (owner_id, name, exercise_id)
  values ($1, $2, $3)
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

/** One that is there already stays. $1: user, $2: id, $3: kind, $4: value, $5: unit, $6: instant. */
export const PUT_MEASUREMENT = sql('imports.putMeasurement')`
  insert into measurements (user_id, id, version, kind, value, unit, measured_at)
  select $1, $2, app.next_log_version($1), $3, $4, $5, $6
  where not exists (select from measurements m where m.user_id = $1 and m.id = $2)`;

/** Null: no such import, or it is being written. $1: import, $2: whether edited workouts go, too. */
export const UNDO_IMPORT = sql<{ kept: string[] | null }>('imports.undo')`
  select app.undo_own_import($1, $2) as kept`;
