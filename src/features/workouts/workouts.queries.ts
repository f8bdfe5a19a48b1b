import { sql } from '#platform/postgres/query.ts';

/** One row for each active exercise of each active split; a split or plan without any has one row with nulls. */
export interface PlanRow {
  plan_id: number;
  plan_name: string;
  numberofsplits: number;
  plan_created_at: Date;
  is_deleted: boolean;
  level: string;
  user_id: string;
  trainer_id: string | null;
  updated_at: string;
  split_id: number | null;
  split_name: string;
  split_created_at: Date;
  muscle_group: string | null;
  ets_id: number | null;
  exercise_id: number;
  sets: number[];
  order_index: number;
  exercise: string;
  targetmuscle: string;
  specifictargetmuscle: string;
}

/** $1: user, $2: zone. */
export const FIND_ACTIVE_PLAN = sql<PlanRow>('workouts.findActivePlan')`
  select
    p.id as plan_id,
    p.name as plan_name,
    p.numberofsplits,
    p.created_at as plan_created_at,
    p.is_deleted,
    p.level,
    p.user_id,
    p.trainer_id,
    app.local_timestamp(p.updated_at, $2) as updated_at,
    s.id as split_id,
    s.name as split_name,
    s.created_at as split_created_at,
    s.muscle_group,
    ets.id as ets_id,
    ets.exercise_id,
    ets.sets,
    ets.order_index,
    e.name as exercise,
    e.targetmuscle,
    app.pictured_muscle(e.targetmuscle, e.specifictargetmuscle) as specifictargetmuscle
  from workoutplans p
  left join workoutsplits s on s.workout_id = p.id and s.is_active
  left join exercisetoworkoutsplit ets on ets.workoutsplit_id = s.id and ets.is_active
  left join exercises e on e.id = ets.exercise_id
  where p.user_id = $1
    and p.is_active
  order by s.id, ets.order_index, ets.id`;

/** A transaction's number: another one with each change of the plan, or of what its exercises are called. */
export const FIND_PLAN_VERSION = sql<{ version: number }>('workouts.findPlanVersion')`
  select u.plan_version as version
  from users u
  where u.id = $1`;

/** $1: user, $2: name or null to keep it, $3: number of splits. */
export const SAVE_PLAN = sql<{ id: number }>('workouts.savePlan')`
  insert into workoutplans as p (user_id, trainer_id, name, numberofsplits)
  values ($1, $1, coalesce($2, 'My Workout'), $3)
  on conflict (user_id) where is_active do update
    set name = coalesce($2, p.name),
        numberofsplits = excluded.numberofsplits,
        trainer_id = excluded.user_id,
        updated_at = now()
  returning p.id`;

/** $1: plan, $2: split names in the order of the request. */
export const SAVE_SPLITS = sql('workouts.saveSplits')`
  insert into workoutsplits as s (workout_id, name)
  select $1, wanted.name
  from unnest($2::text[]) with ordinality as wanted (name, position)
  order by wanted.position
  on conflict (workout_id, name) do update
    set is_active = true
    where not s.is_active`;

export const DEACTIVATE_OTHER_SPLITS = sql('workouts.deactivateOtherSplits')`
  update workoutsplits s
  set is_active = false
  where s.workout_id = $1
    and s.is_active
    and s.name <> all ($2::text[])`;

/** A trigger writes `muscle_group` of the splits. $1: plan, $2: JSON list of split, exercise_id, sets, order_index. */
export const SAVE_EXERCISES = sql('workouts.saveExercises')`
  insert into exercisetoworkoutsplit as ets (workoutsplit_id, exercise_id, sets, order_index)
  select s.id, wanted.exercise_id, wanted.sets, wanted.order_index
  from jsonb_to_recordset($2::jsonb) as wanted (split text, exercise_id bigint, sets bigint[], order_index bigint)
  join workoutsplits s on s.workout_id = $1 and s.name = wanted.split
  order by s.id, wanted.order_index
  on conflict (workoutsplit_id, exercise_id) do update
    set sets = excluded.sets,
        order_index = excluded.order_index,
        is_active = true
    where (ets.sets, ets.order_index, ets.is_active) is distinct from (excluded.sets, excluded.order_index, true)`;

/** A trigger writes `muscle_group` of the splits. */
export const DEACTIVATE_OTHER_EXERCISES = sql('workouts.deactivateOtherExercises')`
  update exercisetoworkoutsplit ets
  set is_active = false
  from workoutsplits s
  where s.id = ets.workoutsplit_id
    and s.workout_id = $1
    and ets.is_active
    and not exists (
      select
      from jsonb_to_recordset($2::jsonb) as wanted (split text, exercise_id bigint)
      where wanted.split = s.name
        and wanted.exercise_id = ets.exercise_id
    )`;

/** $1: user, $2: exercise-to-split ids. Deactivated rows count: a plan may be edited during training. */
export const FIND_OWN_EXERCISES = sql<{ id: number; workoutsplit_id: number }>('workouts.findOwnExercises')`
  select ets.id, ets.workoutsplit_id
  from exercisetoworkoutsplit ets
  join workoutsplits s on s.id = ets.workoutsplit_id
  join workoutplans p on p.id = s.workout_id
  where ets.id = any ($2::bigint[])
    and p.user_id = $1`;

/** Exercise-to-split ids of $1 and what their exercises are called. */
export const FIND_EXERCISE_NAMES = sql<{ id: number; name: string }>('workouts.findExerciseNames')`
  select ets.id, e.name
  from exercisetoworkoutsplit ets
  join exercises e on e.id = ets.exercise_id
  where ets.id = any ($1::bigint[])`;

/** Two exercises with the same `name_key` have one name to the app. */
export const FIND_CATALOGUE_NAMES = sql<{ id: number; name: string; name_key: string }>('workouts.findCatalogueNames')`
  select e.id, e.name, app.name_key(e.name) as name_key
  from exercises e
  where e.id = any ($1::bigint[])`;

/**
 * Makes room for a finished workout, without sets yet. $1: split, $2: start, $3: end, $4: its exercises as JSON. `created`;
 * `replaced`, with the exercises that the stored workout had; `unchanged`: the last finish with this start said the same, or
 * ended later.
 */
export const BEGIN_FINISH = sql<{
  outcome: string;
  summary_id: string | null;
  exercise_ids: number[];
}>('workouts.beginFinish')`
  select f.outcome, f.summary_id, f.exercise_ids
  from app.begin_finish($1, $2, $3, $4) f`;

/**
 * A trigger raises the records that these sets beat. $1: summary, $2: JSON list of exercisetosplit_id, weight, reps and
 * notes, in the order of the request.
 */
export const SAVE_SETS = sql('workouts.saveSets')`
  insert into exercisetracking (workout_summary_id, exercisetosplit_id, weight, reps, notes)
  select $1, done.exercisetosplit_id, done.weight, done.reps, done.notes
  from rows from (
    jsonb_to_recordset($2::jsonb) as (exercisetosplit_id bigint, weight real[], reps bigint[], notes text)
  ) with ordinality as done (exercisetosplit_id, weight, reps, notes, position)
  order by done.position`;

/** After the new sets: recomputes the records of the exercises that were and that are in the workout. */
export const FINISH_REPLACEMENT = sql('workouts.finishReplacement')`
  select app.finish_replacement($1, $2)`;

/** Writes finished workout $1 into the person's log; $2: its zone. */
export const LOG_FINISHED = sql('workouts.logFinished')`
  select app.log_finished_workout($1, $2)`;

/** How much of $1 is stored in all, also outside the window of 45 days. */
export const COUNT_STORED = sql<{ entries: number; sets: number; note_bytes: number }>('workouts.countStored')`
  select
    count(*) as entries,
    coalesce(sum(cardinality(et.weight)), 0) as sets,
    coalesce(sum(octet_length(et.notes)), 0) as note_bytes
  from workout_summary ws
  join exercisetracking et on et.workout_summary_id = ws.id
  where ws.user_id = $1`;

/** Splits and exercises of plan $1, deactivated ones included: their history keeps them. */
export const COUNT_PLANNED = sql<{ splits: number; exercises: number }>('workouts.countPlanned')`
  select
    (select count(*) from workoutsplits s where s.workout_id = $1) as splits,
    (
      select count(*)
      from workoutsplits s
      join exercisetoworkoutsplit ets on ets.workoutsplit_id = s.id
      where s.workout_id = $1
    ) as exercises`;

export const SEND_WORKOUT_DONE = sql<{ id: string }>('workouts.sendWorkoutDone')`
  select app.send_workout_done_message() as id`;
