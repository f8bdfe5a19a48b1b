import { kindOf, type Layout, some } from './layout.ts';
import type { Line } from './line.ts';
import { later, timeOn } from './times.ts';
import { BadLine, type FileSet, NO_SET } from './training.ts';

// Files with a row a set, and nothing that tells more than these fields do.

const NUMBERS = ['weight', 'reps', 'distance', 'seconds', 'rpe'];

/** A set of the fields that it has. @throws BadLine */
const setOf = (line: Line, kind: FileSet['kind']): FileSet => ({
  ...NO_SET,
  kind,
  ...line.load(line.has('unit') ? 'kg' : undefined),
  reps: some(line.whole('reps')),
  seconds: some(line.seconds('seconds')),
  distanceM: line.metres(line.has('distanceUnit') ? 'km' : undefined),
  rpe: some(line.number('rpe')),
});

/** @throws BadLine */
function nameOf(line: Line): string {
  const name = line.text('exercise');
  if (name === '') throw new BadLine('no-exercise');
  return name;
}

/** A day is a workout. */
export const fitnotes: Layout = {
  source: 'fitnotes',
  headers: {
    date: ['date'],
    exercise: ['exercise'],
    category: ['category'],
    weight: ['weight'],
    unit: ['weight unit'],
    reps: ['reps'],
    distance: ['distance'],
    distanceUnit: ['distance unit'],
    seconds: ['time'],
    notes: ['comment', 'notes'],
    kind: ['kind'],
  },
  needs: ['date', 'exercise', 'category', 'reps'],
  numbers: NUMBERS,
  dates: ['date'],
  mayHoldCommas: 'exercise',
  read(line, workouts) {
    const [startedAt, name] = [line.date('date'), nameOf(line)];
    const set = setOf(line, kindOf(line.text('kind')));
    const workout = workouts.at(startedAt, '', startedAt, null);
    workout.add(name, [set], { notes: line.text('notes') });
    workouts.categorize(name, line.text('category'));
  },
};

export const fitbod: Layout = {
  source: 'fitbod',
  headers: {
    date: ['date'],
    exercise: ['exercise'],
    reps: ['reps'],
    weight: ['weight'],
    seconds: ['duration'],
    distance: ['distance'],
    warmup: ['iswarmup'],
    notes: ['note'],
  },
  needs: ['date', 'exercise', 'warmup'],
  numbers: NUMBERS,
  dates: ['date'],
  read(line, workouts) {
    const [startedAt, name] = [line.date('date'), nameOf(line)];
    const set = setOf(line, /^(true|1|yes)$/i.test(line.text('warmup')) ? 'warmup' : 'normal');
    workouts.at(startedAt, '', startedAt, null).add(name, [set], { notes: line.text('notes') });
  },
};

export const liftlog: Layout = {
  source: 'liftlog',
  headers: {
    session: ['sessionid'],
    date: ['timestamp'],
    exercise: ['exercise'],
    weight: ['weight'],
    unit: ['weightunit'],
    reps: ['reps'],
    notes: ['notes'],
  },
  needs: ['session', 'date', 'exercise'],
  numbers: NUMBERS,
  dates: ['date'],
  isNewestFirst: true,
  read(line, workouts) {
    const [startedAt, name] = [line.date('date'), nameOf(line)];
    const workout = workouts.at(line.text('session'), '', startedAt, null);
    workout.add(name, [setOf(line, 'normal')], { notes: line.text('notes') });
    workout.lastUntil(startedAt);
  },
};

/** What a person can say of the columns of any other file. */
export const COLUMN_FIELDS = [
  ...(['date', 'time', 'title', 'exercise', 'weight', 'unit', 'reps', 'seconds', 'distance', 'distanceUnit'] as const),
  ...(['notes', 'kind', 'rpe', 'duration'] as const),
] as const;
export type ColumnField = (typeof COLUMN_FIELDS)[number];

/** A file whose columns a person named. @param columns field → header, as it stands in the file */
export const byColumns = (columns: ReadonlyMap<ColumnField, string>): Layout => ({
  source: 'columns',
  headers: Object.fromEntries([...columns].map(([field, header]) => [field, [header]])),
  needs: [...columns.keys()],
  numbers: NUMBERS,
  dates: ['date'],
  read(line, workouts) {
    const [day, name, title] = [line.date('date'), nameOf(line), line.text('title')];
    const time = line.text('time');
    const startedAt = time === '' ? day : timeOn(day, time);
    const set = setOf(line, kindOf(line.text('kind')));
    const lasted = line.seconds('duration');
    const endedAt = lasted === null ? null : later(startedAt, lasted);
    const workout = workouts.at(JSON.stringify([startedAt, title]), title, startedAt, endedAt);
    if (lasted !== null) workout.last(lasted);
    workout.add(name, [set], { notes: line.text('notes') });
  },
});
