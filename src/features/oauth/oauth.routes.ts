import { parseKeyBinding } from '#identity/dpop.ts';
import type { ProvenIdentity } from '#identity/providerTokens.ts';
import { issueTokens, startSession } from '#identity/sessions.ts';
import { signInFailuresByAddress } from '#identity/signInLimits.ts';
import { loginRequired } from '#identity/unauthorized.ts';
import { ApiError, notFound } from '#platform/apiError.ts';
import { countingFailures } from '#platform/attempts.ts';
import type { Counting } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import { reply, route } from '#transport/route.ts';
import { appleSignIn, googleSignIn, proceeded, signedIn } from './oauth.schemas.ts';
import { joinedName, readMissingFields, resolveAccount, usableName } from './oauth.service.ts';

interface SignIn extends Counting {
  deps: Deps;
  requestId: string;
  header(name: string): string | undefined;
  signal: AbortSignal;
}

/** What both providers share: verify the token, find or make the account, start the session. */
async function signIn(
  context: SignIn,
  prove: () => Promise<ProvenIdentity>,
  nameOf: (identity: ProvenIdentity) => string | null,
) {
  const { deps, address, requestId, header, signal } = context;
  const thumbprint = deps.config.DPOP_ENABLED ? parseKeyBinding(header('dpop-key-binding')) : undefined;
  const isForged = (error: unknown) => error instanceof ApiError && error.status === 401;
  const identity = await deps.providerTokens.inTurn(address.network, () =>
    countingFailures(context, [[signInFailuresByAddress, { address }]], isForged, prove),
  );
  const signInOnce = async (tx: Transaction) => {
    const userId = await resolveAccount(tx, identity, nameOf(identity), requestId);
    const missing = (await readMissingFields(tx, userId)) ?? null;
    return { session: await startSession(tx, deps, userId, {}, missing === null), missingFields: missing };
  };
  const key = `${identity.provider} ${identity.subject}`;
  const { session, missingFields } = await deps.db.asServiceFor(key, signInOnce, signal);
  if (!session) throw new Error('the account that was just resolved is gone');
  const { accessToken, refreshToken } = issueTokens(deps.sessionTokens, session, thumbprint);
  return reply(200, {
    message: 'Login successful',
    user: session.id,
    missingFields,
    accessToken,
    refreshToken: missingFields === null ? refreshToken : null,
  });
}

export const oauthRoutes = [
  route({
    method: 'POST',
    path: '/api/oauth/google',
    auth: 'public',
    transaction: 'manual',
    summary: 'Signs in with a Google ID token.',
    body: googleSignIn,
    responses: { 200: signedIn },
    errors: [401],
    headers: { 'DPoP-Key-Binding': 'required' },
    handle: (context) =>
      signIn(
        context,
        () => context.deps.providerTokens.google(context.body.idToken),
        ({ name }) => usableName(name),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/oauth/apple',
    auth: 'public',
    transaction: 'manual',
    summary: 'Signs in with an Apple identity token and the nonce that it was asked with.',
    body: appleSignIn,
    responses: { 200: signedIn },
    errors: [401],
    headers: { 'DPoP-Key-Binding': 'required' },
    handle: (context) =>
      signIn(
        context,
        () => context.deps.providerTokens.apple(context.body.idToken, context.body.rawNonce),
        () => joinedName([context.body.name?.givenName, context.body.name?.familyName]),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/oauth/proceedauth',
    auth: 'user',
    transaction: 'auto',
    summary: 'Ends the completion of a profile: a full session, bound to the key of the proof.',
    responses: { 200: proceeded },
    errors: [404, 409],
    async handle({ tx, caller, deps }) {
      const missing = await tx.asService(() => readMissingFields(tx, caller.id));
      if (missing === undefined) throw notFound('No linked sign-in account', 'OAUTH_ACCOUNT_NOT_FOUND');
      if (missing !== null) throw new ApiError(409, 'PROFILE_INCOMPLETE', 'Profile not completed yet');
      const session = await startSession(tx, deps, caller.id, { session: caller.session });
      if (!session) throw loginRequired();
      const tokens = issueTokens(deps.sessionTokens, session, caller.thumbprint);
      return reply(200, { message: 'Login successful', user: session.id, ...tokens });
    },
  }),
];
