import { randomUUID } from 'node:crypto';
import { loginRequired } from '#http/authenticate.ts';
import type { Deps } from '#http/deps.ts';
import { ApiError, badRequest, forbidden } from '#http/errors.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { StorageUnavailable } from '#platform/storage/storage.ts';
import { CLEAR_PICTURE, FIND_PICTURE, REPLACE_PICTURE } from './users.queries.ts';
import { REMOVE_PICTURE, requestRemoval } from './users.service.ts';

type Step = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

const unsupported = () => badRequest('UNSUPPORTED_FILE_TYPE', 'Unsupported file type');

/**
 * Stores a picture and makes it the caller's. The transfer holds no connection; the old object goes
 * after the commit, the new one if nothing was committed.
 * @returns the path that the app keeps: `<bucket>/<user id>/<random>.<extension>`
 */
export async function replacePicture(
  deps: Deps,
  step: Step,
  userId: string,
  file: Buffer | undefined,
): Promise<string> {
  if (!file || file.length === 0) throw badRequest('VALIDATION_FAILED', 'No file provided');
  const picture = await deps.cleanPicture(file);
  if (!picture) throw unsupported();
  const key = `${userId}/${randomUUID()}.${picture.extension}`;
  const path = `${deps.config.BUCKET_NAME}/${key}`;
  await stored(() => deps.pictures.put(key, picture.bytes, picture.contentType));
  let previous: string | null;
  try {
    const replaced = await step((tx) => tx.maybe(REPLACE_PICTURE, [userId, path]));
    if (!replaced) throw loginRequired(); // the account was deleted meanwhile
    previous = replaced.previous;
  } catch (error) {
    await removeLater(deps, key);
    throw error;
  }
  const previousKey = keyOf(deps, previous);
  if (previousKey) await removeLater(deps, previousKey);
  return path;
}

/**
 * Removes the caller's own picture; the given path never addresses anything.
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

/** The object behind a stored path, if it is one of ours. */
function keyOf(deps: Deps, path: string | null): string | undefined {
  const prefix = `${deps.config.BUCKET_NAME}/`;
  return path?.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const headers = { 'Retry-After': '30' };
    throw new ApiError(503, 'STORAGE_UNAVAILABLE', 'Picture storage is temporarily unavailable', { headers });
  }
}

/** Removes an object that nothing points to any more; if the storage is away, the outbox sees to it. */
async function removeLater(deps: Deps, key: string): Promise<void> {
  try {
    await deps.pictures.remove(key);
  } catch (error) {
    deps.log.warn({ err: error }, 'an old picture was not removed yet');
    await deps.db.asService((tx) => requestRemoval(tx, REMOVE_PICTURE, { key }));
  }
}
