import { notFound } from '#http/errors.ts';
import { reply, route } from '#http/route.ts';
import { timeZoneQuery } from '#http/timeZone.ts';
import { deletedMessage, inbox, messageId, readMessage } from './messages.schemas.ts';
import { deleteMessage, markRead, readInbox } from './messages.service.ts';

export const messagesRoutes = [
  route({
    method: 'GET',
    path: '/api/messages/getmessages',
    audience: 'user',
    unit: 'whole',
    summary: 'The newest 200 received messages.',
    query: timeZoneQuery,
    responses: { 200: inbox },
    handle: async ({ tx, caller, query, deps }) =>
      reply(200, await readInbox(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)),
  }),
  route({
    method: 'PUT',
    path: '/api/messages/markasread/:id',
    audience: 'user',
    unit: 'whole',
    summary: 'Marks a received message as read.',
    params: messageId,
    responses: { 200: readMessage },
    errors: [404],
    async handle({ tx, caller, params }) {
      const id = await markRead(tx, caller.id, params.id);
      if (!id) throw notFound('Message not found', 'MESSAGE_NOT_FOUND');
      return reply(200, { id, is_read: true });
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/messages/delete/:id',
    audience: 'user',
    unit: 'whole',
    summary: 'Deletes a received message for its receiver.',
    params: messageId,
    responses: { 200: deletedMessage },
    errors: [404],
    async handle({ tx, caller, params }) {
      const id = await deleteMessage(tx, caller.id, params.id);
      if (!id) throw notFound('Message not found.', 'MESSAGE_NOT_FOUND');
      return reply(200, { id });
    },
  }),
];
