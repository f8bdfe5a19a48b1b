import { z } from 'zod';
import type { Deliveries } from '#outbox/delivery.ts';
import { Throttled } from '#platform/deliveryErrors.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import { COUNT_LOGGED } from '#training/logSize.queries.ts';
import { boundPassed } from '#training/logSize.ts';
import { contentOf, type Writing } from './fileContent.ts';
import { fileWorkout } from './imports.documents.ts';
import {
  ADD_MEASUREMENTS,
  COMPARE_WORKOUTS,
  FIND_EARLIER_UNDER_WAY,
  FIND_IMPORT,
  FINISH_IMPORT,
  FORGET_WORKOUTS,
  LIST_WORKOUTS,
  LOCK_PROGRESS,
  NOTE_PROGRESS,
  SET_STATE,
  WRITE_WORKOUTS,
} from './imports.queries.ts';
import { COMMIT_IMPORT } from './imports.service.ts';
import { type Import, knownIds, parsedImport } from './preview.ts';

/** Workouts that one transaction writes. */
const AT_ONCE = 50;
const MEASUREMENTS_AT_ONCE = 5_000;
/** Time limit for one statement of an import, in milliseconds. */
const TIMEOUT_MS = 30_000;
/** How long an import waits before it asks again whether it is its turn, in milliseconds. */
const TURN_MS = 1_000;

/** What cannot be written, however often it is tried. The message is for the person. */
class CannotBeWritten extends Error {}

/** Writes imports into the log, piece by piece: after a kill it goes on where the last commit was. */
export function importDeliveries(db: Database, sockets: Sockets): Deliveries {
  return {
    [COMMIT_IMPORT]: {
      maxAttempts: 20,
      deliver: async ({ user_id: userId, payload: { importId } }) => {
        if (userId === null || importId === undefined) return false;
        const row = await db.asService((tx) => tx.maybe(FIND_IMPORT, [userId, importId]), TIMEOUT_MS);
        if (!row) return false;
        // One import of a person is written at a time: each would hold the log of the other.
        const earlier = await db.asService((tx) => tx.maybe(FIND_EARLIER_UNDER_WAY, [userId, importId]), TIMEOUT_MS);
        if (earlier) throw new Throttled('an earlier import of this person is being written', TURN_MS);
        for (let shown: Import | undefined; ; ) {
          const progress = await attempt(db, userId, importId, (tx) => {
            shown ??= parsedImport(row);
            return step(tx, userId, shown);
          });
          if (progress === undefined) return true;
          sockets.emit(userId, 'import_progress', { id: importId, ...progress });
          if (progress.state !== 'committing') return true;
        }
      },
    },
  };
}

type Progress = { state: string; done: number; total: number; added: number };

/** One step in a transaction. What can never be written makes the import fail, and the records of what it wrote are right. */
async function attempt(
  db: Database,
  userId: string,
  importId: string,
  work: (tx: Transaction) => Promise<Progress | undefined>,
): Promise<Progress | undefined> {
  try {
    return await db.asService(work, TIMEOUT_MS);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    return db.asService(async (tx) => {
      const progress = await tx.maybe(LOCK_PROGRESS, [userId, importId]);
      if (progress?.state !== 'committing') return undefined;
      await tx.rows(FINISH_IMPORT, [userId, importId, true]);
      await tx.rows(SET_STATE, [userId, importId, 'failed', reason]);
      return { ...progress, state: 'failed' };
    }, TIMEOUT_MS);
  }
}

/** Why trying again would not help, as a sentence; undefined: it might. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof CannotBeWritten) return error.message;
  // Data exceptions and violated constraints (PostgreSQL, Appendix A), and documents that do not match their schema.
  const { code } = error as { code?: unknown };
  const isOfData = typeof code === 'string' && /^(22|23)...$/.test(code);
  return isOfData || error instanceof z.ZodError
    ? 'A workout of the file cannot be stored. What was written before it is in the log.'
    : undefined;
}

/** Writes the next workouts. Undefined: there is nothing to do any more. */
async function step(tx: Transaction, userId: string, shown: Import): Promise<Progress | undefined> {
  const progress = await tx.maybe(LOCK_PROGRESS, [userId, shown.id]);
  if (progress?.state !== 'committing') return undefined;
  const { done, total, added: before } = progress;
  const next = await tx.rows(LIST_WORKOUTS, [userId, shown.id, done, AT_ONCE]);
  if (next.length === 0) {
    await finish(tx, userId, shown);
    return { ...progress, state: 'committed' };
  }
  const writing: Writing = { ids: knownIds(shown), timeZone: shown.time_zone, unit: shown.unit };
  const workouts = next.flatMap(({ id, content }) => {
    const wanted = contentOf(fileWorkout.parse(content), writing);
    return wanted ? [{ id, content: wanted }] : [];
  });
  const standings = await tx.rows(COMPARE_WORKOUTS, [userId, shown.id, JSON.stringify(workouts)]);
  const written = workouts.filter((_workout, n) => isWritten(standings[n]?.standing ?? '', shown.duplicates));
  const { added } = await tx.one(WRITE_WORKOUTS, [userId, shown.id, JSON.stringify(written)]);
  const passed = added > 0 ? boundPassed(await tx.one(COUNT_LOGGED, [userId])) : undefined;
  if (passed) throw new CannotBeWritten(`${passed.message}.`);
  await tx.rows(NOTE_PROGRESS, [userId, shown.id, next.length, added]);
  return { state: 'committing', done: done + next.length, total, added: before + added };
}

/** Whether a workout goes into the log, by how it compares with what is there. */
function isWritten(standing: string, duplicates: string): boolean {
  if (standing === 'new') return true;
  if (standing === 'near' || standing === 'near_equal') return duplicates === 'import';
  return standing === 'changed' && duplicates === 'replace';
}

async function finish(tx: Transaction, userId: string, { id, duplicates, facts: { own } }: Import): Promise<void> {
  const measurements = own?.measurements ?? [];
  for (let from = 0; from < measurements.length; from += MEASUREMENTS_AT_ONCE) {
    await tx.rows(ADD_MEASUREMENTS, [userId, JSON.stringify(measurements.slice(from, from + MEASUREMENTS_AT_ONCE))]);
  }
  await tx.rows(FINISH_IMPORT, [userId, id, duplicates === 'replace']);
  await tx.rows(SET_STATE, [userId, id, 'committed', null]);
  await tx.rows(FORGET_WORKOUTS, [userId, id]);
}
