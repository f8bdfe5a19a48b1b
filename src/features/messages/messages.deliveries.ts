import type { Deliveries } from '#outbox/delivery.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import { ANNOUNCE_MESSAGES } from './broadcast.service.ts';
import { announceMessages } from './messages.service.ts';

/** Messages that a command has written are sent to open sockets by a worker, which reaches those of all instances. */
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
