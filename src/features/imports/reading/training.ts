/** A workout as a file of another program has it: names are not looked up yet, times are local, as they were written. */
export interface FileWorkout {
  /** Of the own format only: the id to come back under, and the zone, in which times are instants then. */
  id?: string;
  timeZone?: string;
  title: string;
  /** `YYYY-MM-DDTHH:MM:SS`, without a zone. */
  startedAt: string;
  endedAt: string | null;
  notes: string;
  exercises: FileExercise[];
}

interface FileExercise {
  /** Of the own format only. */
  id?: string;
  name: string;
  notes: string;
  superset: number | null;
  sets: FileSet[];
}

export interface FileSet {
  kind: 'normal' | 'warmup' | 'drop' | 'failure';
  side?: 'left' | 'right' | null;
  doneAt?: string | null;
  /** Decimal text as it was entered. */
  weight: string | null;
  unit: Unit | null;
  reps: number | null;
  seconds: number | null;
  distanceM: number | null;
  rpe: number | null;
  restSec: number | null;
}

export type Unit = 'kg' | 'lb';
/** The pound of 1959. */
export const KG_PER_LB = 0.45359237;

/** Why a line is not a set: its date, a number in it, too few columns, or no exercise. */
type Reason = 'date' | 'number' | 'columns' | 'no-exercise';

export interface SkippedLine {
  /** In the file; 1 is the header. */
  line: number;
  reason: Reason;
}

/**
 * What only the person can say: `unit`, where the file names none; `unit-pounds`, where kilograms look like pounds;
 * `decimal-comma`, where 1,250 may be either.
 */
export type Question = 'unit' | 'unit-pounds' | 'decimal-comma';

/** A line that is skipped. */
export class BadLine extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

/** A line of a file, its cells by what they mean. */
export interface Line<Field extends string> {
  text(field: Field): string;
  /** A number without sign, as a decimal text in its shortest form; null where there is none. @throws BadLine */
  decimal(field: Field): string | null;
  /** The same as a number. @throws BadLine */
  number(field: Field): number | null;
  /** The cells of all fields that begin so, by the rest of their names. */
  has(field: Field): boolean;
}

/** An exercise that sets may still be added to. */
interface OpenExercise extends FileExercise {
  lastIndex: number;
  noteList: string[];
}

/** A workout while the lines of a file come in. */
export class OpenWorkout {
  readonly title: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly #notes: string[] = [];
  readonly #exercises: OpenExercise[] = [];
  #lastSet: FileSet | undefined;

  constructor(title: string, startedAt: string, endedAt: string | null) {
    this.title = title;
    this.startedAt = startedAt;
    this.endedAt = endedAt;
  }

  note(text: string): void {
    addOnce(this.#notes, text);
  }

  /** A note on an exercise: the present one, or one that begins with it. */
  noteOnExercise(name: string, text: string): void {
    const last = this.#exercises.at(-1);
    addOnce((last?.name === name ? last : this.#begin(name, null)).noteList, text);
  }

  /**
   * @param index where it counts the sets of an exercise: one that is not greater than the last begins another entry
   * @param isEntry it is an entry of its own, whatever came before
   */
  add(
    name: string,
    sets: FileSet[],
    more: { index?: number | undefined; superset?: number | null; notes: string; isEntry?: boolean },
  ): void {
    const { index, superset = null, notes, isEntry } = more;
    const last = this.#exercises.at(-1);
    const goesOn =
      last !== undefined && !isEntry && last.name === name && !(index !== undefined && index <= last.lastIndex);
    const exercise = goesOn ? last : this.#begin(name, superset);
    if (index !== undefined) exercise.lastIndex = index;
    exercise.superset ??= superset;
    exercise.sets.push(...sets);
    addOnce(exercise.noteList, notes);
    this.#lastSet = sets.at(-1) ?? this.#lastSet;
  }

  /** The rest after the set before; without one it is none's. */
  rest(seconds: number | null): void {
    if (this.#lastSet) this.#lastSet.restSec = seconds;
  }

  /** Its kilograms were pounds, in steps of a quarter. */
  becomePounds(): void {
    for (const set of this.#exercises.flatMap(({ sets }) => sets)) {
      if (set.unit !== 'kg') continue;
      set.weight = String(Math.round((Number(set.weight) / KG_PER_LB) * 4) / 4);
      set.unit = 'lb';
    }
  }

  #begin(name: string, superset: number | null): OpenExercise {
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
    const { title, startedAt, endedAt } = this;
    return { title, startedAt, endedAt, notes: this.#notes.join('\n'), exercises };
  }
}

function addOnce(list: string[], text: string): void {
  if (text !== '' && !list.includes(text)) list.push(text);
}
