import type { Log } from '#platform/log.ts';
import type { Database, Session, Transaction } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import type { Config } from '#src/config.ts';
import { assertSameKey, type Proof } from './dpop.ts';
import { recordEvent } from './securityEvents.ts';
import {
  END_REUSED_SESSION,
  HOLD_PERSON,
  IS_REUSE,
  IS_REUSE_ON_PHONE,
  ROTATE_OTHER_SESSION,
  ROTATE_SESSION,
  SEND_WELCOME,
  type SessionRow,
  START_SESSION,
  VOID_EVERYTHING_BEGUN,
} from './sessions.queries.ts';
import type { SessionClaims, SessionTokens, TokenPair } from './sessionTokens.ts';
import { loginRequired, unauthorized } from './unauthorized.ts';

/** The dependencies that starting a session needs. */
interface SessionParts {
  log: Log;
  sockets: Sockets;
  /** Sends a message, which this transaction has written, to the sockets of its receiver after the commit. */
  announceMessage(tx: Transaction, id: string): Promise<void>;
}

/**
 * Starts the only session of a user (behaviour 0.7): with the commit, every earlier token and ticket stops
 * working. A user's first session also writes the welcome message; if that fails, the next one tries again.
 * @param grounds what entitles to the session: the password hash that was compared, or the session that asks for it
 * @param greet whether to write the welcome message; false while something of the profile is missing
 * @returns undefined when the user is gone, or the grounds have changed meanwhile
 */
export async function startSession(
  tx: Transaction,
  { log, sockets, announceMessage }: SessionParts,
  userId: string,
  grounds: { passwordHash?: string | null; session?: Pick<Session, 'epoch'> },
  greet = true,
): Promise<SessionRow | undefined> {
  return tx.asService(async () => {
    const session = await tx.maybe(START_SESSION, [
      userId,
      grounds.passwordHash ?? null,
      grounds.session?.epoch ?? null,
    ]);
    if (session) tx.afterCommit(() => sockets.recheck(userId));
    if (session && greet) {
      const failure = await tx.savepoint(async () => {
        const welcome = await tx.maybe(SEND_WELCOME, [userId]);
        if (welcome?.id) await announceMessage(tx, welcome.id);
      });
      if (failure) log.error({ err: failure }, 'the welcome message was not written');
    }
    return session;
  });
}

/**
 * Issues the tokens of a session that has just started or rotated.
 * @param otherId of a session beside the phone
 */
export function issueTokens(
  sessionTokens: SessionTokens,
  session: SessionRow,
  thumbprint: string | undefined,
  otherId?: string,
): TokenPair {
  const { id, role, token_version } = session;
  const claims = { userId: id, role, tokenVersion: token_version, thumbprint };
  return sessionTokens.issue(otherId === undefined ? claims : { ...claims, otherId });
}

/**
 * The claims of a refresh token that this proof's key may use.
 * @param read reads tokens of the kind of session that is refreshed
 * @param onForeignKey called before the refusal of a proof by another key
 * @throws ApiError 401 `REFRESH_TOKEN_MISSING`, `REFRESH_TOKEN_INVALID` or `DPOP_KEY_MISMATCH`
 */
export async function checkRefreshToken(
  read: SessionTokens['readRefresh'],
  token: string | undefined,
  proof: Proof | undefined,
  onForeignKey: (userId: string) => Promise<void>,
): Promise<SessionClaims> {
  if (!token) throw unauthorized('REFRESH_TOKEN_MISSING', 'No refresh token provided');
  const claims = await read(token);
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
export async function rotateSession(db: Database, claims: SessionClaims, config: Config): Promise<SessionRow> {
  const { userId, otherId, tokenVersion } = claims;
  const [graceSeconds, lifetime] = [config.REFRESH_GRACE_SEC, config.REFRESH_TOKEN_TTL_SEC];
  const [session] = await (otherId === undefined
    ? db.queryUnscoped(userId, ROTATE_SESSION, [userId, tokenVersion, graceSeconds])
    : db.queryUnscoped(userId, ROTATE_OTHER_SESSION, [otherId, tokenVersion, graceSeconds, lifetime]));
  if (!session) throw loginRequired();
  return session;
}

/**
 * Looks whether a refused refresh token, shown by the key that it is bound to, had been replaced longer ago than the grace:
 * then two hold this session. One beside the phone ends, whichever of them is the owner. The phone's goes on (behaviour 0.7):
 * its reuse is recorded.
 * @param isRecorded whether one more reuse on the phone is to be recorded
 */
export async function endIfReused(
  { db, sockets }: { db: Database; sockets: Sockets },
  { userId, otherId, tokenVersion }: SessionClaims,
  { REFRESH_GRACE_SEC: grace }: Config,
  requestId: string,
  isRecorded: () => Promise<boolean>,
): Promise<void> {
  const query = otherId === undefined ? IS_REUSE_ON_PHONE : IS_REUSE;
  // Not in the person's queue: an ended device must not be able to fill it.
  const reused = await db.asService((tx) => tx.maybe(query, [otherId ?? userId, tokenVersion, grace]));
  if (!reused) return;
  if (otherId === undefined) {
    if (!(await isRecorded())) return;
    await db.asService((tx) => recordEvent(tx, 'refresh-token-reused', userId, requestId));
    return;
  }
  await db.asServiceFor(userId, async (tx) => {
    await tx.maybe(HOLD_PERSON, [userId]);
    if (!(await tx.maybe(END_REUSED_SESSION, [otherId, tokenVersion, grace]))) return;
    await recordEvent(tx, 'refresh-token-reused', userId, requestId);
    tx.afterCommit(() => sockets.recheck(userId));
  });
}

/**
 * Voids everything that was begun for an account and is not finished (docs/security.md, "What voids what"): at a
 * password reset or change, and when the owner of the address takes the account over. Needs the service role.
 * @param but the session that goes on, if one does
 */
export async function voidEverythingBegun(tx: Transaction, userId: string, but?: Session): Promise<void> {
  const isPhone = but !== undefined && but.otherId === undefined;
  await tx.rows(VOID_EVERYTHING_BEGUN, [userId, but?.otherId ?? null, isPhone]);
}
