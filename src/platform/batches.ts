/** Sorts before every id. */
export const BEFORE_ALL_IDS = '00000000-0000-0000-0000-000000000000';

/**
 * Works through rows in the order of their ids, one batch in each transaction, so that no lock is held for long.
 * @param next processes the batch after an id and returns the last id of it; null: nothing was left
 * @param after starts after this id, where an earlier run was interrupted
 */
export async function* batches<T extends { last_id: string | null }>(
  next: (after: string) => Promise<T>,
  after = BEFORE_ALL_IDS,
): AsyncGenerator<T & { last_id: string }> {
  for (let from: string | null = after; from !== null; ) {
    const batch: T = await next(from);
    from = batch.last_id;
    if (from !== null) yield { ...batch, last_id: from };
  }
}
