import { issueTokens, startSession } from '#features/auth/auth.service.ts';
import { countingFailures } from '#http/attempts.ts';
import type { Deps } from '#http/deps.ts';
import { parseKeyBinding } from '#http/dpop.ts';
import { ApiError, loginRequired, notFound } from '#http/errors.ts';
import type { ProvenIdentity } from '#http/providerTokens.ts';
import { type Counting, reply, route } from '#http/route.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { appleSignIn, googleSignIn, proceeded, signedIn } from './oauth.schemas.ts';
import { joinedName, readMissingFields, resolveAccount, usableName } from './oauth.service.ts';

interface SignIn extends Counting {
  deps: Deps;
  requestId: string;
  header(name: string): string | undefined;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** The part that both providers share: prove, resolve, start the session. */
async function signIn(
  context: SignIn,
  prove: () => Promise<ProvenIdentity>,
  nameOf: (identity: ProvenIdentity) => string | null,
) {
  const { deps, address, requestId, header, transaction } = context;
  const thumbprint = deps.config.DPOP_ENABLED ? parseKeyBinding(header('dpop-key-binding')) : undefined;
  const isForged = (error: unknown) => error instanceof ApiError && error.status === 401;
  const identity = await deps.providerTokens.inTurn(address.network, () =>
    countingFailures(context, [['signInFailuresByAddress', { address }]], isForged, prove),
  );
  const { session, missingFields } = await transaction(async (tx) => {
    const userId = await resolveAccount(tx, identity, nameOf(identity), requestId);
    const missing = (await readMissingFields(tx, userId)) ?? null;
    return { session: await startSession(tx, deps, userId, {}, missing === null), missingFields: missing };
  });
  if (!session) throw new Error('the account that was just resolved is gone');
  const { accessToken, refreshToken } = await issueTokens(deps, session, thumbprint);
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
    audience: 'public',
    unit: 'steps',
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
    audience: 'public',
    unit: 'steps',
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
    audience: 'user',
    unit: 'whole',
    summary: 'Ends the completion of a profile: a full session, bound to the key of the proof.',
    responses: { 200: proceeded },
    errors: [404, 409],
    async handle({ tx, caller, deps }) {
      const missing = await tx.asService(() => readMissingFields(tx, caller.id));
      if (missing === undefined) throw notFound('No linked sign-in account', 'OAUTH_ACCOUNT_NOT_FOUND');
      if (missing !== null) throw new ApiError(409, 'PROFILE_INCOMPLETE', 'Profile not completed yet');
      const session = await startSession(tx, deps, caller.id, { session: caller.session });
      if (!session) throw loginRequired();
      const tokens = await issueTokens(deps, session, caller.thumbprint);
      return reply(200, { message: 'Login successful', user: session.id, ...tokens });
    },
  }),
];
