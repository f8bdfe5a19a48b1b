import { randomUUID } from 'node:crypto';
import { announceMessage } from '#features/messages/messages.service.ts';
import type { Deps } from '#http/deps.ts';
import { assertSameKey, type Proof } from '#http/dpop.ts';
import { ApiError, loginRequired, unauthorized } from '#http/errors.ts';
import { RESET_LINK, VERIFICATION_LINK } from '#http/linkTokens.ts';
import type { SessionClaims, TokenPair } from '#http/sessionTokens.ts';
import { addToOutbox } from '#platform/outbox/outbox.ts';
import type { Session, Transaction } from '#platform/postgres/database.ts';
import { ROTATE_SESSION, SEND_WELCOME, type SessionRow, START_SESSION } from './auth.queries.ts';

/** Kinds of intents in the outbox. */
export const VERIFICATION_MAIL = 'mail.verification';
export const RESET_MAIL = 'mail.reset';
export const PASSWORD_CHANGED_MAIL = 'mail.password-changed';

/** Notices are worth sending for a day, in seconds. */
export const NOTICE_LIFETIME = 24 * 60 * 60;

/** Writes the verification mail's outbox entry; every token is minted when its mail is sent. */
export const requestVerificationMail = (tx: Transaction, userId: string, email: string): Promise<void> =>
  requestMail(tx, VERIFICATION_MAIL, userId, { email }, VERIFICATION_LINK.lifetimeSeconds);

export const requestResetMail = (tx: Transaction, userId: string): Promise<void> =>
  requestMail(tx, RESET_MAIL, userId, {}, RESET_LINK.lifetimeSeconds);

export const requestPasswordChangedMail = (tx: Transaction, userId: string): Promise<void> =>
  requestMail(tx, PASSWORD_CHANGED_MAIL, userId, {}, NOTICE_LIFETIME);

/** Every request is a mail of its own; the limits bound how many. */
export async function requestMail(
  tx: Transaction,
  kind: string,
  userId: string,
  payload: Record<string, string>,
  lifetimeSeconds: number,
): Promise<void> {
  const dedupeKey = `${kind}:${randomUUID()}`;
  await tx.asService(() => addToOutbox(tx, { kind, userId, payload, dedupeKey, lifetimeSeconds }));
}

/**
 * Starts the one session of a user (contract 0.7): every earlier token and ticket is dead with the
 * commit. The first one ever also writes the welcome message; if that fails, the next one tries again.
 * @param grounds what it is founded on: the password hash that was compared, or the session that asks for it
 * @param greet false while something of the profile is missing
 * @returns undefined when the user is gone, or what it is founded on has changed meanwhile
 */
export async function startSession(
  tx: Transaction,
  deps: Deps,
  userId: string,
  grounds: { passwordHash?: string | null; session?: Session },
  greet = true,
): Promise<SessionRow | undefined> {
  return tx.asService(async () => {
    const session = await tx.maybe(START_SESSION, [
      userId,
      grounds.passwordHash ?? null,
      grounds.session?.epoch ?? null,
    ]);
    if (session) tx.afterCommit(() => deps.sockets.recheck(userId));
    if (session && greet) {
      const failure = await tx.attempt(async () => {
        const welcome = await tx.maybe(SEND_WELCOME, [userId]);
        if (welcome?.id) await announceMessage(tx, deps, welcome.id);
      });
      if (failure) deps.log.error({ err: failure }, 'the welcome message was not written');
    }
    return session;
  });
}

/** The tokens of a session that has just started or rotated. */
export function issueTokens(deps: Deps, session: SessionRow, thumbprint: string | undefined): Promise<TokenPair> {
  const { id, role, token_version } = session;
  return deps.sessionTokens.issue({ userId: id, role, tokenVersion: token_version, thumbprint });
}

/**
 * The claims of a refresh token that this proof's key may use.
 * @param onForeignKey called before the refusal of a proof by another key
 * @throws ApiError 401 `REFRESH_TOKEN_MISSING`, `REFRESH_TOKEN_INVALID` or `DPOP_KEY_MISMATCH`
 */
export async function checkRefreshToken(
  deps: Deps,
  token: string | undefined,
  proof: Proof | undefined,
  onForeignKey: (userId: string) => Promise<void>,
): Promise<SessionClaims> {
  if (!token) throw unauthorized('REFRESH_TOKEN_MISSING', 'No refresh token provided');
  const claims = await deps.sessionTokens.readRefresh(token);
  const invalid = () => unauthorized('REFRESH_TOKEN_INVALID', 'Invalid or expired refresh token', 'invalid_token');
  if (!claims) throw invalid();
  if (proof) {
    if (!claims.thumbprint) throw invalid();
    try {
      assertSameKey(claims.thumbprint, proof);
    } catch (error) {
      await onForeignKey(claims.userId);
      throw error;
    }
  }
  return claims;
}

/** Rotates the session, or repeats the last rotation within the grace. @throws ApiError 401 `LOGIN_REQUIRED` */
export async function rotateSession(deps: Deps, claims: SessionClaims): Promise<SessionRow> {
  const values = [claims.userId, claims.tokenVersion, deps.config.REFRESH_GRACE_SEC];
  const session = await deps.db.asServiceUrgently(claims.userId, (tx) => tx.maybe(ROTATE_SESSION, values));
  if (!session) throw loginRequired();
  return session;
}

export const notVerified = () => new ApiError(401, 'EMAIL_NOT_VERIFIED', 'You need to verify your account');
