import { ApiError, badRequest, invalidCredentials } from '#http/errors.ts';
import { passwordFingerprint, RESET_LINK, readLink } from '#http/linkTokens.ts';
import { type Counting, reply, route } from '#http/route.ts';
import { recordEvent } from '#http/securityEvents.ts';
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
  linkQuery,
  newPasswordForm,
  noBody,
  resetDone,
  usernameQuery,
  verificationStatus,
} from './auth.schemas.ts';
import { requestPasswordChangedMail, requestResetMail, requestVerificationMail } from './auth.service.ts';

const alreadyVerified = () => badRequest('ALREADY_VERIFIED', 'Account already verified');
const emailInUse = () => new ApiError(409, 'EMAIL_IN_USE', 'Email already in use');
const linkInvalid = () => badRequest('RESET_TOKEN_INVALID', 'Verification token is not valid');
const linkUsed = () => badRequest('RESET_TOKEN_USED', 'URL already used or expired');

/** Mail limits count by target whether or not there is an account, so that a 429 tells nothing. */
async function countMail(
  { count, ip }: Counting,
  [burst, daily]:
    | ['verificationMailBurst', 'verificationMailDaily']
    | ['correctedAddressBurst', 'correctedAddressDaily']
    | ['resetMailBurst', 'resetMailDaily'],
  targets: string[],
): Promise<void> {
  await count('mailByIp', ip);
  for (const target of targets) {
    await count(burst, target);
    await count(daily, target);
  }
}

/** Ways back in: another verification mail, a corrected address, a new password. */
export const recoveryRoutes = [
  route({
    method: 'POST',
    path: '/api/auth/sendverificationemail',
    audience: 'public',
    unit: 'steps',
    summary: 'Sends another verification mail, if the address belongs to an unverified account. Always 204.',
    body: address,
    responses: { 204: noBody },
    async handle({ body, ip, count, transaction, deps }) {
      await countMail({ count, ip }, ['verificationMailBurst', 'verificationMailDaily'], [body.email]);
      await transaction(async (tx) => {
        const user = await tx.maybe(FIND_UNVERIFIED_BY_EMAIL, [body.email]);
        if (!user) return;
        await requestVerificationMail(tx, user.id, body.email);
        tx.afterCommit(deps.outboxChanged);
      });
      return reply(204);
    },
  }),
  route({
    method: 'PUT',
    path: '/api/auth/changeemailverify',
    audience: 'public',
    unit: 'steps',
    summary: 'Corrects the address of an unverified account; earlier verification links die.',
    body: correctedAddress,
    responses: { 204: noBody },
    constraints: { users_email_key: emailInUse },
    async handle({ body, ip, check, count, transaction, deps, requestId }) {
      const username = body.username.toLowerCase();
      const pair = `${username} ${ip}`;
      await check('signInFailuresByIp', ip);
      await check('signInFailures', pair);
      const found = await transaction((tx) => tx.maybe(FIND_BY_USERNAME, [username]));
      const matches = await deps.passwords.matches(body.password, found?.password);
      if (!found || !matches) {
        await transaction((tx) => recordEvent(tx, 'login-failed', found?.id ?? null, requestId));
        await count('signInFailuresByIp', ip);
        await count('signInFailures', pair);
        throw invalidCredentials();
      }
      await check('signInFailuresByIp', ip);
      await check('signInFailures', pair);
      if (found.is_verified) throw alreadyVerified();
      await countMail({ count, ip }, ['correctedAddressBurst', 'correctedAddressDaily'], [found.id, body.newEmail]);
      await transaction(async (tx) => {
        const user = await tx.maybe(CORRECT_EMAIL, [found.id, body.newEmail, found.password]);
        if (!user) throw alreadyVerified();
        await recordEvent(tx, 'email-changed', user.id, requestId);
        await requestVerificationMail(tx, user.id, body.newEmail);
        tx.afterCommit(deps.outboxChanged);
      });
      return reply(204);
    },
  }),
  route({
    method: 'GET',
    path: '/api/auth/checkuserverify',
    audience: 'public',
    unit: 'whole',
    summary: 'Whether an account is verified; false for unknown users.',
    query: usernameQuery,
    responses: { 200: verificationStatus },
    limits: [{ name: 'verificationStatus', by: 'ip' }],
    async handle({ tx, query }) {
      const found = await tx.maybe(FIND_BY_USERNAME, [query.username.toLowerCase()]);
      return reply(200, { isVerified: found?.is_verified ?? false });
    },
  }),
  route({
    method: 'POST',
    path: '/api/auth/forgotpassemail',
    audience: 'public',
    unit: 'steps',
    summary: 'Sends a reset mail, if the account has a password and an address. Always 204.',
    body: account,
    responses: { 204: noBody },
    async handle({ body, ip, count, transaction, deps }) {
      const identifier = body.identifier.toLowerCase();
      const found = await transaction((tx) => tx.maybe(FIND_ACCOUNT, [identifier]));
      await countMail({ count, ip }, ['resetMailBurst', 'resetMailDaily'], [found?.id ?? identifier]);
      await transaction(async (tx) => {
        const user = await tx.maybe(FIND_RESETTABLE, [found?.id ?? null]);
        if (!user) return;
        await requestResetMail(tx, user.id);
        tx.afterCommit(deps.outboxChanged);
      });
      return reply(204);
    },
  }),
  route({
    method: 'PUT',
    path: '/api/auth/resetpassword',
    audience: 'public',
    unit: 'steps',
    summary: 'Sets a new password with the token of a reset mail: once, and every phone is signed out.',
    query: linkQuery,
    body: newPasswordForm,
    responses: { 200: resetDone },
    async handle({ body, query, transaction, deps, requestId }) {
      if (!query.token) throw badRequest('VALIDATION_FAILED', 'Missing token');
      const claims = await readLink(deps.config.secrets, RESET_LINK, query.token);
      if (claims === 'expired') throw linkUsed();
      if (typeof claims === 'string') throw linkInvalid();
      const user = await transaction((tx) => tx.maybe(FIND_RESETTABLE, [claims.sub]));
      if (!user || passwordFingerprint(user.password) !== claims.fingerprint) throw linkUsed();
      const passwordHash = await deps.passwords.hash(body.newPassword);
      await transaction(async (tx) => {
        const values = [user.id, passwordHash, user.password, claims.email.toLowerCase()];
        const done = await tx.maybe(SET_PASSWORD, values);
        if (!done) throw linkUsed();
        await recordEvent(tx, 'password-reset', user.id, requestId);
        await requestPasswordChangedMail(tx, user.id);
        tx.afterCommit(deps.outboxChanged);
        tx.afterCommit(() => deps.sockets.recheck(user.id));
      });
      return reply(200, { ok: true });
    },
  }),
];
