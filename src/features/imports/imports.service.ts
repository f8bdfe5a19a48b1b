import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { z } from 'zod';
import type { Outbox } from '#outbox/outbox.ts';
import { ApiError, notFound, validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  ADD_WORKOUTS,
  CHANGE_IMPORT,
  COUNT_OWN,
  CREATE_EXERCISE,
  CREATE_IMPORT,
  FIND_FILE,
  FIND_IMPORT,
  FORGET_WORKOUTS,
  type ImportRow,
  LIST_ALIASES,
  LIST_DUPLICATES,
  LIST_EXERCISES,
  LIST_IMPORTS,
  LOCK_IMPORT,
  REMEMBER_ALIAS,
  SET_STATE,
  UNDO_IMPORT,
} from './imports.queries.ts';
import type { importAnswer, importChange } from './imports.schemas.ts';
import { buildMatcher, type Match, type NameInFile } from './matching.ts';
import { type OwnExercise, type OwnMeasurement, readOwnFile } from './reading/ownFile.ts';
import type { FileWorkout, SkippedLine, Unit } from './reading/training.ts';
import { readTrainingFile } from './reading/trainingFile.ts';

/** Kind of the outbox message that has an import written. */
export const COMMIT_IMPORT = 'import.commit';
const COMMIT_LIFETIME = 7 * 24 * 60 * 60;

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const MOST_OWN = 1_000;
const MOST_SKIPPED_SHOWN = 100;
const WORKOUTS_AT_ONCE = 500;

type Transactions = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** What is known of a file beside its workouts. */
export interface Facts {
  sets: number;
  firstDay: string | null;
  lastDay: string | null;
  skipped: { lines: number; first: SkippedLine[] };
  ambiguous: string[];
  names: NameInFile[];
  /** Of the own format. */
  own?: { exercises: OwnExercise[]; measurements: OwnMeasurement[] };
}

const noSuchImport = () => notFound('There is no such import', 'IMPORT_NOT_FOUND');
const notAPreview = () => new ApiError(409, 'IMPORT_NOT_A_PREVIEW', 'This import is not a preview any more');

/** Reads a file and stores what it would bring; nothing is in the log yet. @throws ApiError 422 */
export async function createImport(
  transaction: Transactions,
  userId: string,
  file: Buffer | undefined,
  { timeZone, unit }: { timeZone: string; unit?: Unit | undefined },
) {
  if (!file) throw validationFailed([{ path: 'file', message: 'is required' }]);
  const [{ source, workouts, facts }, kept] = await Promise.all([read(file, unit), compress(file)]);
  const numbered = withIds(userId, source, workouts);
  return transaction((tx) =>
    tx.asService(async () => {
      const values = [userId, source, timeZone, unit ?? null, {}, facts, kept, workouts.length];
      const { id } = await tx.one(CREATE_IMPORT, values);
      await storeWorkouts(tx, userId, id, numbered);
      return presentImport(tx, userId, await found(tx, userId, id));
    }),
  );
}

/** Changes what becomes of names, units and duplicates. @throws ApiError 404, 409 when it is no preview, 422 */
export async function changeImport(
  transaction: Transactions,
  userId: string,
  id: string,
  change: z.output<typeof importChange>,
) {
  const before = await transaction((tx) => tx.asService(() => found(tx, userId, id)));
  if (before.state !== 'preview') throw notAPreview();
  const unit = change.unit ?? (before.unit as Unit | null) ?? undefined;
  const file = unit === (before.unit ?? undefined) ? undefined : await fileOf(transaction, userId, id);
  const again = file ? await read(file, unit) : undefined;
  return transaction((tx) =>
    tx.asService(async () => {
      const row = await tx.maybe(LOCK_IMPORT, [userId, id]);
      if (!row) throw noSuchImport();
      if (row.state !== 'preview') throw notAPreview();
      const facts = again?.facts ?? (row.facts as unknown as Facts);
      await assertMapping(tx, userId, facts, change.mapping ?? {});
      const mapping = { ...row.mapping, ...change.mapping };
      await tx.rows(CHANGE_IMPORT, [userId, id, unit ?? null, change.duplicates ?? row.duplicates, mapping, facts]);
      if (again) {
        await tx.rows(FORGET_WORKOUTS, [userId, id]);
        await storeWorkouts(tx, userId, id, withIds(userId, row.source, again.workouts));
      }
      return presentImport(tx, userId, await found(tx, userId, id));
    }),
  );
}

/** @throws ApiError 404 */
export async function readImport(tx: Transaction, userId: string, id: string) {
  return tx.asService(async () => presentImport(tx, userId, await found(tx, userId, id)));
}

/** The last fifty, newest first. */
export async function listImports(tx: Transaction, userId: string) {
  const rows = await tx.rows(LIST_IMPORTS, [userId]);
  return {
    items: rows.map((row) => ({
      id: row.id,
      state: row.state,
      source: row.source,
      createdAt: row.created_at.toISOString(),
      workouts: row.total,
      progress: { done: row.done, total: row.total, added: row.added },
    })),
  };
}

/**
 * Decides an import: exercises that are to be created are, decisions are remembered, and a worker writes it. Again changes
 * nothing. @throws ApiError 404, 409 after an undo or with too many own exercises, 422 while something is undecided
 */
export async function commitImport(tx: Transaction, outbox: Outbox, userId: string, id: string) {
  return tx.asService(async () => {
    const row = await tx.maybe(LOCK_IMPORT, [userId, id]);
    if (!row) throw noSuchImport();
    if (row.state === 'undone') throw notAPreview();
    if (row.state === 'preview') {
      const facts = row.facts as unknown as Facts;
      const decided = await decide(tx, userId, row, facts);
      await tx.rows(CHANGE_IMPORT, [userId, id, row.unit, row.duplicates, decided, facts]);
      await tx.rows(SET_STATE, [userId, id, 'committing']);
      const payload = { importId: id };
      await outbox.add(tx, { kind: COMMIT_IMPORT, userId, payload, lifetimeSeconds: COMMIT_LIFETIME });
    }
    return presentImport(tx, userId, await found(tx, userId, id));
  });
}

/** Takes an import back. @returns the workouts that were edited since and stay @throws ApiError 404, 409 while it is written */
export async function undoImport(tx: Transaction, id: string, isForced: boolean) {
  const { kept } = await tx.one(UNDO_IMPORT, [id, isForced]);
  if (kept) return { kept };
  if (await tx.maybe(FIND_IMPORT, [null, id])) throw notAPreview();
  throw noSuchImport();
}

async function found(tx: Transaction, userId: string, id: string): Promise<ImportRow> {
  const row = await tx.maybe(FIND_IMPORT, [userId, id]);
  if (!row) throw noSuchImport();
  return row;
}

async function fileOf(transaction: Transactions, userId: string, id: string): Promise<Buffer> {
  const row = await transaction((tx) => tx.asService(() => tx.maybe(FIND_FILE, [userId, id])));
  if (!row?.file) throw notAPreview();
  return decompress(row.file);
}

async function read(
  bytes: Buffer,
  unit: Unit | undefined,
): Promise<{ source: string; workouts: FileWorkout[]; facts: Facts }> {
  if (/^\uFEFF?\s*\{/.test(bytes.toString('utf8', 0, 200))) {
    const { workouts, ...own } = await readOwnFile(bytes);
    const facts = factsOf(workouts, [], []);
    const used = new Set(facts.names.map(({ name }) => name));
    const idle = own.exercises.filter(({ name }) => !used.has(name));
    facts.names.push(...idle.map(({ name, measure }) => ({ name, sets: 0, measure })));
    return { source: 'logbook', workouts, facts: { ...facts, own } };
  }
  const { source, workouts, skipped, ambiguous } = await readTrainingFile(bytes, { unit });
  return { source, workouts, facts: factsOf(workouts, skipped, ambiguous) };
}

function factsOf(workouts: FileWorkout[], skipped: SkippedLine[], ambiguous: string[]): Facts {
  const names = new Map<string, NameInFile>();
  for (const { name, sets } of workouts.flatMap(({ exercises }) => exercises)) {
    const known = names.get(name) ?? { name, sets: 0, measure: measureOf(name, sets) };
    known.sets += sets.length;
    names.set(name, known);
  }
  const days = workouts.map(({ startedAt }) => startedAt.slice(0, 10)).toSorted();
  return {
    sets: [...names.values()].reduce((sum, { sets }) => sum + sets, 0),
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
    skipped: { lines: skipped.length, first: skipped.slice(0, MOST_SKIPPED_SHOWN) },
    ambiguous,
    names: [...names.values()],
  };
}

/** What an exercise that nobody knows is probably measured by. */
function measureOf(name: string, sets: FileWorkout['exercises'][number]['sets']): string {
  if (/\bassisted\b/i.test(name)) return 'assisted_bodyweight';
  const has = (field: 'weight' | 'reps' | 'seconds' | 'distanceM') => sets.some((set) => set[field] !== null);
  if (has('distanceM')) return has('weight') ? 'weight_distance' : 'distance_duration';
  if (has('seconds') && !has('reps')) return has('weight') ? 'weight_duration' : 'duration';
  return has('weight') ? 'weight_reps' : 'bodyweight_reps';
}

interface NumberedWorkout {
  id: string;
  content: FileWorkout;
}

/** The same workout of the same file has the same id; of equal ones each has one of its own. */
function withIds(userId: string, source: string, workouts: FileWorkout[]): NumberedWorkout[] {
  const seen = new Map<string, number>();
  return workouts.map((content) => {
    const key = JSON.stringify([source, content.startedAt, content.title]);
    const ordinal = seen.get(key) ?? 0;
    seen.set(key, ordinal + 1);
    return { id: content.id ?? nameBasedId(userId, `${key} ${ordinal}`), content };
  });
}

/** UUID version 5 (RFC 9562, section 5.5): of a namespace, which is a UUID, and a name. */
function nameBasedId(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

async function storeWorkouts(tx: Transaction, userId: string, id: string, workouts: NumberedWorkout[]): Promise<void> {
  const positions = Array.from(
    { length: Math.ceil(workouts.length / WORKOUTS_AT_ONCE) },
    (_, n) => n * WORKOUTS_AT_ONCE,
  );
  for (const from of positions) {
    const some = workouts.slice(from, from + WORKOUTS_AT_ONCE);
    await tx.rows(ADD_WORKOUTS, [userId, id, JSON.stringify(some), from]);
  }
}

async function matcherFor(tx: Transaction, userId: string) {
  const [exercises, aliases] = await Promise.all([tx.rows(LIST_EXERCISES, [userId]), tx.rows(LIST_ALIASES, [userId])]);
  return { exercises, ...buildMatcher(exercises, aliases) };
}

async function presentImport(tx: Transaction, userId: string, row: ImportRow): Promise<z.input<typeof importAnswer>> {
  const { sets, firstDay, lastDay, skipped, ambiguous, names, own } = row.facts as unknown as Facts;
  const { match, candidates } = await matcherFor(tx, userId);
  const isOwn = new Set(own?.exercises.map(({ name }) => name));
  const exercises = names.map(({ name, sets: ofName }) => {
    const decided = match(name, row.mapping) ?? (isOwn.has(name) ? 'create' : null);
    return { name, sets: ofName, match: decided, candidates: decided === null ? candidates(name) : [] };
  });
  const ids = Object.fromEntries(exercises.map(({ name, match: decided }) => [name, decided]));
  const duplicates = row.state === 'preview' ? await tx.rows(LIST_DUPLICATES, [userId, row.id, ids]) : [];
  return {
    id: row.id,
    state: row.state,
    source: row.source,
    timeZone: row.time_zone,
    unit: row.unit as Unit | null,
    duplicates: row.duplicates,
    createdAt: row.created_at.toISOString(),
    workouts: row.total,
    sets,
    firstDay,
    lastDay,
    skipped,
    ambiguous,
    probableDuplicates: duplicates.length,
    exercises,
    progress: { done: row.done, total: row.total, added: row.added },
  };
}

async function assertMapping(
  tx: Transaction,
  userId: string,
  facts: Facts,
  mapping: Record<string, number | string>,
): Promise<void> {
  const known = new Set((await tx.rows(LIST_EXERCISES, [userId])).map(({ id }) => id));
  const names = new Set(facts.names.map(({ name }) => name));
  const problems = Object.entries(mapping).flatMap(([name, to]) => {
    const path = `mapping.${name}`.slice(0, 200);
    if (!names.has(name)) return [{ path, message: 'The file has no exercise of this name' }];
    return typeof to === 'number' && !known.has(to) ? [{ path, message: 'There is no such exercise' }] : [];
  });
  if (problems.length > 0) throw validationFailed(problems);
}

/** Name → id, or `skip`. Makes what is to be made. @throws ApiError 409, 422 while something is undecided */
async function decide(tx: Transaction, userId: string, row: ImportRow, facts: Facts) {
  const { match, candidates, exercises } = await matcherFor(tx, userId);
  const own = new Map(facts.own?.exercises.map((exercise) => [exercise.name, exercise]));
  const matched = facts.names.map((one): NameInFile & { match: Match } => ({
    ...one,
    match: match(one.name, row.mapping) ?? (own.has(one.name) ? 'create' : null),
  }));
  const problems = matched
    .filter((one) => one.match === null)
    .map(({ name }) => ({ path: `mapping.${name}`.slice(0, 200), message: 'It is not decided what becomes of this' }));
  if (facts.ambiguous.includes('unit') && row.unit === null) {
    problems.unshift({ path: 'unit', message: 'The file names no unit: kg or lb?' });
  }
  if (problems.length > 0) throw validationFailed(problems);
  const { number } = await tx.one(COUNT_OWN, [userId]);
  const toCreate = matched.filter((one) => one.match === 'create');
  if (number + toCreate.length > MOST_OWN) {
    throw new ApiError(409, 'EXERCISE_LIMIT_REACHED', `At most ${MOST_OWN} own exercises can be stored`);
  }
  const muscleOf = (name: string) => {
    const [likely] = candidates(name);
    return exercises.find(({ id }) => id === likely?.id)?.targetmuscle ?? 'Legs';
  };
  const decided: Record<string, number | string> = {};
  for (const { name, match: to, measure } of matched) {
    const given = own.get(name);
    if (to === 'create') {
      const values = given
        ? [
            given.muscle,
            given.specificMuscle,
            given.measure,
            given.equipment,
            given.secondaryMuscles,
            given.description,
          ]
        : [muscleOf(name), muscleOf(name), measure, null, [], ''];
      decided[name] = (
        await tx.one(CREATE_EXERCISE, [userId, name.slice(0, 100), ...values, row.id, given?.isArchived ?? false])
      ).id;
    } else if (to !== null) decided[name] = to;
    const explicit = row.mapping[name];
    if (explicit !== undefined && typeof decided[name] === 'number') {
      await tx.rows(REMEMBER_ALIAS, [userId, name, decided[name]]);
    }
  }
  return decided;
}

/** What goes into the log, by the names of the columns. @returns undefined when nothing of it is wanted */
export function contentOf(
  { startedAt, endedAt, title, notes, timeZone, exercises, ...workout }: FileWorkout,
  row: { mapping: Record<string, number | string>; time_zone: string; unit: string | null; source: string },
) {
  const isOwn = workout.id !== undefined;
  /** PostgreSQL reads a local time with the name of its zone. */
  const at = (time: string) => (isOwn ? time : `${time} ${row.time_zone}`);
  const blocks = exercises.flatMap((exercise) => {
    const exerciseId = row.mapping[exercise.name];
    if (typeof exerciseId !== 'number') return [];
    return inFifties(exercise.sets).map((sets, n) => ({
      id: n === 0 && exercise.id ? exercise.id : randomUUID(),
      exercise_id: exerciseId,
      superset: exercise.superset,
      notes: exercise.notes.slice(0, 2_000),
      sets: sets.map((set) => ({
        kind: set.kind,
        side: set.side ?? null,
        weight: set.weight === null ? null : Number(set.weight),
        unit: set.weight === null ? null : (set.unit ?? row.unit),
        reps: set.reps,
        seconds: set.seconds,
        distance_m: set.distanceM,
        rpe: set.rpe !== null && set.rpe >= 1 && set.rpe <= 10 && Number.isInteger(set.rpe * 2) ? set.rpe : null,
        rest_sec: set.restSec,
        done_at: set.doneAt ?? null,
      })),
    }));
  });
  if (blocks.length === 0 && exercises.length > 0) return undefined;
  // A file without ends has nothing but workouts that are over.
  const end = endedAt ?? (isOwn ? null : startedAt);
  return {
    title: title.slice(0, 100).trim() || 'Workout',
    notes: notes.slice(0, 2_000),
    started_at: at(startedAt),
    ended_at: end === null ? null : at(end),
    time_zone: timeZone ?? row.time_zone,
    blocks,
  };
}

/** As many sets as an exercise of a workout may have. */
function inFifties<Item>(list: Item[]): Item[][] {
  const starts = Array.from({ length: Math.max(1, Math.ceil(list.length / 50)) }, (_, n) => n * 50);
  return starts.map((from) => list.slice(from, from + 50));
}
