import type { Deliveries } from '#outbox/delivery.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import {
  FINISH_IMPORT,
  FORGET_WORKOUTS,
  LIST_DUPLICATES,
  LIST_WORKOUTS,
  LOCK_IMPORT,
  NOTE_PROGRESS,
  PUT_MEASUREMENT,
  SET_STATE,
  WRITE_WORKOUTS,
} from './imports.queries.ts';
import { COMMIT_IMPORT, contentOf, type Facts } from './imports.service.ts';
import type { FileWorkout } from './reading/training.ts';

/** Workouts that one transaction writes. */
const AT_ONCE = 50;
/** Time limit for one statement of an import, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** Writes imports into the log, piece by piece: whoever goes on after a kill begins where the last commit was. */
export function importDeliveries(db: Database, sockets: Sockets): Deliveries {
  return {
    [COMMIT_IMPORT]: {
      maxAttempts: 20,
      deliver: async ({ user_id: userId, payload: { importId } }) => {
        if (userId === null || importId === undefined) return false;
        const skipped = await db.asService((tx) => duplicatesOf(tx, userId, importId), TIMEOUT_MS);
        for (;;) {
          const progress = await db.asService((tx) => step(tx, userId, importId, skipped), TIMEOUT_MS);
          if (progress === undefined) return true;
          sockets.emit(userId, 'import_progress', { id: importId, ...progress });
          if (progress.state !== 'committing') return true;
        }
      },
    },
  };
}

/** Positions of workouts that were in the log before this import. */
async function duplicatesOf(tx: Transaction, userId: string, importId: string): Promise<Set<number>> {
  const row = await tx.maybe(LOCK_IMPORT, [userId, importId]);
  if (!row || row.duplicates === 'import') return new Set();
  const rows = await tx.rows(LIST_DUPLICATES, [userId, importId, row.mapping]);
  return new Set(rows.map(({ position }) => position));
}

/** Writes the next workouts. Undefined: there is nothing to do any more. */
async function step(tx: Transaction, userId: string, importId: string, skipped: Set<number>) {
  const row = await tx.maybe(LOCK_IMPORT, [userId, importId]);
  if (row?.state !== 'committing') return undefined;
  const next = await tx.rows(LIST_WORKOUTS, [userId, importId, row.done, AT_ONCE]);
  if (next.length === 0) {
    const { own } = row.facts as unknown as Facts;
    for (const { id, kind, value, unit, measuredAt } of own?.measurements ?? []) {
      await tx.rows(PUT_MEASUREMENT, [userId, id, kind, value, unit, measuredAt]);
    }
    await tx.rows(FINISH_IMPORT, [userId, importId]);
    await tx.rows(SET_STATE, [userId, importId, 'committed']);
    await tx.rows(FORGET_WORKOUTS, [userId, importId]);
    return { state: 'committed', done: row.done, total: row.total, added: row.added };
  }
  const workouts = next.flatMap(({ id, position, content }) => {
    const wanted = skipped.has(position) ? undefined : contentOf(content as unknown as FileWorkout, row);
    return wanted ? [{ id, content: wanted }] : [];
  });
  const { added } = await tx.one(WRITE_WORKOUTS, [userId, importId, JSON.stringify(workouts)]);
  await tx.rows(NOTE_PROGRESS, [userId, importId, next.length, added]);
  return { state: 'committing', done: row.done + next.length, total: row.total, added: row.added + added };
}
