import type { z } from 'zod';
import { checkPassword, FIND_ACCOUNT } from '#identity/credentials.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { voidEverythingBegun } from '#identity/sessions.ts';
import { ApiError, badRequest } from '#platform/apiError.ts';
import { isWithin } from '#platform/attempts.ts';
import type { Counting, Limit } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { correctedAddressMail, mailByAddress, resetMail, resetMailOfAccount, verificationMail } from './auth.limits.ts';
import {
  CORRECT_EMAIL,
  FIND_BY_USERNAME,
  FIND_RESET_OWNER,
  FIND_UNVERIFIED_BY_EMAIL,
  SET_PASSWORD,
} from './auth.queries.ts';
import type { correctedAddress } from './auth.schemas.ts';
import {
  type AskingApi,
  requestPasswordChangedMail,
  requestResetMail,
  requestVerificationMail,
} from './auth.service.ts';
import { accountOfResetLink, linkUsed } from './resetLink.service.ts';

const alreadyVerified = () => badRequest('ALREADY_VERIFIED', 'Account already verified');
export const emailInUse = () => new ApiError(409, 'EMAIL_IN_USE', 'Email already in use');

/** Mail limits count by target whether or not there is an account, so that a 429 does not tell who has one. */
async function countMail(
  { consume, address }: Pick<Counting, 'consume' | 'address'>,
  limits: Limit[],
  targets: string[],
): Promise<void> {
  await consume(mailByAddress, { address });
  for (const target of targets) {
    for (const limit of limits) await consume(limit, target);
  }
}

/**
 * Asks for another verification mail, if the address belongs to an unverified account. For any other one the same row is
 * written, and dropped when it is due: the time of the answer tells nothing.
 * @throws ApiError 429
 */
export async function resendVerificationMail(asking: AskingApi, email: string): Promise<void> {
  const { config, outbox } = asking.deps;
  await countMail(asking, verificationMail, [email]);
  await asking.transaction(async (tx) => {
    const owner = await tx.maybe(FIND_UNVERIFIED_BY_EMAIL, [email, config.SYSTEM_USER_ID]);
    await requestVerificationMail(tx, outbox, owner?.id ?? null, email);
  });
}

/**
 * Corrects the address of an unverified account, whose owner knows the password.
 * @throws ApiError 400 `ALREADY_VERIFIED`, 401 `INVALID_CREDENTIALS`, 429
 */
export async function correctAddress(asking: AskingApi, form: z.output<typeof correctedAddress>): Promise<void> {
  const username = form.username.toLowerCase();
  const found = await checkPassword(asking, username, form.password, (tx) => tx.maybe(FIND_BY_USERNAME, [username]));
  if (found.is_verified) throw alreadyVerified();
  await countMail(asking, correctedAddressMail, [found.id, form.newEmail]);
  await asking.transaction(async (tx) => {
    const user = await tx.maybe(CORRECT_EMAIL, [found.id, form.newEmail, found.password]);
    if (!user) throw alreadyVerified();
    await recordEvent(tx, 'email-changed', user.id, asking.requestId);
    await requestVerificationMail(tx, asking.deps.outbox, user.id, form.newEmail);
  });
}

/** @param username as typed */
export async function isVerified(tx: Transaction, username: string): Promise<boolean> {
  return (await tx.maybe(FIND_BY_USERNAME, [username.toLowerCase()]))?.is_verified ?? false;
}

/**
 * Asks for a reset mail, if there is such an account with a password and an address. If there is none, the same row is
 * written, and dropped when it is due: the time of the answer tells nothing. Too many mails of one account are no error:
 * somebody who asks by user name and then by address must not learn from a 429 that both belong together.
 * @throws ApiError 429
 */
export async function forgotPassword(asking: AskingApi, typed: string): Promise<void> {
  const { config, limits, outbox } = asking.deps;
  const identifier = typed.toLowerCase();
  await countMail(asking, resetMail, [identifier]);
  await asking.transaction(async (tx) => {
    const found = await tx.maybe(FIND_ACCOUNT, [identifier]);
    const owner = await tx.maybe(FIND_RESET_OWNER, [found?.id ?? null, config.SYSTEM_USER_ID]);
    const isWanted = await isWithin(limits, resetMailOfAccount, owner?.is_account ? owner.id : identifier);
    if (isWanted) await requestResetMail(tx, outbox, owner?.id ?? null);
  });
}

/**
 * Sets a new password with the token of a reset mail: once, and whatever was begun before is void.
 * @throws ApiError 400 `RESET_TOKEN_INVALID`, `RESET_TOKEN_USED`
 */
export async function resetPassword(asking: AskingApi, token: string | undefined, newPassword: string): Promise<void> {
  const { address, deps, requestId, signal, transaction } = asking;
  if (!token) throw badRequest('VALIDATION_FAILED', 'Missing token');
  const user = await accountOfResetLink(deps.config, transaction, token);
  const passwordHash = await deps.passwords.inTurn(address.network, ({ hash }) => hash(newPassword), signal);
  const reset = async (tx: Transaction) => {
    const done = await tx.maybe(SET_PASSWORD, [user.id, passwordHash, user.password, user.email.trim().toLowerCase()]);
    if (!done) throw linkUsed();
    await voidEverythingBegun(tx, user.id);
    await recordEvent(tx, 'password-reset', user.id, requestId);
    await requestPasswordChangedMail(tx, deps.outbox, user.id);
    tx.afterCommit(() => deps.sockets.recheck(user.id));
  };
  await deps.db.asServiceFor(user.id, reset, signal);
}
