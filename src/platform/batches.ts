/** Sorts before every id. */
export const BEFORE_ALL_IDS = '00000000-0000-0000-0000-000000000000';

/**
 * Goes through rows by id, some of them in each transaction, so that nobody waits long for any of it.
 * @param next does the batch behind an id and says where it ended; null: there was nothing left
 * @param after goes on behind this id, where an earlier run was interrupted
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
