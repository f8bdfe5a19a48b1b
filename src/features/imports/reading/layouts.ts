import { clock, dateTime, dateWithMonth, duration, later, timeOn } from './times.ts';
import { BadLine, type FileSet, KG_PER_LB, type Line, OpenWorkout, type Question, type Unit } from './training.ts';

/** What a program's files look like: which header means what, and how a line becomes sets. */
export interface Layout {
  source: string;
  /** Field → how its header is written, in lower case; the first that is there counts. */
  headers: Readonly<Record<string, readonly string[]>>;
  /** Fields without which it is another program's file. */
  needs: readonly string[];
  /** Fields whose cells are numbers: they tell what a comma means. */
  numbers: readonly string[];
  /** Field in which unquoted commas may stand, so that a line has cells too many. */
  mayHoldCommas?: string;
  begin(file: FileFacts): Interpreter;
}

/** What is known of a file before its lines are read. */
export interface FileFacts {
  /** Headers in lower case. */
  headers: string[];
  /** What the person said of weights without a unit, or of kilograms that look like pounds. */
  unit: Unit | undefined;
}

/** Reads the lines of one file. */
interface Interpreter {
  /** @throws BadLine */
  read(line: Line<string>, workouts: Workouts): void;
  questions(): Question[];
  /** Whether its kilograms were entered in pounds. */
  looksLikePounds?(): boolean;
}

/** The workouts of a file by what tells them apart. */
interface Workouts {
  /** The one with this key, or a new one. */
  at(key: string, make: () => OpenWorkout): OpenWorkout;
}

const METRES: Record<string, number> = {
  ...{ m: 1, meter: 1, meters: 1, metres: 1, km: 1000, kilometers: 1000 },
  ...{ mi: 1609.344, mile: 1609.344, miles: 1609.344, ft: 0.3048, yd: 0.9144, cm: 0.01 },
};
const UNITS: Record<string, Unit> = { kg: 'kg', kgs: 'kg', lb: 'lb', lbs: 'lb' };

/** In metres, to the millimetre; 0 is none. */
function metres(distance: number | null, unit: string): number | null {
  if (distance === null || distance === 0) return null;
  const factor = METRES[unit.toLowerCase()];
  if (factor === undefined) throw new BadLine('number');
  return Math.round(distance * factor * 1000) / 1000;
}

/** A weight with its unit; 0 is none. */
const load = (weight: string | null, unit: Unit | null) =>
  weight === null || Number(weight) === 0 ? { weight: null, unit: null } : { weight, unit };

/** 0 is none, as programs write that have no empty cells. */
const some = (value: number | null): number | null => value || null;

/** Whole numbers only, also as `10.0`. @throws BadLine */
function whole(value: number | null): number | null {
  if (value !== null && !Number.isInteger(value)) throw new BadLine('number');
  return value;
}

const NO_SET: FileSet = {
  kind: 'normal',
  weight: null,
  unit: null,
  reps: null,
  seconds: null,
  distanceM: null,
  rpe: null,
  restSec: null,
};

/** Whether a weight is a whole number of quarters. */
const isClean = (weight: number): boolean => Math.abs(weight * 4 - Math.round(weight * 4)) < 0.002;

// ---------------------------------------------------------------------------

const STRONG_KINDS: Record<string, FileSet['kind']> = {
  ...{ w: 'warmup', warm_up: 'warmup', f: 'failure', failure: 'failure', d: 'drop', drop_set: 'drop' },
};
const REST_ROWS = ['rest timer', 'ruhezeit'];
const NOTE_ROWS = ['note', 'notiz'];

const strong: Layout = {
  source: 'strong',
  headers: {
    number: ['workout #'],
    date: ['date', 'datum'],
    title: ['workout name', 'workout-name'],
    duration: ['duration', 'dauer', 'workout duration', 'duration (sec)'],
    exercise: ['exercise name', 'name der übung'],
    order: ['set order', 'reihenfolge festlegen'],
    weight: ['weight', 'gewicht', 'weight (kg)', 'weight (lbs)'],
    unit: ['weight unit'],
    reps: ['reps', 'wiederh.'],
    distance: ['distance', 'entfernung', 'distance (meters)'],
    distanceUnit: ['distance unit'],
    seconds: ['seconds', 'sekunden'],
    notes: ['notes', 'notizen'],
    workoutNotes: ['workout notes', 'workout-notizen'],
    rpe: ['rpe'],
  },
  needs: ['date', 'title', 'exercise', 'order'],
  numbers: ['weight', 'reps', 'distance', 'seconds', 'rpe'],
  begin({ headers, unit: answer }) {
    const unitOfHeader = headers.includes('weight (kg)') ? 'kg' : headers.includes('weight (lbs)') ? 'lb' : undefined;
    const namesUnit = unitOfHeader !== undefined || headers.includes('weight unit');
    const metresOfHeader = headers.includes('distance (meters)') ? 'm' : undefined;
    const kilograms: number[] = [];
    let [asksUnit, sawPounds] = [false, false];
    const inPounds = () =>
      kilograms.length > 0 && kilograms.every((kg) => isClean(kg / KG_PER_LB)) && !kilograms.every(isClean);
    return {
      read(line, workouts) {
        const [startedAt, title, name] = [dateTime(line.text('date')), line.text('title'), line.text('exercise')];
        if (name === '') throw new BadLine('no-exercise');
        const order = line.text('order').toLowerCase();
        const weight = line.decimal('weight');
        const unitOfRow = line.has('unit') ? UNITS[line.text('unit').toLowerCase()] : undefined;
        const unit = unitOfHeader ?? unitOfRow ?? (namesUnit ? 'kg' : (answer ?? null));
        const distanceUnit =
          metresOfHeader ??
          (line.has('distanceUnit') ? line.text('distanceUnit') || 'm' : answer === 'lb' ? 'mi' : 'km');
        const set: FileSet = {
          ...NO_SET,
          kind: STRONG_KINDS[order] ?? 'normal',
          ...load(weight, unit),
          reps: some(whole(line.number('reps'))),
          seconds: some(whole(line.number('seconds'))),
          distanceM: metres(line.number('distance'), distanceUnit),
          rpe: some(line.number('rpe')),
        };
        const seconds = duration(line.text('duration'));
        const key = JSON.stringify([line.text('number'), startedAt, title]);
        const endedAt = seconds === undefined ? null : later(startedAt, seconds);
        const workout = workouts.at(key, () => new OpenWorkout(title, startedAt, endedAt));
        workout.note(line.text('workoutNotes'));
        if (REST_ROWS.includes(order)) return workout.rest(set.seconds);
        if (NOTE_ROWS.includes(order)) return workout.noteOnExercise(name, line.text('notes'));
        if (!namesUnit && (set.weight !== null || set.distanceM !== null)) asksUnit = true;
        if (set.weight !== null && unit === 'kg' && namesUnit) kilograms.push(Number(set.weight));
        if (set.unit === 'lb') sawPounds = true;
        const index = /^\d+$/.test(order) ? Number(order) : undefined;
        workout.add(name, [set], { index, notes: line.text('notes') });
      },
      looksLikePounds: inPounds,
      questions: () => [
        ...(asksUnit && answer === undefined ? (['unit'] as const) : []),
        ...(answer === undefined && !(sawPounds && namesUnit && unitOfHeader !== undefined) && inPounds()
          ? (['unit-pounds'] as const)
          : []),
      ],
    };
  },
};

const HEVY_KINDS: Record<string, FileSet['kind']> = {
  ...{ normal: 'normal', warmup: 'warmup', failure: 'failure', dropset: 'drop' },
};

const hevy: Layout = {
  source: 'hevy',
  headers: {
    title: ['title'],
    start: ['start_time'],
    end: ['end_time'],
    description: ['description'],
    exercise: ['exercise_title'],
    superset: ['superset_id'],
    notes: ['exercise_notes'],
    index: ['set_index'],
    type: ['set_type'],
    weight: ['weight_kg', 'weight_lbs'],
    reps: ['reps'],
    distance: ['distance_km', 'distance_miles', 'distance_meters'],
    seconds: ['duration_seconds'],
    rpe: ['rpe'],
  },
  needs: ['title', 'start', 'exercise', 'index'],
  numbers: ['weight', 'reps', 'distance', 'seconds', 'rpe'],
  begin({ headers }) {
    const unit: Unit = headers.includes('weight_lbs') ? 'lb' : 'kg';
    const length = ['miles', 'meters'].find((name) => headers.includes(`distance_${name}`)) ?? 'km';
    return {
      read(line, workouts) {
        const [title, startedAt, name] = [line.text('title'), dateWithMonth(line.text('start')), line.text('exercise')];
        const endedAt = line.text('end') === '' ? null : dateWithMonth(line.text('end'));
        if (name === '') throw new BadLine('no-exercise');
        const set: FileSet = {
          ...NO_SET,
          kind: HEVY_KINDS[line.text('type').toLowerCase()] ?? 'normal',
          ...load(line.decimal('weight'), unit),
          reps: whole(line.number('reps')),
          seconds: whole(line.number('seconds')),
          distanceM: metres(line.number('distance'), length),
          rpe: line.number('rpe'),
        };
        const [index, superset] = [line.number('index'), line.number('superset')];
        const workout = workouts.at(
          JSON.stringify([startedAt, title]),
          () => new OpenWorkout(title, startedAt, endedAt),
        );
        workout.note(line.text('description'));
        workout.add(name, [set], { index: index ?? undefined, superset, notes: line.text('notes') });
      },
      questions: () => [],
    };
  },
};

const fitnotes: Layout = {
  source: 'fitnotes',
  headers: {
    date: ['date'],
    exercise: ['exercise'],
    category: ['category'],
    weight: ['weight'],
    unit: ['weight unit'],
    kg: ['weight (kg)', 'weight (kgs)'],
    lb: ['weight (lbs)', 'weight (lb)'],
    reps: ['reps'],
    distance: ['distance'],
    distanceUnit: ['distance unit'],
    time: ['time'],
    notes: ['comment', 'notes'],
  },
  needs: ['date', 'exercise', 'category', 'reps'],
  numbers: ['weight', 'kg', 'lb', 'reps', 'distance'],
  mayHoldCommas: 'exercise',
  begin: () => ({
    read(line, workouts) {
      const [startedAt, name] = [dateTime(line.text('date')), line.text('exercise')];
      if (name === '') throw new BadLine('no-exercise');
      const set: FileSet = {
        ...NO_SET,
        ...fitnotesLoad(line),
        reps: some(whole(line.number('reps'))),
        seconds: clock(line.text('time')),
        distanceM: metres(line.number('distance'), line.text('distanceUnit') || 'km'),
      };
      workouts
        .at(startedAt, () => new OpenWorkout('', startedAt, null))
        .add(name, [set], { notes: line.text('notes') });
    },
    questions: () => [],
  }),
};

/** The unit is the row's or the header's; where both are filled, the one that is clean was entered. */
function fitnotesLoad(line: Line<string>) {
  if (line.has('weight')) {
    return load(line.decimal('weight'), UNITS[line.text('unit').toLowerCase()] ?? 'kg');
  }
  const [kg, lb] = [line.decimal('kg'), line.decimal('lb')];
  const wasPounds = kg === null || (lb !== null && !isClean(Number(kg)) && isClean(Number(lb)));
  return wasPounds ? load(lb, 'lb') : load(kg, 'kg');
}

const MOST_STRONGLIFTS_SETS = 30;
const setNumbers = Array.from({ length: MOST_STRONGLIFTS_SETS }, (_, n) => n + 1);

const stronglifts: Layout = {
  source: 'stronglifts',
  headers: {
    date: ['date (yyyy/mm/dd)'],
    number: ['workout'],
    name: ['workout name'],
    exercise: ['exercise'],
    duration: ['duration (hours)'],
    start: ['start time (h:mm)'],
    end: ['end time (h:mm)'],
    notes: ['notes'],
    ...Object.fromEntries(
      setNumbers.flatMap((n) => [
        [`reps ${n}`, [`set ${n} (reps)`]],
        [`weight ${n}`, [`set ${n} (kg)`, `set ${n} (lb)`]],
      ]),
    ),
  },
  needs: ['date', 'number', 'exercise', 'reps 1', 'weight 1'],
  numbers: ['duration', ...setNumbers.flatMap((n) => [`reps ${n}`, `weight ${n}`])],
  begin({ headers }) {
    const unit: Unit = headers.includes('set 1 (lb)') ? 'lb' : 'kg';
    return {
      read(line, workouts) {
        const day = dateTime(line.text('date'));
        const name = line.text('exercise');
        if (name === '') throw new BadLine('no-exercise');
        const sets = setNumbers.flatMap((n) => {
          const [reps, weight] = [whole(line.number(`reps ${n}`)), line.decimal(`weight ${n}`)];
          const carried = load(weight, unit);
          if (reps === null || (reps === 0 && carried.weight === null)) return [];
          return [{ ...NO_SET, ...carried, reps }];
        });
        const title = line.text('name') || line.text('number');
        const [start, end] = [line.text('start'), line.text('end')];
        const startedAt = start === '' ? day : timeOn(day, start);
        const hours = line.number('duration');
        let endedAt = null;
        if (start !== '' && end !== '') {
          endedAt = timeOn(day, end);
          if (endedAt < startedAt) endedAt = later(endedAt, 86_400);
        } else if (start !== '' && hours !== null) endedAt = later(startedAt, Math.round(hours * 3600));
        const key = JSON.stringify([day, line.text('number'), title]);
        const workout = workouts.at(key, () => new OpenWorkout(title, startedAt, endedAt));
        workout.note(line.text('notes'));
        workout.add(name, sets, { notes: '', isEntry: true });
      },
      questions: () => [],
    };
  },
};

/** In the order in which they are tried. */
export const LAYOUTS: readonly Layout[] = [hevy, stronglifts, strong, fitnotes];
