import { hasLiveToken } from '#identity/refreshing.ts';
import { reply, route } from '#transport/route.ts';
import { noBody } from '#transport/schemas.ts';
import { address, refreshed, sessionId, sessions, signedIn, signIn } from './sessions.schemas.ts';
import {
  endAllOthers,
  endSession,
  listSessions,
  mailCode,
  refreshOtherSession,
  startOtherSession,
} from './sessions.service.ts';

/** Sessions beside the phone, and the list of all (behaviour 6.5). */
export const sessionsRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/sessions',
    operation: 'signIn',
    auth: 'public',
    transaction: 'manual',
    summary:
      'Starts a session beside the phone, with a password or a mailed code; its tokens are bound to the key of the proof.',
    body: signIn,
    responses: { 201: signedIn },
    errors: [401],
    headers: { DPoP: 'required' },
    handle: async (context) => reply(201, await startOtherSession(context, context.body)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/sessions/code',
    operation: 'mailSignInCode',
    auth: 'public',
    transaction: 'manual',
    summary: 'Mails a code of eight digits, if the address belongs to a verified account. Always 204.',
    body: address,
    responses: { 204: noBody },
    async handle(context) {
      await mailCode(context, context.body.email);
      return reply(204);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/sessions/refresh',
    operation: 'refreshSession',
    auth: 'public',
    transaction: 'manual',
    summary: 'Exchanges the refresh token in X-Refresh-Token for a new pair, with a proof by the key it is bound to.',
    responses: { 200: refreshed },
    errors: [401],
    headers: { DPoP: 'required', 'X-Refresh-Token': 'required' },
    isExempt: (header, { identity, sessionTokens }) =>
      hasLiveToken(header, identity.isLive, sessionTokens.readOtherRefresh),
    handle: async (context) => reply(200, await refreshOtherSession(context)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/sessions',
    operation: 'listSessions',
    auth: 'user',
    transaction: 'auto',
    summary: "The phone's session and those beside it.",
    responses: { 200: sessions },
    handle: async ({ tx, caller, deps }) => reply(200, await listSessions(tx, deps.config, caller)),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/sessions/:id',
    operation: 'endSession',
    auth: 'user',
    endsSessions: true,
    transaction: 'auto',
    summary: 'Ends a session at once, on every instance, with its sockets. The id "phone" is that of the phone.',
    params: sessionId,
    responses: { 204: noBody },
    errors: [404],
    async handle({ tx, deps, caller, params }) {
      await endSession(tx, deps, caller, params.id);
      return reply(204);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/sessions',
    operation: 'endOtherSessions',
    auth: 'user',
    endsSessions: true,
    transaction: 'auto',
    summary: 'Ends all sessions but the one that asks.',
    responses: { 204: noBody },
    async handle({ tx, deps, caller }) {
      await endAllOthers(tx, deps, caller);
      return reply(204);
    },
  }),
];
