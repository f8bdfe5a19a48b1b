import { notFound } from '#platform/apiError.ts';
import { reply, route } from '#transport/route.ts';
import { timeZoneQuery } from '#transport/timeZone.ts';
import { deletedMessage, inbox, messageId, readMessage } from './messages.schemas.ts';
import { deleteMessage, markRead, readInbox } from './messages.service.ts';

export const getInbox = route({
  method: 'GET',
  path: '/api/messages/getmessages',
  auth: 'user',
  transaction: 'auto',
  summary: 'The newest 200 received messages.',
  query: timeZoneQuery,
  responses: { 200: inbox },
  etag: true,
  cache: { namespace: 'inbox', dependsOn: ['inbox', 'senders'] },
  handle: async ({ tx, caller, query, deps }) =>
    reply(200, await readInbox(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)),
});

export const messagesRoutes = [
  getInbox,
  route({
    method: 'PUT',
    path: '/api/messages/markasread/:id',
    auth: 'user',
    transaction: 'auto',
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
    auth: 'user',
    transaction: 'auto',
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
