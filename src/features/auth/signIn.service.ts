import type { z } from 'zod';
import { checkPassword, FIND_ACCOUNT } from '#identity/credentials.ts';
import { type Proof, parseKeyBinding } from '#identity/dpop.ts';
import { refreshTokens } from '#identity/refreshing.ts';
import { issueTokens, startSession } from '#identity/sessions.ts';
import { invalidCredentials } from '#platform/apiError.ts';
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

/** Exchanges the phone's refresh token for a new pair. @throws ApiError 401, 429; DatabaseUnavailable */
export async function refresh(device: Device) {
  const { claims, tokens } = await refreshTokens(device, device.deps.sessionTokens.readRefresh);
  return { userId: claims.userId, ...tokens };
}
