import type { Asking } from '#identity/credentials.ts';
import { RESET_LINK, VERIFICATION_LINK } from '#identity/linkTokens.ts';
import { NOTICE_LIFETIME, type Outbox } from '#outbox/outbox.ts';
import { ApiError } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';

/** Somebody who is not signed in and wants something of an account. */
export type AskingApi = Asking & { deps: Deps };

/** Kinds of messages in the outbox. */
export const VERIFICATION_MAIL = 'mail.verification';
export const RESET_MAIL = 'mail.reset';
export const PASSWORD_CHANGED_MAIL = 'mail.password-changed';

/**
 * Puts the verification mail into the outbox; its token is made when the mail is sent.
 * @param userId the system user or null: of an address without an unverified account; it is dropped when it is due
 */
export const requestVerificationMail = (tx: Transaction, outbox: Outbox, userId: string | null, email: string) =>
  outbox.add(tx, {
    kind: VERIFICATION_MAIL,
    userId,
    payload: { email },
    lifetimeSeconds: VERIFICATION_LINK.lifetimeSeconds,
  });

/** @param userId the system user or null: there is no such account; it is dropped when it is due */
export const requestResetMail = (tx: Transaction, outbox: Outbox, userId: string | null) =>
  outbox.add(tx, { kind: RESET_MAIL, userId, payload: {}, lifetimeSeconds: RESET_LINK.lifetimeSeconds });

export const requestPasswordChangedMail = (tx: Transaction, outbox: Outbox, userId: string) =>
  outbox.add(tx, { kind: PASSWORD_CHANGED_MAIL, userId, payload: {}, lifetimeSeconds: NOTICE_LIFETIME });

export const notVerified = () => new ApiError(401, 'EMAIL_NOT_VERIFIED', 'You need to verify your account');
