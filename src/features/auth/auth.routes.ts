import { parseKeyBinding } from '#http/dpop.ts';
import { forbidden, invalidCredentials } from '#http/errors.ts';
import { readLink, VERIFICATION_LINK } from '#http/linkTokens.ts';
import { reply, route } from '#http/route.ts';
import { recordEvent } from '#http/securityEvents.ts';
import { tokenOf } from '#http/sessionTokens.ts';
import { verificationFailed, verified } from './auth.pages.ts';
import { END_SESSION, FIND_ACCOUNT, VERIFY_EMAIL } from './auth.queries.ts';
import { acknowledged, credentials, htmlPage, linkQuery, loggedIn, refreshed } from './auth.schemas.ts';
import { checkRefreshToken, issueTokens, notVerified, rotateSession, startSession } from './auth.service.ts';
import { checkPassword } from './credentials.service.ts';

export const authRoutes = [
  route({
    method: 'POST',
    path: '/api/auth/login',
    audience: 'public',
    unit: 'steps',
    summary: 'Signs in with a password; DPoP-Key-Binding names the key that the tokens are bound to.',
    body: credentials,
    responses: { 200: loggedIn },
    errors: [401],
    headers: { 'DPoP-Key-Binding': 'required' },
    async handle(context) {
      const { body, deps, header, transaction } = context;
      const thumbprint = deps.config.DPOP_ENABLED ? parseKeyBinding(header('dpop-key-binding')) : undefined;
      const identifier = body.identifier.toLowerCase();
      const account = await checkPassword(context, identifier, body.password, (tx) =>
        tx.maybe(FIND_ACCOUNT, [identifier]),
      );
      if (!account.is_verified) throw notVerified();
      const session = await transaction((tx) => startSession(tx, deps, account.id, { passwordHash: account.password }));
      if (!session) throw invalidCredentials();
      const tokens = await issueTokens(deps, session, thumbprint);
      return reply(200, { message: 'Login successful', user: account.id, ...tokens });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/refresh',
    audience: 'public',
    unit: 'steps',
    summary: 'Exchanges the refresh token in X-Refresh-Token for a new pair, with a proof by the key it is bound to.',
    responses: { 200: refreshed },
    errors: [401],
    headers: { DPoP: 'required', 'X-Refresh-Token': 'required' },
    async handle({ deps, address, requestId, header, proof: readProof, count, transaction, signal }) {
      const hold = deps.outageHold(signal);
      const proof = deps.config.DPOP_ENABLED ? readProof() : undefined;
      if (proof) await hold(() => deps.seenProofs.accept(proof, requestId));
      const claims = await checkRefreshToken(deps, tokenOf(header('x-refresh-token')), proof, async (userId) => {
        await count('foreignKeyByAddress', { address });
        await transaction((tx) => recordEvent(tx, 'refresh-by-foreign-key', userId, requestId));
      });
      await count('refresh', claims.userId);
      const session = await hold(() => rotateSession(deps, claims));
      const tokens = await issueTokens(deps, session, proof?.thumbprint);
      return reply(200, { message: 'Access token refreshed', userId: session.id, ...tokens });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/logout',
    audience: 'user',
    unit: 'whole',
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
    audience: 'public',
    unit: 'whole',
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
