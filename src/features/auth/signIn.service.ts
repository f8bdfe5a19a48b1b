import type { z } from 'zod';
import { checkPassword, FIND_ACCOUNT } from '#identity/credentials.ts';
import { type Proof, parseKeyBinding } from '#identity/dpop.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { checkRefreshToken, issueTokens, rotateSession, startSession } from '#identity/sessions.ts';
import { tokenOf } from '#identity/sessionTokens.ts';
import { ApiError, invalidCredentials } from '#platform/apiError.ts';
import { foreignKeyByAddress, refreshes } from './auth.limits.ts';
import type { credentials } from './auth.schemas.ts';
import { type AskingApi, notVerified } from './auth.service.ts';

interface Device extends AskingApi {
  header(name: string): string | undefined;
  /** Checks 1 to 7 of the request's proof. @throws ApiError 401 */
  proof(): Proof;
}

/**
 * Signs in with a password; the tokens are bound to the key that the device names.
 * @throws ApiError 400 without a valid key binding, 401 `INVALID_CREDENTIALS`, `EMAIL_NOT_VERIFIED`, 429
 */
export async function signIn(device: Device, form: z.output<typeof credentials>) {
  const { deps, header, signal } = device;
  const thumbprint = deps.config.DPOP_ENABLED ? parseKeyBinding(header('dpop-key-binding')) : undefined;
  const identifier = form.identifier.toLowerCase();
  const account = await checkPassword(device, identifier, form.password, (tx) => tx.maybe(FIND_ACCOUNT, [identifier]));
  if (!account.is_verified) throw notVerified();
  const session = await deps.db.asServiceFor(
    account.id,
    (tx) => startSession(tx, deps, account.id, { passwordHash: account.password }),
    signal,
  );
  if (!session) throw invalidCredentials();
  return { user: account.id, ...issueTokens(deps.sessionTokens, session, thumbprint) };
}

/**
 * Exchanges a refresh token for a new pair; held while the database is away.
 * @throws ApiError 401, 429; DatabaseUnavailable
 */
export async function refresh(device: Device) {
  const { address, consume, deps, header, peek, requestId, signal, transaction } = device;
  const hold = deps.outageHold(signal);
  const proof = deps.config.DPOP_ENABLED ? device.proof() : undefined;
  if (proof) await hold(() => deps.replayStore.accept(proof, requestId));
  const token = tokenOf(header('x-refresh-token'));
  const claims = await checkRefreshToken(deps.sessionTokens.readRefresh, token, proof, async (userId) => {
    await consume(foreignKeyByAddress, { address });
    await transaction((tx) => recordEvent(tx, 'refresh-by-foreign-key', userId, requestId));
  });
  await peek(refreshes, claims.userId);
  const session = await hold(() => rotateSession(deps.db, claims, deps.config));
  // Counted after the rotation, so that a token of an ended session does not count against its owner. A session that
  // was rotated is always answered, even if the limit has been reached meanwhile.
  await deps.limits.consume(refreshes, claims.userId).catch((error) => {
    if (!(error instanceof ApiError)) throw error;
  });
  return { userId: session.id, ...issueTokens(deps.sessionTokens, session, proof?.thumbprint) };
}
