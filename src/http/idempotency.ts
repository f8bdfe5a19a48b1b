import { createHash, timingSafeEqual } from 'node:crypto';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import { ApiError, badRequest } from './errors.ts';

export interface KeptAnswer {
  status: number;
  body: string;
  replayed: boolean;
}

interface KeyedRequest {
  route: string;
  key: string;
  bytes: Buffer;
}

/** How long a second request waits for the first, in milliseconds (contract 0.13). */
const WAIT_MS = 9_000;
const LOCK_NOT_AVAILABLE = '55P03';

const LIMIT_WAIT = sql('idempotency.limitWait')`
  select set_config('lock_timeout', $1, true)`;

const WAIT_FOR_FIRST = sql('idempotency.waitForFirst')`
  select pg_advisory_xact_lock(hashtextextended(app.user_id()::text || ' ' || $1 || ' ' || $2, 0))`;

const FIRST_ANSWER = sql<{ body_hash: Buffer; status: number; body: string }>('idempotency.firstAnswer')`
  select k.body_hash, k.status, k.body
  from idempotency_keys k
  where k.user_id = app.user_id()
    and k.route = $1
    and k.key = $2
    and k.created_at > now() - interval '24 hours'`;

const KEEP_ANSWER = sql('idempotency.keepAnswer')`
  select app.keep_idempotent_answer($1, $2, $3, $4, $5)`;

/** @throws ApiError 400 `IDEMPOTENCY_KEY_INVALID` */
export function parseIdempotencyKey(header: string | undefined): string {
  if (header && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw badRequest('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key is invalid');
}

/**
 * Does the work once for a caller, route and key, inside the caller's transaction, and keeps a 2xx
 * answer with its effect. Later requests with the same bytes get that answer.
 * @throws ApiError 409 while the first request still runs, 422 when the body is another one
 */
export async function onceByKey(
  tx: Transaction,
  { route, key, bytes }: KeyedRequest,
  work: () => Promise<{ status: number; body: string }>,
): Promise<KeptAnswer> {
  await tx.rows(LIMIT_WAIT, [String(WAIT_MS)]);
  try {
    await tx.rows(WAIT_FOR_FIRST, [route, key]);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw new ApiError(409, 'IDEMPOTENCY_IN_PROGRESS', 'A request with this Idempotency-Key is still running');
  }
  await tx.rows(LIMIT_WAIT, ['0']);
  const hash = createHash('sha256').update(bytes).digest();
  const first = await tx.maybe(FIRST_ANSWER, [route, key]);
  if (first) {
    if (timingSafeEqual(first.body_hash, hash)) return { status: first.status, body: first.body, replayed: true };
    const message = 'Idempotency-Key was already used with another body';
    throw new ApiError(422, 'IDEMPOTENCY_KEY_REUSED', message);
  }
  const answer = await work();
  if (answer.status < 300) await tx.rows(KEEP_ANSWER, [route, key, hash, answer.status, answer.body]);
  return { ...answer, replayed: false };
}
