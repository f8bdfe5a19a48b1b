import { guarded, refused } from '../call.ts';
import { isObject } from '../difference.ts';
import { asAnybody, asPhone, type Builder, type Deed } from './builder.ts';

/** Marks or deletes one of the caller's messages, one that was deleted, or one that is none. */
const withMessage =
  (method: 'PUT' | 'DELETE', path: string, says: string): Builder =>
  (scene) => {
    const { account, stage, move } = scene;
    const known = (account?.messages ?? []).flatMap(({ id }) => id ?? []);
    const isForeign = move.b % 5 === 4 || known.length === 0;
    const id = isForeign ? stage.statue.messageId : (known[move.a % known.length] ?? '');
    return asPhone(scene, {
      says: isForeign ? `${says} of somebody else` : says,
      method,
      path: path + id,
      outcomes: (world, _at, token) =>
        guarded(world, token, (own, next) => {
          const found = own.messages.findIndex((message) => message.id === id);
          const message = own.messages[found];
          if (!message) return [refused(next, 404, 'MESSAGE_NOT_FOUND')];
          if (method === 'DELETE') own.messages.splice(found, 1);
          else message.isRead = true;
          return [{ world: next, status: 200, body: method === 'DELETE' ? { id } : { id, is_read: true } }];
        }),
    });
  };

/** A scheduler outside asks for the pushes that are due; it may ask as often as it likes. */
const trigger = (path: string, message: RegExp): Builder => {
  return () =>
    asAnybody({
      says: `asks for ${path.slice('/api/push/'.length)} pushes`,
      method: 'GET',
      path,
      outcomes: (world) => [
        {
          world,
          status: 200,
          body: (actual) =>
            isObject(actual) && actual.success === true && message.test(String(actual.message))
              ? undefined
              : 'is wrong',
        },
      ],
    });
};

export const messages = {
  markRead: {
    routes: ['PUT /api/messages/markasread/:id'],
    build: withMessage('PUT', '/api/messages/markasread/', 'reads a message'),
  },
  deleteMessage: {
    routes: ['DELETE /api/messages/delete/:id'],
    build: withMessage('DELETE', '/api/messages/delete/', 'deletes a message'),
  },
  dailyPush: {
    routes: ['GET /api/push/daily'],
    build: trigger('/api/push/daily', /^Daily notifications enqueued$/),
  },
  hourlyPush: {
    routes: ['GET /api/push/hourlyreminder'],
    build: trigger('/api/push/hourlyreminder', /^Enqueued \d+ workout reminders$/),
  },
} satisfies Record<string, Deed>;
