import { passwordFingerprint, RESET_LINK, readLink } from '#identity/linkTokens.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { voidEverythingBegun } from '#identity/sessions.ts';
import { ApiError, badRequest } from '#platform/apiError.ts';
import type { Counting, Limit } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import { reply, route } from '#transport/route.ts';
import { linkQuery, noBody } from '#transport/schemas.ts';
import {
  correctedAddressMail,
  mailByAddress,
  resetMail,
  resetMailOfAccount,
  verificationChecks,
  verificationMail,
} from './auth.limits.ts';
import {
  CORRECT_EMAIL,
  FIND_ACCOUNT,
  FIND_BY_USERNAME,
  FIND_RESETTABLE,
  FIND_UNVERIFIED_BY_EMAIL,
  SET_PASSWORD,
} from './auth.queries.ts';
import {
  account,
  address,
  correctedAddress,
  newPasswordForm,
  resetDone,
  usernameQuery,
  verificationStatus,
} from './auth.schemas.ts';
import { requestPasswordChangedMail, requestResetMail, requestVerificationMail } from './auth.service.ts';
import { checkPassword } from './credentials.service.ts';

const alreadyVerified = () => badRequest('ALREADY_VERIFIED', 'Account already verified');
const emailInUse = () => new ApiError(409, 'EMAIL_IN_USE', 'Email already in use');
const linkInvalid = () => badRequest('RESET_TOKEN_INVALID', 'Verification token is not valid');
const linkUsed = () => badRequest('RESET_TOKEN_USED', 'URL already used or expired');

/** Mail limits count by target whether or not there is an account, so that a 429 tells nothing. */
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
 * The account's own counter of reset mails. It works in silence: whoever asks by name and then by address must not
 * learn from a 429 that both are one account.
 */
async function mayMail({ limits, log }: Deps, userId: string): Promise<boolean> {
  try {
    for (const limit of resetMailOfAccount) await limits.consume(limit, userId);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    log.info('a reset mail was not sent: the account had enough of them');
    return false;
  }
}

/** Ways back in: another verification mail, a corrected address, a new password. */
export const recoveryRoutes = [
  route({
    method: 'POST',
    path: '/api/auth/sendverificationemail',
    auth: 'public',
    transaction: 'manual',
    summary: 'Sends another verification mail, if the address belongs to an unverified account. Always 204.',
    body: address,
    responses: { 204: noBody },
    async handle({ body, address, consume, transaction, deps }) {
      await countMail({ consume, address }, verificationMail, [body.email]);
      await transaction(async (tx) => {
        const user = await tx.maybe(FIND_UNVERIFIED_BY_EMAIL, [body.email]);
        if (!user) return;
        await requestVerificationMail(tx, deps.outbox, user.id, body.email);
      });
      return reply(204);
    },
  }),
  route({
    method: 'PUT',
    path: '/api/auth/changeemailverify',
    auth: 'public',
    transaction: 'manual',
    summary: 'Corrects the address of an unverified account; earlier verification links die.',
    body: correctedAddress,
    responses: { 204: noBody },
    errors: [401],
    constraints: { users_email_key: emailInUse },
    async handle(context) {
      const { body, transaction, deps, requestId } = context;
      const username = body.username.toLowerCase();
      const found = await checkPassword(context, username, body.password, (tx) =>
        tx.maybe(FIND_BY_USERNAME, [username]),
      );
      if (found.is_verified) throw alreadyVerified();
      await countMail(context, correctedAddressMail, [found.id, body.newEmail]);
      await transaction(async (tx) => {
        const user = await tx.maybe(CORRECT_EMAIL, [found.id, body.newEmail, found.password]);
        if (!user) throw alreadyVerified();
        await recordEvent(tx, 'email-changed', user.id, requestId);
        await requestVerificationMail(tx, deps.outbox, user.id, body.newEmail);
      });
      return reply(204);
    },
  }),
  route({
    method: 'GET',
    path: '/api/auth/checkuserverify',
    auth: 'public',
    transaction: 'auto',
    summary: 'Whether an account is verified; false for unknown users.',
    query: usernameQuery,
    responses: { 200: verificationStatus },
    limits: [{ limit: verificationChecks, by: 'address' }],
    async handle({ tx, query }) {
      const found = await tx.maybe(FIND_BY_USERNAME, [query.username.toLowerCase()]);
      return reply(200, { isVerified: found?.is_verified ?? false });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/forgotpassemail',
    gates: 'no-version',
    auth: 'public',
    transaction: 'manual',
    summary: 'Sends a reset mail, if the account has a password and an address. Always 204.',
    body: account,
    responses: { 204: noBody },
    async handle({ body, address, consume, transaction, deps }) {
      const identifier = body.identifier.toLowerCase();
      await countMail({ consume, address }, resetMail, [identifier]);
      await transaction(async (tx) => {
        const found = await tx.maybe(FIND_ACCOUNT, [identifier]);
        const user = await tx.maybe(FIND_RESETTABLE, [found?.id ?? null]);
        if (!user || !(await mayMail(deps, user.id))) return;
        await requestResetMail(tx, deps.outbox, user.id);
      });
      return reply(204);
    },
  }),
  route({
    method: 'PUT',
    path: '/api/auth/resetpassword',
    gates: 'none',
    auth: 'public',
    transaction: 'manual',
    summary: 'Sets a new password with the token of a reset mail: once, and every phone is signed out.',
    query: linkQuery,
    body: newPasswordForm,
    responses: { 200: resetDone },
    async handle({ body, query, address, transaction, deps, requestId, signal }) {
      if (!query.token) throw badRequest('VALIDATION_FAILED', 'Missing token');
      const claims = await readLink(deps.config.secrets, RESET_LINK, query.token);
      if (claims === 'expired') throw linkUsed();
      if (typeof claims === 'string') throw linkInvalid();
      const user = await transaction((tx) => tx.maybe(FIND_RESETTABLE, [claims.sub]));
      if (!user || passwordFingerprint(user.password) !== claims.fingerprint) throw linkUsed();
      const passwordHash = await deps.passwords.inTurn(address.network, ({ hash }) => hash(body.newPassword), signal);
      const reset = async (tx: Transaction) => {
        const values = [user.id, passwordHash, user.password, claims.email.toLowerCase()];
        const done = await tx.maybe(SET_PASSWORD, values);
        if (!done) throw linkUsed();
        await voidEverythingBegun(tx, user.id);
        await recordEvent(tx, 'password-reset', user.id, requestId);
        await requestPasswordChangedMail(tx, deps.outbox, user.id);
        tx.afterCommit(() => deps.sockets.recheck(user.id));
      };
      await deps.db.asServiceFor(user.id, reset, signal);
      return reply(200, { ok: true });
    },
  }),
];
