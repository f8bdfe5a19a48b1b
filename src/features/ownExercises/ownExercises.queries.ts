import { sql } from '#platform/postgres/query.ts';

export interface ExerciseRow {
  id: number;
  version: number;
  name: string;
  muscle: string;
  specific_muscle: string;
  measure: string;
  equipment: string | null;
  secondary_muscles: string[];
  description: string;
  is_own: boolean;
  is_archived: boolean;
}

/** The catalogue and the caller's own. */
export const LIST_EXERCISES = sql<ExerciseRow>('ownExercises.list')`
  select
    e.id,
    e.version,
    e.name,
    e.targetmuscle as muscle,
    e.specifictargetmuscle as specific_muscle,
    e.measure,
    e.equipment,
    e.secondary_muscles,
    e.description,
    e.owner_id is not null as is_own,
    e.archived_at is not null as is_archived
  from exercises e
  order by lower(e.name), e.id`;

export const FIND_OWN = sql<ExerciseRow>('ownExercises.findOwn')`
  select
    e.id,
    e.version,
    e.name,
    e.targetmuscle as muscle,
    e.specifictargetmuscle as specific_muscle,
    e.measure,
    e.equipment,
    e.secondary_muscles,
    e.description,
    e.owner_id is not null as is_own,
    e.archived_at is not null as is_archived
  from exercises e
  where e.id = $1
    and e.owner_id = app.user_id()`;

export const COUNT_OWN = sql<{ number: number }>('ownExercises.count')`
  select count(*) as number
  from exercises e
  where e.owner_id = app.user_id()`;

/** $1: name, $2: muscle, $3: specific muscle, $4: measure, $5: equipment, $6: secondary muscles, $7: description. */
export const CREATE_OWN = sql<{ id: number }>('ownExercises.create')`
  insert into exercises (
    owner_id, name, targetmuscle, specifictargetmuscle, measure, equipment, secondary_muscles, description
  )
  values (app.user_id(), $1, $2, $3, $4, $5, $6, $7)
  returning id`;

/** $1 to $7 as above, $8: whether it is archived, $9: id. */
export const CHANGE_OWN = sql('ownExercises.change')`
  update exercises e
  set name = $1,
      targetmuscle = $2,
      specifictargetmuscle = $3,
      measure = $4,
      equipment = $5,
      secondary_muscles = $6,
      description = $7,
      archived_at = case when $8 then coalesce(e.archived_at, now()) end,
      version = e.version + 1
  where e.id = $9
    and e.owner_id = app.user_id()`;

/** Which sets of exercise $1 count for records may have changed. */
export const RECOMPUTE_RECORDS = sql('ownExercises.recomputeRecords')`
  select app.recompute_own_records($1)`;

/** `deleted`, `archived`, or null: not the caller's. */
export const REMOVE_OWN = sql<{ outcome: string | null }>('ownExercises.remove')`
  select app.remove_own_exercise($1) as outcome`;
