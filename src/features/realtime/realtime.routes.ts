import { z } from 'zod';
import { loginRequired } from '#identity/unauthorized.ts';
import { reply, route } from '#transport/route.ts';
import { FIND_SOCKET_OWNER } from './realtime.queries.ts';

export const realtimeRoutes = [
  route({
    method: 'POST',
    path: '/api/ws/generateticket',
    auth: 'user',
    sessions: 'all',
    transaction: 'auto',
    summary: 'A ticket for the socket handshake, good until it expires or the session ends.',
    responses: { 201: z.object({ ticket: z.string() }) },
    async handle({ tx, caller, deps }) {
      const { epoch, otherId } = caller.session;
      const owner = await tx.maybe(FIND_SOCKET_OWNER, [caller.id, otherId === undefined ? epoch : null]);
      if (!owner) throw loginRequired();
      const session = otherId === undefined ? { sessionEpoch: epoch } : { sid: otherId };
      const ticket = await deps.socketTickets.issue({ userId: caller.id, username: owner.username, ...session });
      return reply(201, { ticket });
    },
  }),
];
