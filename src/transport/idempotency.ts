import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError, badRequest } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { SerializedAnswer } from './send.ts';

export interface StoredAnswer extends SerializedAnswer {
  replayed: boolean;
}

interface KeyedRequest {
  route: string;
  key: string;
  bytes: Buffer;
}

const FIRST_ANSWER = sql<{ body_hash: Buffer; status: number; body: string }>('idempotency.firstAnswer')`
  select k.body_hash, k.status, k.body
  from idempotency_keys k
  where k.user_id = app.user_id()
    and k.route = $1
    and k.key = $2
    and k.created_at > now() - interval '24 hours'`;

/** `kept` is false when the person has as many stored answers of the last 24 hours as are allowed. */
const KEEP_ANSWER = sql<{ kept: boolean }>('idempotency.keepAnswer')`
  select app.keep_idempotent_answer($1, $2, $3, $4, $5) as kept`;

const TOO_MANY_KEYS = 'Too many requests with an Idempotency-Key today: at most 100 are remembered.';

/** @throws ApiError 400 `IDEMPOTENCY_KEY_INVALID` */
export function parseIdempotencyKey(header: string | undefined): string {
  if (header && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw badRequest('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key is invalid');
}

export const stillRunning = () =>
  new ApiError(409, 'IDEMPOTENCY_IN_PROGRESS', 'A request with this Idempotency-Key is still running');

/** The work of a request with a key, and how its answer is made again where that is too large to be stored. */
interface KeyedWork {
  first(tx: Transaction): Promise<SerializedAnswer>;
  replay: ((tx: Transaction) => Promise<SerializedAnswer>) | undefined;
}

/**
 * Does the work once for a caller, route and key, inside the caller's transaction. A 2xx answer is stored in that
 * transaction, together with its effect, and later requests with the same body get it. The transaction has the
 * person's row locked, so a second request waits for the first.
 * @throws ApiError 422 when the body is not the first one's, 429 when too many answers are stored already
 */
export async function onceByKey(
  tx: Transaction,
  { route, key, bytes }: KeyedRequest,
  work: KeyedWork,
): Promise<StoredAnswer> {
  const hash = createHash('sha256').update(bytes).digest();
  const first = await tx.maybe(FIRST_ANSWER, [route, key]);
  if (first && !timingSafeEqual(first.body_hash, hash)) {
    const message = 'Idempotency-Key was already used with another body';
    throw new ApiError(422, 'IDEMPOTENCY_KEY_REUSED', message);
  }
  if (first) {
    if (work.replay) return { ...(await work.replay(tx)), status: first.status, replayed: true };
    return { status: first.status, body: first.body === '' ? undefined : Buffer.from(first.body), replayed: true };
  }
  const answer = await work.first(tx);
  if (answer.status < 300) {
    const { kept } = await tx.one(KEEP_ANSWER, [
      route,
      key,
      hash,
      answer.status,
      work.replay ? '' : (answer.body?.toString() ?? ''),
    ]);
    if (!kept) throw new ApiError(429, 'RATE_LIMITED', TOO_MANY_KEYS, { headers: { 'Retry-After': '3600' } });
  }
  return { ...answer, replayed: false };
}
