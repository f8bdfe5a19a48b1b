import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { StartupError } from './startupError.ts';

/** Longest that one start waits for another, in milliseconds. */
const PATIENCE_MS = 60_000;
const SQLITE_BUSY = 5;

/**
 * Does work while this process holds an exclusive lock on a file. It is the lock that SQLite takes on its files:
 * the operating system releases it when the process ends, however it ends.
 * @param waitMs longest wait for the lock, in milliseconds
 * @throws StartupError when others hold the lock for so long
 */
export async function alone<Result>(file: string, work: () => Promise<Result>, waitMs = PATIENCE_MS): Promise<Result> {
  const end = Date.now() + waitMs;
  let lock = tryLock(file, 0);
  while (!lock) {
    if (Date.now() >= end) throw tooLong(file, waitMs);
    await pause(100);
    lock = tryLock(file, 0);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** The same for synchronous work; waiting for the lock blocks the whole process. @throws StartupError */
export function aloneNow<Result>(file: string, work: () => Result): Result {
  const lock = tryLock(file, PATIENCE_MS);
  if (!lock) throw tooLong(file, PATIENCE_MS);
  try {
    return work();
  } finally {
    lock.close();
  }
}

function tryLock(file: string, waitMs: number): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: waitMs });
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw new StartupError(
      `The lock ${file} cannot be taken (${(error as Error).message}): delete it, or set DATA_DIR to a folder on a local disk.`,
      { cause: error },
    );
  }
}

function tooLong(file: string, waitMs: number): StartupError {
  return new StartupError(
    `Another start has held ${file} for ${waitMs / 1_000} seconds: end that process, or set DATA_DIR to another folder.`,
  );
}
