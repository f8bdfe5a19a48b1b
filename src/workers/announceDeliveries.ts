import { ANNOUNCE_MESSAGES } from '#features/messages/broadcast.service.ts';
import { announceMessages } from '#features/messages/messages.service.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets/sockets.ts';
import type { Deliveries } from './delivery.ts';

/** What a command wrote into inboxes is emitted by a process that has sockets, or reaches them. */
export function announceDeliveries(db: Database, sockets: Sockets, defaultZone: string): Deliveries {
  return {
    [ANNOUNCE_MESSAGES]: {
      maxAttempts: 3,
      deliver: async ({ payload }) => {
        await announceMessages(db, sockets, payload.ids?.split(' ') ?? [], defaultZone);
        return true;
      },
    },
  };
}
