import { z } from 'zod';
import { loginRequired } from '#identity/unauthorized.ts';
import { reply, route } from '#transport/route.ts';
import { FIND_SOCKET_OWNER } from './realtime.queries.ts';

export const realtimeRoutes = [
  route({
    method: 'POST',
    path: '/api/ws/generateticket',
    auth: 'user',
    transaction: 'auto',
    summary: 'A ticket for the socket handshake, good until it expires or the session ends.',
    responses: { 201: z.object({ ticket: z.string() }) },
    async handle({ tx, caller, deps }) {
      const owner = await tx.maybe(FIND_SOCKET_OWNER, [caller.id, caller.session.epoch]);
      if (!owner) throw loginRequired();
      const { username, session_epoch: sessionEpoch } = owner;
      return reply(201, { ticket: await deps.socketTickets.issue({ userId: caller.id, username, sessionEpoch }) });
    },
  }),
];
