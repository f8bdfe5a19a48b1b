import { IS_PICTURE_USED } from '#features/users/users.queries.ts';
import { FORGET_PAYLOADS, REMOVE_PICTURE, REMOVE_PICTURES } from '#features/users/users.service.ts';
import type { Cache } from '#platform/cache/cache.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Deliveries } from './delivery.ts';

/**
 * What nothing points to any more, outside the database; asked for until whoever holds it has answered.
 * @param bucket first part of the paths that people keep
 */
export function removalDeliveries(db: Database, bucket: string, pictures: PictureStorage, cache: Cache): Deliveries {
  const removal = (field: string, remove: (value: string) => Promise<boolean>) => ({
    maxAttempts: Number.POSITIVE_INFINITY,
    deliver: async ({ payload }: { payload: Record<string, string> }) => {
      const value = payload[field];
      return value !== undefined && value !== '' && remove(value);
    },
  });
  return {
    [REMOVE_PICTURES]: removal('userId', async (userId) => {
      await pictures.removeAllOf(userId);
      return true;
    }),
    [REMOVE_PICTURE]: removal('key', async (key) => {
      const { used } = await db.asService((tx) => tx.one(IS_PICTURE_USED, [key.split('/')[0], `${bucket}/${key}`]));
      if (!used) await pictures.remove(key);
      return !used;
    }),
    [FORGET_PAYLOADS]: removal('userId', async (userId) => {
      await cache.forget(userId);
      return true;
    }),
  };
}
