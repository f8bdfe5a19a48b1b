import { reply, route } from '#transport/route.ts';
import { linkQuery, noBody } from '#transport/schemas.ts';
import { verificationChecks } from './auth.limits.ts';
import {
  account,
  address,
  correctedAddress,
  newPasswordForm,
  resetDone,
  usernameQuery,
  verificationStatus,
} from './auth.schemas.ts';
import {
  correctAddress,
  emailInUse,
  forgotPassword,
  isVerified,
  resendVerificationMail,
  resetPassword,
} from './recovery.service.ts';

/** Routes for people who cannot log in: another verification mail, a corrected address, a new password. */
export const recoveryRoutes = [
  route({
    method: 'POST',
    path: '/api/auth/sendverificationemail',
    auth: 'public',
    transaction: 'manual',
    summary: 'Sends another verification mail, if the address belongs to an unverified account. Always 204.',
    body: address,
    responses: { 204: noBody },
    async handle(context) {
      await resendVerificationMail(context, context.body.email);
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
      await correctAddress(context, context.body);
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
      return reply(200, { isVerified: await isVerified(tx, query.username) });
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
    async handle(context) {
      await forgotPassword(context, context.body.identifier);
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
    async handle(context) {
      await resetPassword(context, context.query.token, context.body.newPassword);
      return reply(200, { ok: true });
    },
  }),
];
