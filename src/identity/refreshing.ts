import { ApiError } from '#platform/apiError.ts';
import { isWithin } from '#platform/attempts.ts';
import type { Limits } from '#platform/limits.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import type { Asking } from './credentials.ts';
import type { Proof } from './dpop.ts';
import type { ReplayStore } from './replayStore.ts';
import { recordEvent } from './securityEvents.ts';
import { checkRefreshToken, endIfReused, issueTokens, rotateSession } from './sessions.ts';
import { type SessionClaims, type SessionTokens, tokenOf } from './sessionTokens.ts';
import { foreignKeyByAddress, refreshes, reusesOfPerson } from './signInLimits.ts';

interface Refreshing extends Asking {
  deps: Asking['deps'] & {
    db: Database;
    limits: Limits;
    replayStore: ReplayStore;
    sockets: Sockets;
    sessionTokens: SessionTokens;
    /** Holds a step while the database is away. */
    outageHold(signal: AbortSignal): <T>(step: () => Promise<T>) => Promise<T>;
  };
  header(name: string): string | undefined;
  /** Checks 1 to 7 of the request's proof. @throws ApiError 401 */
  proof(): Proof;
}

/**
 * Whether the refresh token of a request verifies and its session goes on, so that the request need not count by address
 * (behaviour 0.6).
 */
export async function hasLiveToken(
  header: Refreshing['header'],
  isLive: (claims: SessionClaims) => Promise<boolean>,
  read: SessionTokens['readRefresh'],
): Promise<boolean> {
  const token = tokenOf(header('x-refresh-token'));
  const claims = token === undefined ? undefined : await read(token);
  return claims !== undefined && (await isLive(claims));
}

/**
 * Exchanges the refresh token of a request for a new pair, with the grace of behaviour 0.7; held while the database is away.
 * @param read reads tokens of the kind of session that is refreshed
 * @throws ApiError 401, 429; DatabaseUnavailable
 */
export async function refreshTokens(device: Refreshing, read: SessionTokens['readRefresh']) {
  const { address, consume, deps, header, peek, requestId, signal, transaction } = device;
  const hold = deps.outageHold(signal);
  const proof = deps.config.DPOP_ENABLED ? device.proof() : undefined;
  if (proof) await hold(() => deps.replayStore.accept(proof, requestId));
  const token = tokenOf(header('x-refresh-token'));
  const claims = await checkRefreshToken(read, token, proof, async (userId) => {
    await consume(foreignKeyByAddress, { address });
    await transaction((tx) => recordEvent(tx, 'refresh-by-foreign-key', userId, requestId));
  });
  const counted = claims.otherId ?? claims.userId;
  await peek(refreshes, counted);
  const session = await hold(() => rotateSession(deps.db, claims, deps.config)).catch(async (error) => {
    if (error instanceof ApiError && error.code === 'LOGIN_REQUIRED') {
      await endIfReused(deps, claims, deps.config, requestId, () =>
        isWithin(deps.limits, [reusesOfPerson], claims.userId),
      );
    }
    throw error;
  });
  // Counted after the rotation, so that a token of an ended session does not count against its owner. A session that
  // was rotated is always answered, even if the limit has been reached meanwhile.
  await isWithin(deps.limits, [refreshes], counted);
  return { claims, tokens: issueTokens(deps.sessionTokens, session, proof?.thumbprint, claims.otherId) };
}
