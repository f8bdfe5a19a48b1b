import { passwordFingerprint, RESET_LINK, readLink } from '#identity/linkTokens.ts';
import { ApiError, badRequest } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import type { Deps } from '#transport/deps.ts';
import { FIND_RESETTABLE, type ResettableRow } from './auth.queries.ts';

const linkInvalid = () => badRequest('RESET_TOKEN_INVALID', 'Verification token is not valid');
export const linkUsed = () => badRequest('RESET_TOKEN_USED', 'URL already used or expired');

/**
 * The account whose password a reset link sets: password and address are still those that it was made for.
 * @throws ApiError 400 `RESET_TOKEN_INVALID` or `RESET_TOKEN_USED`
 */
export async function accountOfResetLink(
  { secrets }: Config,
  transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>,
  token: string,
): Promise<ResettableRow> {
  const claims = await readLink(secrets, RESET_LINK, token);
  if (claims === 'expired') throw linkUsed();
  if (typeof claims === 'string') throw linkInvalid();
  const user = await transaction((tx) => tx.maybe(FIND_RESETTABLE, [claims.sub]));
  const isSame =
    user !== undefined &&
    passwordFingerprint(user.password) === claims.fingerprint &&
    normalised(user.email) === normalised(claims.email);
  if (!isSame) throw linkUsed();
  return user;
}

/**
 * Whether a reset link can still be used; it is not used up by the question. What cannot be asked just now counts as
 * open: whoever then sends a password is told.
 */
export async function isOpenResetLink(deps: Deps, token: unknown): Promise<boolean> {
  if (typeof token !== 'string') return false;
  try {
    await accountOfResetLink(deps.config, (work) => deps.db.asService(work), token);
    return true;
  } catch (error) {
    return !(error instanceof ApiError);
  }
}

const normalised = (email: string): string => email.trim().toLowerCase();
