import { sql } from '#platform/postgres/query.ts';

export interface ExerciseRow {
  id: number;
  name: string;
  targetmuscle: string;
  specifictargetmuscle: string;
}

/** An exercise whose muscle nobody has said, of an import, has no place among the muscles of the app. */
export const LIST_EXERCISES = sql<ExerciseRow>('exercises.list')`
  select
    e.id,
    e.name,
    e.targetmuscle,
    app.pictured_muscle(e.targetmuscle, e.specifictargetmuscle) as specifictargetmuscle
  from exercises e
  where e.archived_at is null
    and e.targetmuscle <> 'Other'`;
