import { createHash } from 'node:crypto';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { RedisClient } from '#platform/redis.ts';
import type { Proof } from './dpop.ts';
import { unauthorized } from './unauthorized.ts';

/** Longer than a proof can be valid: 60 s ahead and 60 s old, and clocks that differ a little. */
const REMEMBERED_SECONDS = 180;

const REMEMBER = sql<{ first: boolean }>('replayStore.remember')`
  select app.remember_proof($1, $2, $3, now() + make_interval(secs => $4)) as first`;

const LAST_EXPIRY = sql<{ last: Date | null }>('replayStore.lastExpiry')`
  select app.last_proof_expiry() as last`;

export interface ReplayStore {
  /**
   * Check 8 of behaviour 0.8: accepts a proof for one request. The same request may ask again.
   * @throws ApiError 401 `DPOP_PROOF_REPLAYED`
   * @throws DatabaseUnavailable when no shared store can remember
   */
  accept(proof: Proof, requestId: string): Promise<void>;
}

/**
 * Remembers used proofs in Redis, which all instances share, or in PostgreSQL where there is no Redis or while it is
 * away. After an outage both are asked, for as long as a proof that was used during it could be valid. Each instance
 * also remembers what it accepted itself, so that a proof that was used just before an outage stays used.
 */
export async function buildReplayStore(db: Database, redis: RedisClient | undefined): Promise<ReplayStore> {
  const accepted = new Map<string, { requestId: string; expiry: number }>(); // oldest first
  const [remembered] = await db.queryUnscoped('start', LAST_EXPIRY, []);
  // No proof is remembered for longer, so a later time is that of something else, or of a clock that was wrong.
  let askBothUntil = Math.min(remembered?.last?.getTime() ?? 0, Date.now() + REMEMBERED_SECONDS * 1000);
  const sawOutage = () => {
    askBothUntil = Date.now() + REMEMBERED_SECONDS * 1000;
  };
  // A cluster stays connected when one of its nodes is replaced.
  for (const event of ['close', 'ready', '+node', '-node']) redis?.on(event, sawOutage);

  /** Undefined: Redis is away. */
  async function firstInRedis(key: string, requestId: string): Promise<boolean | undefined> {
    if (redis?.status !== 'ready') return undefined;
    try {
      const set = await redis.set(`proof:${key}`, requestId, 'EX', REMEMBERED_SECONDS, 'NX');
      return set === 'OK' || (await redis.get(`proof:${key}`)) === requestId;
    } catch {
      sawOutage();
      return undefined;
    }
  }

  async function firstInPostgres(proof: Proof, requestId: string): Promise<boolean> {
    const jti = createHash('sha256').update(proof.jti).digest('base64url');
    const [row] = await db.queryUnscoped(proof.thumbprint, REMEMBER, [
      proof.thumbprint,
      jti,
      requestId,
      REMEMBERED_SECONDS,
    ]);
    return row?.first === true;
  }

  return {
    async accept(proof, requestId) {
      const key = createHash('sha256').update(`${proof.thumbprint}.${proof.jti}`).digest('base64url');
      const now = Date.now();
      for (const [old, { expiry }] of accepted) {
        if (expiry > now) break;
        accepted.delete(old);
      }
      const before = accepted.get(key);
      const inRedis = before ? before.requestId === requestId : await firstInRedis(key, requestId);
      const needsPostgres = !before && (inRedis === undefined || now < askBothUntil);
      const isFirst = inRedis !== false && (!needsPostgres || (await firstInPostgres(proof, requestId)));
      if (!isFirst) {
        throw unauthorized('DPOP_PROOF_REPLAYED', 'DPoP proof was already used.', 'invalid_dpop_proof');
      }
      if (!before) accepted.set(key, { requestId, expiry: now + REMEMBERED_SECONDS * 1000 });
    },
  };
}
