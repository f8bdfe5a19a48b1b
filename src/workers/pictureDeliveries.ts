import { REMOVE_PICTURES } from '#features/users/users.service.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Delivery } from './outboxWorker.ts';

/** What is left of a deleted account in the picture store. */
export function pictureDeliveries(pictures: PictureStorage): Record<string, Delivery> {
  return {
    [REMOVE_PICTURES]: async ({ payload }) => {
      await pictures.removeAllOf(payload.userId ?? '');
      return true;
    },
  };
}
