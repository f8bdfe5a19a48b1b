import { LONGEST_NOTE, MOST_BLOCKS, MOST_SETS } from '#training/bounds.ts';
import type { Unit } from '#training/units.ts';
import { setForm } from '#training/workout.ts';

/** A workout as a file of another program has it: names are not looked up yet, times are as they were written. */
export interface FileWorkout {
  /** Of the own format only: the id to come back under, and the zone of the workout. */
  id?: string | undefined;
  timeZone?: string | undefined;
  title: string;
  /** `YYYY-MM-DDTHH:MM:SS` on the clock on the wall, or an instant, which ends in `Z`. */
  startedAt: string;
  endedAt: string | null;
  /** Seconds from the start to the end, where the file says how long it took: a clock may change in between. */
  lasts?: number | undefined;
  notes: string;
  exercises: FileExercise[];
}

interface FileExercise {
  /** Of the own format only. */
  id?: string | undefined;
  name: string;
  notes: string;
  superset: number | null;
  sets: FileSet[];
}

export interface FileSet {
  kind: 'normal' | 'warmup' | 'drop' | 'failure';
  side?: 'left' | 'right' | null | undefined;
  doneAt?: string | null | undefined;
  /** Decimal text as it was entered. */
  weight: string | null;
  unit: Unit | null;
  reps: number | null;
  seconds: number | null;
  distanceM: number | null;
  rpe: number | null;
  restSec: number | null;
}

/**
 * What about a line keeps it out of the logbook: a cell that is missing or cannot be read (`columns`, `date`, `number`,
 * `quote`, `no-exercise`), a value that a set may not have, or more than a workout may hold (`blocks`).
 */
export type Reason =
  | 'date'
  | 'number'
  | 'columns'
  | 'no-exercise'
  | 'quote'
  | 'unit'
  | 'weight'
  | 'reps'
  | 'seconds'
  | 'distance'
  | 'rpe'
  | 'rest'
  | 'superset'
  | 'blocks'
  | 'workout';

export interface SkippedLine {
  /** In the file; 1 is the header. */
  line: number;
  reason: string;
}

/**
 * What only the person can say: `unit`, where the file names none for weights; `unit-pounds` and `unit-kilograms`, where
 * weights look as if they had been entered in the other unit; `distance-unit`, where it names none for distances;
 * `date-order`, where 3/4/2025 may be in March or April; `decimal-comma`, where 1,250 may be either.
 */
export type Question = 'unit' | 'unit-pounds' | 'unit-kilograms' | 'distance-unit' | 'date-order' | 'decimal-comma';

/** A line that is skipped. */
export class BadLine extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

export const NO_SET: FileSet = {
  kind: 'normal',
  weight: null,
  unit: null,
  reps: null,
  seconds: null,
  distanceM: null,
  rpe: null,
  restSec: null,
};

/** Field of the form → what is said of a line. */
const REASONS = new Map<PropertyKey, Reason>([
  ['weight', 'weight'],
  ['unit', 'unit'],
  ['reps', 'reps'],
  ['seconds', 'seconds'],
  ['distanceM', 'distance'],
  ['rpe', 'rpe'],
  ['restSec', 'rest'],
]);

/** The set, if the logbook would take it from anybody. @throws BadLine */
function judged(set: FileSet): FileSet {
  // A weight whose unit is asked for is judged as if it were known.
  const unit = set.weight === null ? null : (set.unit ?? 'kg');
  const result = setForm.safeParse({ ...set, unit, weight: set.weight === null ? null : Number(set.weight) });
  if (result.success) return set;
  throw new BadLine(REASONS.get(result.error.issues[0]?.path[0] ?? '') ?? 'number');
}

/** Entries of one workout, those without a set included. */
const MOST_ENTRIES = 2 * MOST_BLOCKS;

/** An exercise that sets may still be added to. */
interface OpenExercise extends FileExercise {
  lastIndex: number;
  noteList: string[];
}

/** A workout while the lines of a file come in. */
export class OpenWorkout {
  readonly title: string;
  readonly startedAt: string;
  #endedAt: string | null;
  #lasts: number | undefined;
  readonly #notes: string[] = [];
  readonly #exercises: OpenExercise[] = [];
  #lastSet: FileSet | undefined;

  constructor(title: string, startedAt: string, endedAt: string | null) {
    this.title = title;
    this.startedAt = startedAt;
    this.#endedAt = endedAt;
  }

  /** It took so many seconds. */
  last(seconds: number): void {
    this.#lasts = seconds;
  }

  /** It ends then, or later. */
  lastUntil(time: string): void {
    if (this.#endedAt === null || time > this.#endedAt) this.#endedAt = time;
  }

  note(text: string): void {
    addOnce(this.#notes, text);
  }

  /** A note on an exercise: the present one, or one that begins with it; without a text another entry begins. */
  noteOnExercise(name: string, text: string): void {
    const last = this.#exercises.at(-1);
    const goesOn = last?.name === name && text !== '';
    addOnce((goesOn ? last : this.#begin(name, null)).noteList, text);
  }

  /**
   * @param index where it counts the sets of an exercise: one that is not greater than the last begins another entry
   * @param isEntry it is an entry of its own, whatever came before
   * @throws BadLine
   */
  add(
    name: string,
    sets: FileSet[],
    more: { index?: number | undefined; superset?: number | null; notes: string; isEntry?: boolean },
  ): void {
    const { index, superset = null, notes, isEntry } = more;
    if (superset !== null && !(Number.isInteger(superset) && superset <= 1_000)) throw new BadLine('superset');
    const last = this.#exercises.at(-1);
    const goesOn =
      last !== undefined && !isEntry && last.name === name && !(index !== undefined && index <= last.lastIndex);
    this.#assertRoom(goesOn ? last.sets.length : 0, sets.length);
    const good = sets.map(judged);
    const exercise = goesOn ? last : this.#begin(name, superset);
    if (index !== undefined) exercise.lastIndex = index;
    exercise.superset ??= superset;
    exercise.sets.push(...good);
    addOnce(exercise.noteList, notes);
    this.#lastSet = good.at(-1) ?? this.#lastSet;
  }

  /** The rest after the set before; without one it is nobody's. @throws BadLine */
  rest(seconds: number | null): void {
    if (this.#lastSet) Object.assign(this.#lastSet, judged({ ...this.#lastSet, restSec: seconds }));
  }

  /** Changes the sets in place: what they say is understood only when the whole file was read. */
  revise(change: (set: FileSet) => void): void {
    for (const { sets } of this.#exercises) sets.forEach(change);
  }

  /** A workout holds so many blocks of so many sets. @throws BadLine */
  #assertRoom(before: number, added: number): void {
    const blocks = this.#exercises.reduce((sum, { sets }) => sum + blocksFor(sets.length), 0);
    if (blocks - blocksFor(before) + blocksFor(before + added) > MOST_BLOCKS) throw new BadLine('blocks');
  }

  /** @throws BadLine */
  #begin(name: string, superset: number | null): OpenExercise {
    if (this.#exercises.length >= MOST_ENTRIES) throw new BadLine('blocks');
    const exercise: OpenExercise = {
      name,
      notes: '',
      superset,
      sets: [],
      lastIndex: Number.NEGATIVE_INFINITY,
      noteList: [],
    };
    this.#exercises.push(exercise);
    return exercise;
  }

  /** Undefined: no line of it was good. */
  closed(): FileWorkout | undefined {
    const exercises = this.#exercises.flatMap(({ name, superset, sets, noteList }) =>
      sets.length > 0 ? [{ name, notes: noteList.join('\n'), superset, sets }] : [],
    );
    if (exercises.length === 0) return undefined;
    const { title, startedAt } = this;
    const lasts = this.#lasts === undefined ? {} : { lasts: this.#lasts };
    return { title, startedAt, endedAt: this.#endedAt, ...lasts, notes: this.#notes.join('\n'), exercises };
  }
}

const blocksFor = (sets: number): number => Math.ceil(sets / MOST_SETS);

/** Notes of many lines are kept once each, and no more than the logbook keeps. */
function addOnce(list: string[], text: string): void {
  if (text !== '' && list.length < LONGEST_NOTE && !list.includes(text)) list.push(text);
}
