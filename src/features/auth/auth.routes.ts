import { readLink, VERIFICATION_LINK } from '#identity/linkTokens.ts';
import { hasLiveToken } from '#identity/refreshing.ts';
import { tokenOf } from '#identity/sessionTokens.ts';
import { forbidden } from '#platform/apiError.ts';
import { reply, route } from '#transport/route.ts';
import { htmlPage, linkQuery } from '#transport/schemas.ts';
import { verificationFailed, verified } from './auth.pages.ts';
import { END_SESSION, VERIFY_EMAIL } from './auth.queries.ts';
import { acknowledged, credentials, loggedIn, refreshed } from './auth.schemas.ts';
import { refresh, signIn } from './signIn.service.ts';

export const authRoutes = [
  route({
    method: 'POST',
    path: '/api/auth/login',
    auth: 'public',
    transaction: 'manual',
    summary: 'Signs in with a password; DPoP-Key-Binding names the key that the tokens are bound to.',
    body: credentials,
    responses: { 200: loggedIn },
    errors: [401],
    headers: { 'DPoP-Key-Binding': 'required' },
    async handle(context) {
      return reply(200, { message: 'Login successful', ...(await signIn(context, context.body)) });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/refresh',
    auth: 'public',
    transaction: 'manual',
    summary: 'Exchanges the refresh token in X-Refresh-Token for a new pair, with a proof by the key it is bound to.',
    responses: { 200: refreshed },
    errors: [401],
    headers: { DPoP: 'required', 'X-Refresh-Token': 'required' },
    isExempt: (header, { identity, sessionTokens }) => hasLiveToken(header, identity.isLive, sessionTokens.readRefresh),
    async handle(context) {
      return reply(200, { message: 'Access token refreshed', ...(await refresh(context)) });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/logout',
    auth: 'user',
    endsSessions: true,
    transaction: 'auto',
    summary: "Ends the caller's session on every device.",
    responses: { 200: acknowledged },
    errors: [403],
    headers: { 'X-Refresh-Token': 'optional' },
    async handle({ tx, caller, deps, header }) {
      const token = tokenOf(header('x-refresh-token'));
      const claims = token ? await deps.sessionTokens.readRefresh(token) : undefined;
      if (claims && claims.userId !== caller.id) throw forbidden('Refresh token belongs to another user');
      await tx.rows(END_SESSION);
      tx.afterCommit(() => deps.sockets.recheck(caller.id));
      return reply(200, { message: 'Logged out successfully' });
    },
  }),
  route({
    method: 'GET',
    path: '/api/auth/verify',
    gates: 'none',
    auth: 'public',
    transaction: 'auto',
    summary: 'Opened from the verification mail. Safe to open twice.',
    query: linkQuery,
    produces: 'text/html',
    failureTitle: 'Verification Failed',
    responses: { 200: htmlPage, 400: htmlPage, 401: htmlPage },
    async handle({ tx, query, deps }) {
      if (!query.token) return reply(400, verificationFailed('The link is incomplete.'));
      const claims = await readLink(deps.config.secrets, VERIFICATION_LINK, query.token);
      if (claims === 'malformed') return reply(400, verificationFailed('The link is not valid.'));
      if (typeof claims === 'string') return reply(401, verificationFailed('The link is not valid or has expired.'));
      const user = await tx.maybe(VERIFY_EMAIL, [claims.sub, claims.email, claims.epoch ?? null]);
      if (!user) return reply(401, verificationFailed('The link no longer belongs to this account.'));
      return reply(200, verified());
    },
  }),
];
