import { sql } from '#platform/postgres/query.ts';

export interface ExerciseRow {
  id: number;
  name: string;
  targetmuscle: string;
  specifictargetmuscle: string;
}

export const LIST_EXERCISES = sql<ExerciseRow>('exercises.list')`
  select e.id, e.name, e.targetmuscle, e.specifictargetmuscle
  from exercises e
  where e.archived_at is null`;
