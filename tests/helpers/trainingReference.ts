// What behaviour 4.1 to 4.5 say, computed plainly from a list of workouts: the tests compare the server with it.

interface DoneExercise {
  exercise: string;
  weight: number[];
  reps: number[];
}

export interface DoneWorkout {
  start: Date;
  split: string;
  exercises: DoneExercise[];
}

/** Split → exercise → planned reps a set; the order is the plan's. */
export type ReferencePlan = Record<string, Record<string, number[]>>;

const DAY_MS = 86_400_000;

export const localDay = (instant: Date, zone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(instant);

const newestFirst = (a: { start: Date }, b: { start: Date }) => b.start.getTime() - a.start.getTime();

/** Contract 4.1, without the record. */
export function referenceStatistics(workouts: DoneWorkout[], zone: string) {
  const bySplit = Map.groupBy(workouts.toSorted(newestFirst), (workout) => workout.split);
  // Newest first and stable: a tie goes to the split trained last.
  const [most] = [...bySplit].toSorted(([, a], [, b]) => b.length - a.length);
  const latest = workouts.toSorted(newestFirst)[0];
  return {
    unique_days: workouts.length,
    most_frequent_split: most?.[0] ?? null,
    most_frequent_split_days: most?.[1].length ?? null,
    lastWorkoutDate: latest ? localDay(latest.start, zone) : null,
    splitDaysByName: Object.fromEntries([...bySplit].map(([name, done]) => [name, done.length])),
  };
}

interface ReferenceRow extends DoneExercise {
  workoutdate: string;
  splitname: string;
  order_index: number;
}

/** Contract 4.2: which rows stand where, in which order. */
export function referenceMaps(workouts: DoneWorkout[], plan: ReferencePlan, zone: string, now: Date) {
  const recent = workouts.filter(
    ({ start }) => start.getTime() >= now.getTime() - 45 * DAY_MS && start.getTime() < now.getTime() + DAY_MS,
  );
  const rows = recent.flatMap(({ start, split, exercises }) =>
    exercises.map((done) => ({
      start,
      row: {
        ...done,
        workoutdate: localDay(start, zone),
        splitname: split,
        order_index: Object.keys(plan[split] ?? {}).indexOf(done.exercise),
      } satisfies ReferenceRow,
    })),
  );
  const grouped = (entries: typeof rows, key: (row: ReferenceRow) => string) =>
    Object.fromEntries(
      [...Map.groupBy(entries, ({ row }) => key(row))].map(([name, members]) => [name, members.map(({ row }) => row)]),
    );
  const byIndex = (a: (typeof rows)[number], b: (typeof rows)[number]) => a.row.order_index - b.row.order_index;
  return {
    byDate: grouped(
      rows.toSorted((a, b) => byIndex(a, b) || newestFirst(b, a)),
      (row) => row.workoutdate,
    ),
    byExercise: grouped(rows.toSorted(newestFirst), (row) => row.exercise),
    bySplitName: grouped(
      rows.toSorted((a, b) => newestFirst(a, b) || byIndex(a, b)),
      (row) => row.splitname,
    ),
  };
}

/** Contract 4.3: the record of each exercise. */
export function referenceRecords(workouts: DoneWorkout[]): Map<string, { weight: number; reps: number; start: Date }> {
  const sets = workouts.flatMap(({ start, exercises }) =>
    exercises.flatMap(({ exercise, weight, reps }) =>
      weight.map((kilograms, n) => ({ exercise, weight: kilograms, reps: reps[n] ?? 0, start })),
    ),
  );
  const best = sets
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight || b.reps - a.reps || newestFirst(a, b));
  return new Map(
    [...Map.groupBy(best, ({ exercise }) => exercise)].flatMap(([name, [set]]) => (set ? [[name, set]] : [])),
  );
}

/** Contract 4.1: the best of the records; without one the best set, if no workout was removed. */
export function referenceBest(workouts: DoneWorkout[], zone: string) {
  const records = [...referenceRecords(workouts)].map(([exercise, record]) => ({ exercise, ...record }));
  const sets = workouts.flatMap(({ start, exercises }) =>
    exercises.flatMap(({ exercise, weight, reps }) =>
      weight.map((kilograms, n) => ({ exercise, weight: kilograms, reps: reps[n] ?? 0, start })),
    ),
  );
  const [best] = (records.length > 0 ? records : sets).toSorted(
    (a, b) => b.weight - a.weight || b.reps - a.reps || newestFirst(a, b) || (a.exercise < b.exercise ? -1 : 1),
  );
  if (!best) return null;
  const { exercise, weight, reps, start } = best;
  return { exercise, weight, reps, workout_time_utc: localDay(start, zone) };
}

/** Contract 4.4 in whole numbers: `numerator / denominator` kilograms. */
function oneRepMax(weight: number, reps: number): [numerator: bigint, denominator: bigint] | undefined {
  const grams = BigInt(Math.round(weight * 1000));
  const r = BigInt(reps);
  if (grams <= 0n || reps < 1 || reps > 12) return undefined;
  if (reps === 1) return [grams, 1000n];
  if (reps <= 5) return [grams * (10_000n + 333n * r), 10_000_000n];
  if (reps <= 10) return [grams * 36n, 1000n * (37n - r)];
  return [grams * (1000n + 25n * r), 1_000_000n];
}

/** The best estimate of each exercise that has one, rounded half away from zero to a tenth of a kilogram. */
export function referenceOneRepMaxima(workouts: DoneWorkout[]): Map<string, number> {
  const best = new Map<string, [bigint, bigint]>();
  for (const { exercise, weight, reps } of workouts.flatMap((workout) => workout.exercises)) {
    for (const [n, kilograms] of weight.entries()) {
      const estimate = oneRepMax(kilograms, reps[n] ?? 0);
      const known = best.get(exercise);
      if (estimate && (!known || estimate[0] * known[1] > known[0] * estimate[1])) best.set(exercise, estimate);
    }
  }
  return new Map([...best].map(([name, [top, bottom]]) => [name, Number((20n * top + bottom) / (2n * bottom)) / 10]));
}

/** Contract 4.5 for a plan whose every row is active. */
export function referenceGoals(workouts: DoneWorkout[], plan: ReferencePlan) {
  const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0);
  const goals: Record<string, Record<string, { planned: number; actual: number }>> = {};
  for (const [split, exercises] of Object.entries(plan)) {
    for (const [exercise, planned] of Object.entries(exercises)) {
      const done = workouts
        .filter((workout) => workout.split === split)
        .flatMap((workout) => workout.exercises.filter((row) => row.exercise === exercise));
      if (done.length === 0) continue;
      const actual = sum(done.map((row) => sum(row.reps))) / done.length;
      goals[split] = { ...goals[split], [exercise]: { planned: sum(planned), actual } };
    }
  }
  return goals;
}
