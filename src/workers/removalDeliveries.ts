import { FORGET_PAYLOADS, REMOVE_PICTURE, REMOVE_PICTURES } from '#features/users/users.service.ts';
import type { Cache } from '#platform/cache/cache.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Deliveries } from './delivery.ts';

/** What nothing points to any more, outside the database; asked for until whoever holds it has answered. */
export function removalDeliveries(pictures: PictureStorage, cache: Cache): Deliveries {
  const removal = (field: string, remove: (value: string) => Promise<void>) => ({
    maxAttempts: Number.POSITIVE_INFINITY,
    deliver: async ({ payload }: { payload: Record<string, string> }) => {
      const value = payload[field];
      if (!value) return false;
      await remove(value);
      return true;
    },
  });
  return {
    [REMOVE_PICTURES]: removal('userId', pictures.removeAllOf),
    [REMOVE_PICTURE]: removal('key', pictures.remove),
    [FORGET_PAYLOADS]: removal('userId', cache.forget),
  };
}
