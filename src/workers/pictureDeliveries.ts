import { REMOVE_PICTURE, REMOVE_PICTURES } from '#features/users/users.service.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Deliveries } from './outboxWorker.ts';

/** What nothing points to any more; asked for until the storage has answered. */
export function pictureDeliveries(pictures: PictureStorage): Deliveries {
  return {
    [REMOVE_PICTURES]: {
      maxAttempts: Number.POSITIVE_INFINITY,
      deliver: async ({ payload: { userId } }) => {
        if (!userId) return false;
        await pictures.removeAllOf(userId);
        return true;
      },
    },
    [REMOVE_PICTURE]: {
      maxAttempts: Number.POSITIVE_INFINITY,
      deliver: async ({ payload: { key } }) => {
        if (!key) return false;
        await pictures.remove(key);
        return true;
      },
    },
  };
}
