import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Proof } from './dpop.ts';
import { unauthorized } from './errors.ts';

/** Longer than a proof can be valid: 60 s ahead and 60 s old, and clocks that differ a little. */
const REMEMBERED_SECONDS = 180;

const REMEMBER = sql<{ first: boolean }>('seenProofs.remember')`
  select app.remember_proof($1, $2, now() + make_interval(secs => $3)) as first`;

export interface SeenProofs {
  /**
   * Check 8 of contract 0.8: accepts a proof once.
   * @throws ApiError 401 `DPOP_PROOF_REPLAYED`
   * @throws DatabaseUnavailable when no shared store can remember
   */
  accept(proof: Proof): Promise<void>;
}

/**
 * The memory for used proofs: Redis, shared by all instances; PostgreSQL where there is no Redis or
 * while it is away. Each instance also remembers what it accepted itself, so that a proof used just
 * before an outage stays used.
 */
export function buildSeenProofs(db: Database, redis: Redis | undefined): SeenProofs {
  const accepted = new Map<string, number>(); // key → expiry in ms, oldest first

  async function firstInSharedStore(proof: Proof, key: string): Promise<boolean> {
    if (redis?.status === 'ready') {
      try {
        return (await redis.set(`proof:${key}`, '1', 'EX', REMEMBERED_SECONDS, 'NX')) === 'OK';
      } catch {
        // Redis is away: PostgreSQL remembers instead.
      }
    }
    const row = await db.lookUp(REMEMBER, [proof.thumbprint, proof.jti, REMEMBERED_SECONDS]);
    return row?.first === true;
  }

  return {
    async accept(proof) {
      const key = createHash('sha256').update(`${proof.thumbprint}.${proof.jti}`).digest('base64url');
      const now = Date.now();
      for (const [old, expiry] of accepted) {
        if (expiry > now) break;
        accepted.delete(old);
      }
      if (accepted.has(key) || !(await firstInSharedStore(proof, key))) {
        throw unauthorized('DPOP_PROOF_REPLAYED', 'DPoP proof was already used.', 'invalid_dpop_proof');
      }
      accepted.set(key, now + REMEMBERED_SECONDS * 1000);
    },
  };
}
