import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { z } from 'zod';
import type { Outbox } from '#outbox/outbox.ts';
import { ApiError, notFound, validationFailed } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { buildSlices } from '#platform/slices.ts';
import { COUNT_LOGGED } from '#training/logSize.queries.ts';
import { boundPassed } from '#training/logSize.ts';
import { assertMapping, decide } from './decisions.ts';
import { type NumberedWorkout, readFile, withIds } from './fileContent.ts';
import * as documents from './imports.documents.ts';
import {
  ADD_WORKOUTS,
  CHANGE_IMPORT,
  CREATE_IMPORT,
  EXISTS_IMPORT,
  FIND_FILE,
  FIND_IMPORT,
  FORGET_WORKOUTS,
  type ImportRow,
  LIST_ALIASES,
  LIST_COLUMNS,
  LIST_EXERCISES,
  LIST_IMPORTS,
  LOCK_IMPORT,
  NOTE_COMPARISON,
  REPLACE_CONTENT,
  SET_STATE,
  UNDO_IMPORT,
} from './imports.queries.ts';
import type { importChange, importForm } from './imports.schemas.ts';
import { buildMatcher } from './matching.ts';
import { compare, type Import, parsedImport, presentImport } from './preview.ts';
import type { Answers } from './reading/trainingFile.ts';

/** Kind of the outbox message that has an import written. */
export const COMMIT_IMPORT = 'import.commit';
const COMMIT_LIFETIME = 7 * 24 * 60 * 60;

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const WORKOUTS_AT_ONCE = 100;

type Transactions = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

const noSuchImport = () => notFound('There is no such import', 'IMPORT_NOT_FOUND');
const notAPreview = () => new ApiError(409, 'IMPORT_NOT_A_PREVIEW', 'This import is not a preview any more');

/** Reads a file and stores what it would bring; nothing is in the log yet. @throws ApiError 422 */
export async function createImport(
  transaction: Transactions,
  userId: string,
  file: Buffer | undefined,
  { timeZone, ...said }: z.output<typeof importForm>,
) {
  if (!file) throw validationFailed([{ path: 'file', message: 'is required' }]);
  const [read, kept] = await Promise.all([readAndMatch(transaction, userId, file, timeZone, said), compress(file)]);
  const { source, facts, columns, numbered } = read;
  return transaction((tx) =>
    tx.asService(async () => {
      const answers = [said.unit ?? null, said.distanceUnit ?? null, said.dateOrder ?? null, columns];
      const { id } = await tx.one(CREATE_IMPORT, [userId, source, timeZone, ...answers, facts, kept, numbered.length]);
      await storeWorkouts(tx, userId, id, numbered);
      return compared(tx, userId, parsedImport(await found(tx, userId, id)));
    }),
  );
}

/** A failed one is changed where its exercises have gone since. */
const isOpen = (state: string): boolean => state === 'preview' || state === 'failed';

/** Changes what becomes of names, units and known workouts. @throws ApiError 404, 409 when it is no preview, 422 */
export async function changeImport(
  transaction: Transactions,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
  userId: string,
  id: string,
  change: z.output<typeof importChange>,
) {
  const before = await transaction((tx) => tx.asService(() => found(tx, userId, id)));
  if (!isOpen(before.state)) throw notAPreview();
  const { mapping: said, duplicates, ...reading } = change;
  const answers: Answers = {
    unit: change.unit ?? (before.unit as Answers['unit']) ?? undefined,
    distanceUnit: change.distanceUnit ?? before.distance_unit ?? undefined,
    dateOrder: change.dateOrder ?? (before.date_order as Answers['dateOrder']) ?? undefined,
    columns: change.columns ?? (before.columns === null ? undefined : documents.columns.parse(before.columns)),
  };
  const again = saysOther(reading, before)
    ? await inTurn(async () =>
        readAndMatch(transaction, userId, await fileOf(transaction, userId, id), before.time_zone, answers),
      )
    : undefined;
  return transaction((tx) =>
    tx.asService(async () => {
      const row = await tx.maybe(LOCK_IMPORT, [userId, id]);
      if (!row) throw noSuchImport();
      if (!isOpen(row.state) || (again && row.state !== 'preview')) throw notAPreview();
      const stored = parsedImport(row);
      await assertMapping(tx, userId, (again?.facts ?? stored.facts).names, said ?? new Map());
      const mapping = Object.fromEntries([...stored.mapping, ...(said ?? [])]);
      await tx.rows(CHANGE_IMPORT, [userId, id, duplicates ?? row.duplicates, mapping]);
      if (again) {
        const { unit = null, distanceUnit = null, dateOrder = null } = answers;
        const values = [unit, distanceUnit, dateOrder, again.columns, again.facts, again.numbered.length];
        await tx.rows(REPLACE_CONTENT, [userId, id, ...values, again.source]);
        await tx.rows(FORGET_WORKOUTS, [userId, id]);
        await storeWorkouts(tx, userId, id, again.numbered);
        return compared(tx, userId, parsedImport(await found(tx, userId, id)));
      }
      const merged: Import['mapping'] = new Map([...stored.mapping, ...(said ?? [])]);
      return compared(tx, userId, { ...stored, mapping: merged, duplicates: duplicates ?? row.duplicates });
    }),
  );
}

/** Whether a change says something of the file that was not known yet: only then it is read again. */
function saysOther(
  said: Pick<z.output<typeof importChange>, 'unit' | 'distanceUnit' | 'dateOrder' | 'columns'>,
  { unit, distance_unit, date_order }: ImportRow,
): boolean {
  return (
    (said.unit ?? unit) !== unit ||
    (said.distanceUnit ?? distance_unit) !== distance_unit ||
    (said.dateOrder ?? date_order) !== date_order ||
    said.columns !== undefined
  );
}

/** Compares an import with the log, keeps the result, and shows the import. */
async function compared(tx: Transaction, userId: string, shown: Import) {
  const comparison = await compare(tx, userId, shown);
  await tx.rows(NOTE_COMPARISON, [userId, shown.id, comparison]);
  return presentImport(tx, userId, { ...shown, comparison });
}

/** @throws ApiError 404 */
export async function readImport(tx: Transaction, userId: string, id: string) {
  return tx.asService(async () => presentImport(tx, userId, parsedImport(await found(tx, userId, id))));
}

/** The last fifty, newest first. */
export async function listImports(tx: Transaction, userId: string) {
  const rows = await tx.rows(LIST_IMPORTS, [userId]);
  return {
    items: rows.map((row) => ({
      id: row.id,
      state: row.state,
      failure: row.failure,
      source: row.source,
      createdAt: row.created_at.toISOString(),
      workouts: row.total,
      progress: { done: row.done, total: row.total, added: row.added },
    })),
  };
}

/**
 * Decides an import: exercises that are to be created are, decisions are remembered, and a worker writes it. One that
 * failed is tried again. Again changes nothing.
 * @throws ApiError 404, 409 after an undo or past a bound, 422 while something is undecided
 */
export async function commitImport(tx: Transaction, outbox: Outbox, userId: string, id: string) {
  return tx.asService(async () => {
    const row = await tx.maybe(LOCK_IMPORT, [userId, id]);
    if (!row) throw noSuchImport();
    if (row.state === 'undone') throw notAPreview();
    if (row.state === 'preview' || row.state === 'failed') {
      const shown = parsedImport(row);
      await assertRoom(tx, userId, (shown.comparison?.new ?? 0) - row.added);
      const decided = await decide(tx, userId, shown);
      await tx.rows(CHANGE_IMPORT, [userId, id, row.duplicates, Object.fromEntries(decided)]);
      await tx.rows(SET_STATE, [userId, id, 'committing', null]);
      const payload = { importId: id };
      await outbox.add(tx, { kind: COMMIT_IMPORT, userId, payload, lifetimeSeconds: COMMIT_LIFETIME });
    }
    return presentImport(tx, userId, parsedImport(await found(tx, userId, id)));
  });
}

/** A first look, so that a person is told at once; the worker decides. @throws ApiError 409 where the log would be too full */
async function assertRoom(tx: Transaction, userId: string, added: number): Promise<void> {
  const size = await tx.one(COUNT_LOGGED, [userId]);
  const passed = boundPassed({ ...size, workouts: size.workouts + added });
  if (passed) throw new ApiError(409, passed.code, passed.message);
}

/** Takes an import back. @returns the workouts that were edited since and stay @throws ApiError 404, 409 while it is written */
export async function undoImport(tx: Transaction, id: string, isForced: boolean) {
  const { kept } = await tx.one(UNDO_IMPORT, [id, isForced]);
  if (kept) return { kept };
  if (await tx.maybe(EXISTS_IMPORT, [id])) throw notAPreview();
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

/** Reads a file and looks its names up, once for all: what follows shows what was found. */
async function readAndMatch(
  transaction: Transactions,
  userId: string,
  bytes: Buffer,
  timeZone: string,
  answers: Answers,
) {
  const [exercises, aliases, remembered] = await transaction((tx) =>
    tx.asService(() =>
      Promise.all([
        tx.rows(LIST_EXERCISES, [userId]),
        tx.rows(LIST_ALIASES, [userId]),
        tx.rows(LIST_COLUMNS, [userId]),
      ]),
    ),
  );
  const known = remembered.map(({ columns }) => documents.columns.parse(columns));
  const { source, workouts, facts, columns } = await readFile(bytes, timeZone, { ...answers, remembered: known });
  const { match, candidates } = buildMatcher(exercises, aliases);
  const names: documents.NameInFile[] = [];
  const pause = buildSlices();
  for (const one of facts.names) {
    await pause();
    const id = match(one.name);
    names.push({ ...one, match: id, candidates: id === null ? candidates(one.name) : [] });
  }
  return {
    source,
    facts: { ...facts, names } satisfies documents.Facts,
    columns: columns ? Object.fromEntries(columns) : null,
    numbered: await withIds(userId, source, workouts),
  };
}

async function storeWorkouts(tx: Transaction, userId: string, id: string, workouts: NumberedWorkout[]): Promise<void> {
  for (let from = 0; from < workouts.length; from += WORKOUTS_AT_ONCE) {
    const some = workouts.slice(from, from + WORKOUTS_AT_ONCE);
    await tx.rows(ADD_WORKOUTS, [userId, id, JSON.stringify(some), from]);
  }
}
