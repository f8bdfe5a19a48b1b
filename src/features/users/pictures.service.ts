import { randomUUID } from 'node:crypto';
import { loginRequired } from '#identity/unauthorized.ts';
import { ApiError, badRequest, forbidden } from '#platform/apiError.ts';
import { QueueFull, WaitedTooLong } from '#platform/fairQueue.ts';
import { DatabaseUnavailable } from '#platform/postgres/connection.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { StorageUnavailable } from '#platform/storage/storage.ts';
import type { Deps } from '#transport/deps.ts';
import { CLEAR_PICTURE, FIND_PICTURE, REPLACE_PICTURE } from './users.queries.ts';
import { REMOVE_PICTURE, requestRemoval } from './users.service.ts';

type Step = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

const unsupported = () => badRequest('UNSUPPORTED_FILE_TYPE', 'Unsupported file type');

/** A stored picture that no account uses after so many seconds is removed, whatever happened in between. */
const UNUSED_AFTER_SECONDS = 15 * 60;

/**
 * Stores a picture and makes it the caller's. No database connection is held during the transfer. Before the picture is
 * stored, a check is put into the outbox that removes it later if no account uses it, so that a crash leaves none
 * behind. As a rule the old picture is removed right after the commit, or the new one if nothing was committed.
 * @param signal aborts when the client hangs up: nothing more is decoded or stored then
 * @returns the path that the app keeps: `<bucket>/<user id>/<random>.<extension>`
 */
export async function replacePicture(
  deps: Deps,
  step: Step,
  userId: string,
  file: Buffer | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (!file || file.length === 0) throw badRequest('VALIDATION_FAILED', 'No file provided');
  const picture = await cleaned(deps, userId, file, signal);
  if (!picture) throw unsupported();
  signal.throwIfAborted();
  const key = `${userId}/${randomUUID()}.${picture.extension}`;
  const path = `${deps.config.BUCKET_NAME}/${key}`;
  await deps.db.asService((tx) => removeIfUnused(tx, deps, key));
  await stored(() => deps.pictures.put(key, picture.bytes, picture.contentType));
  let previousKey: string | undefined;
  try {
    signal.throwIfAborted();
    previousKey = await step(async (tx) => {
      const replaced = await tx.maybe(REPLACE_PICTURE, [userId, path]);
      if (!replaced) throw loginRequired(); // the account was deleted meanwhile
      const before = keyOf(deps, replaced.previous);
      if (before) await removeIfUnused(tx, deps, before);
      return before;
    });
  } catch (error) {
    // If the connection was lost, the commit may have succeeded: the outbox checks later whether the picture is used.
    if (!(error instanceof DatabaseUnavailable)) await removeNow(deps, key);
    throw error;
  }
  if (previousKey) await removeNow(deps, previousKey);
  return path;
}

async function cleaned(deps: Deps, userId: string, file: Buffer, signal: AbortSignal) {
  try {
    return await deps.cleanPicture(file, userId, signal);
  } catch (error) {
    if (!(error instanceof QueueFull || error instanceof WaitedTooLong)) throw error;
    throw storageUnavailable();
  }
}

const removeIfUnused = (tx: Transaction, { outbox }: Deps, key: string): Promise<void> =>
  requestRemoval(tx, outbox, REMOVE_PICTURE, { key }, UNUSED_AFTER_SECONDS);

/**
 * Removes the caller's own picture; the given path is compared and nothing else.
 * @throws ApiError 403 for a path that could not be the caller's
 */
export async function removePicture(deps: Deps, step: Step, userId: string, given: string | null): Promise<void> {
  const recorded = (await step((tx) => tx.maybe(FIND_PICTURE, [userId])))?.path ?? null;
  if (given !== null && given !== recorded && !isPlainPathOf(`${deps.config.BUCKET_NAME}/${userId}/`, given)) {
    throw forbidden();
  }
  if (recorded === null) return;
  const key = keyOf(deps, recorded);
  if (key) await stored(() => deps.pictures.remove(key));
  await step((tx) => tx.rows(CLEAR_PICTURE, [userId, recorded]));
}

function isPlainPathOf(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && !path.includes('..') && /^[A-Za-z0-9_/.-]+$/.test(path);
}

/** The storage key of a path, if it is a path in our bucket. */
function keyOf(deps: Deps, path: string | null): string | undefined {
  const prefix = `${deps.config.BUCKET_NAME}/`;
  return path?.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StorageUnavailable ? storageUnavailable() : error;
  }
}

function storageUnavailable(): ApiError {
  const headers = { 'Retry-After': '30' };
  return new ApiError(503, 'STORAGE_UNAVAILABLE', 'Picture storage is temporarily unavailable', { headers });
}

/** Removes a picture that no account uses any more; if the storage is away, the outbox does it later. */
async function removeNow(deps: Deps, key: string): Promise<void> {
  try {
    await deps.pictures.remove(key);
  } catch (error) {
    deps.log.warn({ err: error }, 'an old picture was not removed yet');
    await deps.db.asService((tx) => requestRemoval(tx, deps.outbox, REMOVE_PICTURE, { key }));
  }
}
