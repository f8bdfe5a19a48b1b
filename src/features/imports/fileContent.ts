import { createHash, randomUUID } from 'node:crypto';
import { ApiError } from '#platform/apiError.ts';
import { cut } from '#platform/cut.ts';
import { buildSlices } from '#platform/slices.ts';
import { LONGEST_NOTE, LONGEST_TITLE, MOST_SETS, MOST_SETS_IN_ALL, MOST_WORKOUTS } from '#training/bounds.ts';
import { type Measure, type Muscle, muscle } from '#training/exercise.ts';
import { type Facts, MOST_NAMES, type NameInFile } from './imports.documents.ts';
import { isJson, readOwnFile } from './reading/ownFile.ts';
import type { FileWorkout, SkippedLine } from './reading/training.ts';
import { type Answers, type NamedColumns, readTrainingFile } from './reading/trainingFile.ts';

const MOST_SKIPPED_SHOWN = 100;
/** Longest name of an exercise that can be assigned. */
const LONGEST_NAME = 200;

/** A file before its names are looked up. */
interface ReadFile {
  source: string;
  workouts: FileWorkout[];
  facts: Omit<Facts, 'names'> & { names: Array<Omit<NameInFile, 'match' | 'candidates'>> };
  columns: NamedColumns | undefined;
}

/**
 * Reads a file of any program. @param timeZone of the person, IANA
 * @throws ApiError 400, 422 `IMPORT_UNKNOWN_FILE`, `IMPORT_TOO_LARGE`, `IMPORT_EMPTY` for one of which nothing is good
 */
export async function readFile(bytes: Buffer, timeZone: string, answers: Answers): Promise<ReadFile> {
  if (isJson(bytes)) {
    const { workouts, skipped, ...own } = await readOwnFile(bytes);
    const facts = await factsOf(shortened(workouts), skipped, timeZone, new Map());
    const used = new Set(facts.names.map(({ name }) => name));
    const idle = own.exercises.filter(({ name }) => !used.has(name));
    facts.names.push(
      ...idle.map((exercise) => ({ name: exercise.name, sets: 0, measure: exercise.measure, muscle: null })),
    );
    if (workouts.length + own.exercises.length + own.measurements.length === 0) assertNotBad(skipped);
    return { source: 'logbook', workouts, facts: { ...facts, own }, columns: undefined };
  }
  const { source, workouts, skipped, categories, columns, ...more } = await readTrainingFile(bytes, answers);
  if (workouts.length === 0) {
    assertNotBad(skipped);
    throw new ApiError(422, 'IMPORT_EMPTY', 'The file has columns, but no line with a set.');
  }
  const facts = await factsOf(shortened(workouts), skipped, timeZone, categories);
  return { source, workouts, facts: { ...facts, ...more }, columns };
}

/** @throws ApiError 422 when lines were there and none was good */
function assertNotBad(skipped: SkippedLine[]): void {
  const [first] = skipped;
  if (!first) return;
  const message = `No line of the file can be imported. The first problem is in line ${first.line}: ${first.reason}.`;
  const errors = skipped.map(({ line, reason }) => ({ path: `file.${line}`, message: reason })).slice(0, 20);
  throw new ApiError(422, 'IMPORT_EMPTY', message, { errors });
}

/** With names of a length that can be assigned. */
function shortened(workouts: FileWorkout[]): FileWorkout[] {
  for (const exercise of workouts.flatMap(({ exercises }) => exercises))
    exercise.name = cut(exercise.name, LONGEST_NAME);
  return workouts;
}

const tooLarge = (most: number, what: string) =>
  new ApiError(422, 'IMPORT_TOO_LARGE', `The file has more than ${most} ${what}`);

async function factsOf(
  workouts: FileWorkout[],
  skipped: SkippedLine[],
  timeZone: string,
  categories: ReadonlyMap<string, string>,
): Promise<ReadFile['facts']> {
  if (workouts.length > MOST_WORKOUTS) throw tooLarge(MOST_WORKOUTS, 'workouts');
  const names = new Map<string, ReadFile['facts']['names'][number]>();
  const pause = buildSlices();
  let all = 0;
  for (const { name, sets } of workouts.flatMap(({ exercises }) => exercises)) {
    await pause();
    const known = names.get(name) ?? {
      name,
      sets: 0,
      measure: measureOf(name, sets),
      muscle: muscleOf(categories.get(name)),
    };
    known.sets += sets.length;
    all += sets.length;
    names.set(name, known);
    if (names.size > MOST_NAMES) throw tooLarge(MOST_NAMES, 'different exercises');
  }
  if (all > MOST_SETS_IN_ALL) throw tooLarge(MOST_SETS_IN_ALL, 'sets');
  const dayOf = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' });
  const days = workouts
    .map(({ startedAt: at }) => (at.endsWith('Z') ? dayOf.format(new Date(at)) : at.slice(0, 10)))
    .toSorted();
  return {
    sets: all,
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
    skipped: { lines: skipped.length, first: skipped.slice(0, MOST_SKIPPED_SHOWN) },
    ambiguous: [],
    ignoredColumns: [],
    names: [...names.values()],
  };
}

/** What an exercise that nobody knows is probably measured by. */
function measureOf(name: string, sets: FileWorkout['exercises'][number]['sets']): Measure {
  if (/\bassisted\b/i.test(name)) return 'assisted_bodyweight';
  const has = (field: 'weight' | 'reps' | 'seconds' | 'distanceM') => sets.some((set) => set[field] !== null);
  if (has('distanceM')) return has('weight') ? 'weight_distance' : 'distance_duration';
  if (has('seconds') && !has('reps')) return has('weight') ? 'weight_duration' : 'duration';
  return has('weight') ? 'weight_reps' : 'bodyweight_reps';
}

/** The muscle that a file's category names, if it names one. */
function muscleOf(category: string | undefined): Muscle | null {
  const wanted = category?.toLowerCase();
  return muscle.options.find((known) => known.toLowerCase() === wanted) ?? null;
}

export interface NumberedWorkout {
  id: string;
  content: FileWorkout;
}

/** The same workout of the same file has the same id; of equal ones each has one of its own. */
export async function withIds(userId: string, source: string, workouts: FileWorkout[]): Promise<NumberedWorkout[]> {
  const [seen, numbered, pause] = [new Map<string, number>(), [] as NumberedWorkout[], buildSlices()];
  for (const content of workouts) {
    await pause();
    const key = JSON.stringify([source, content.startedAt, content.title]);
    const ordinal = seen.get(key) ?? 0;
    seen.set(key, ordinal + 1);
    numbered.push({ id: content.id ?? nameBasedId(userId, `${key} ${ordinal}`), content });
  }
  return numbered;
}

/** UUID version 5 (RFC 9562, section 5.5) of a namespace, which is a UUID, and a name. */
function nameBasedId(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** What decides how a file's workout is written: ids of the exercises by name, zone and unit where the file has none. */
export interface Writing {
  ids: ReadonlyMap<string, number>;
  timeZone: string;
  unit: string | null;
}

/** What goes into the log, by the names of the columns. @returns undefined when nothing of it is wanted */
export function contentOf(workout: FileWorkout, { ids, timeZone, unit }: Writing) {
  const { startedAt, endedAt, title, notes, exercises } = workout;
  /** PostgreSQL reads a local time with the name of its zone. */
  const at = (time: string) => (time.endsWith('Z') ? time : `${time} ${timeZone}`);
  const blocks = exercises.flatMap((exercise) => {
    const exerciseId = ids.get(exercise.name);
    if (exerciseId === undefined) return [];
    return inBlocks(exercise.sets).map((sets, n) => ({
      id: n === 0 && exercise.id ? exercise.id : randomUUID(),
      exercise_id: exerciseId,
      superset: exercise.superset,
      notes: cut(exercise.notes, LONGEST_NOTE),
      sets: sets.map((set) => ({
        kind: set.kind,
        side: set.side ?? null,
        weight: set.weight === null ? null : Number(set.weight),
        unit: set.weight === null ? null : (set.unit ?? unit),
        reps: set.reps,
        seconds: set.seconds,
        distance_m: set.distanceM,
        rpe: set.rpe,
        rest_sec: set.restSec,
        done_at: set.doneAt ?? null,
      })),
    }));
  });
  if (blocks.length === 0 && exercises.length > 0) return undefined;
  // A file without ends has nothing but workouts that are over; the own export may hold one that goes on.
  const end = endedAt ?? (workout.id === undefined ? startedAt : null);
  return {
    title: cut(title, LONGEST_TITLE).trim() || 'Workout',
    notes: cut(notes, LONGEST_NOTE),
    started_at: at(startedAt),
    ended_at: end === null ? null : at(end),
    lasts_sec: workout.lasts ?? null,
    time_zone: workout.timeZone ?? timeZone,
    blocks,
  };
}

/** As many sets as a block may have. */
function inBlocks<Item>(list: Item[]): Item[][] {
  const starts = Array.from({ length: Math.max(1, Math.ceil(list.length / MOST_SETS)) }, (_, n) => n * MOST_SETS);
  return starts.map((from) => list.slice(from, from + MOST_SETS));
}
