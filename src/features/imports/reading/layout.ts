import type { Headers } from './headers.ts';
import type { Line } from './line.ts';
import { type FileSet, OpenWorkout } from './training.ts';

/** What a program's files look like: which header means what, and how a line becomes sets. */
export interface Layout {
  source: string;
  /** Of the headers of a field the first that is there counts; the units that follow a name are understood anyway. */
  headers: Headers;
  /** Fields without which it is another program's file. */
  needs: readonly string[];
  /** Fields whose cells are numbers: they tell what a comma means. */
  numbers: readonly string[];
  /** Fields whose cells are dates: they tell whether the day or the month stands first. */
  dates: readonly string[];
  /** Its rows may come from the last to the first: they are read in the order of their `date`. */
  isNewestFirst?: boolean;
  /** Field in which unquoted commas may stand, so that a line has cells too many. */
  mayHoldCommas?: string;
  /** Puts what a line says into the workouts. @throws BadLine */
  read(line: Line, workouts: Workouts): void;
}

/** The workouts of a file by what tells them apart, in the order in which they come up. */
export class Workouts {
  readonly #open = new Map<string, OpenWorkout>();

  /** The one with this key, or a new one. */
  at(key: string, title: string, startedAt: string, endedAt: string | null): OpenWorkout {
    const known = this.#open.get(key) ?? new OpenWorkout(title, startedAt, endedAt);
    this.#open.set(key, known);
    return known;
  }

  /** Category of an exercise, as the file has it; the first that is not empty counts. */
  readonly categories = new Map<string, string>();

  categorize(name: string, category: string): void {
    if (category !== '' && !this.categories.has(name)) this.categories.set(name, category);
  }

  [Symbol.iterator](): IterableIterator<OpenWorkout> {
    return this.#open.values();
  }
}

const KINDS = new Map<string, FileSet['kind']>([
  ...['w', 'warmup', 'warm up', 'warm-up', 'warm_up'].map((name) => [name, 'warmup'] as const),
  ...['f', 'failure', 'to failure'].map((name) => [name, 'failure'] as const),
  ...['d', 'drop', 'dropset', 'drop set', 'drop-set', 'drop_set'].map((name) => [name, 'drop'] as const),
]);

/** What a program calls the kind of a set; `regular`, numbers and whatever else is done at full load are normal sets. */
export const kindOf = (text: string): FileSet['kind'] => KINDS.get(text.toLowerCase()) ?? 'normal';

/** 0 is none, as programs write that have no empty cells. */
export const some = (value: number | null): number | null => value || null;
