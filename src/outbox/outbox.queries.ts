import { sql } from '#platform/postgres/query.ts';
import type { DueMessage } from './delivery.ts';

export interface ClaimedMessage extends DueMessage {
  /** How often it was claimed, this time included. */
  attempts: number;
}

/**
 * Claims due messages: for $1 seconds, and longer with each attempt, nobody else claims them. Of each kind in $2 at
 * most as many as $3 says, so that no kind holds up another. Other kinds are left to newer workers that know them.
 */
export const CLAIM = sql<ClaimedMessage>('outbox.claim')`
  with due as (
    select o.id
    from unnest($2::text[], $3::bigint[]) as k (kind, most)
    cross join lateral (
      select o.id
      from outbox o
      where o.status = 'pending'
        and o.kind = k.kind
        and o.next_attempt_at <= now()
      order by o.next_attempt_at
      limit k.most
      for update skip locked
    ) o
  )
  update outbox o
  set attempts = o.attempts + 1,
      next_attempt_at = now() + make_interval(secs => $1 * least(o.attempts + 1, 10))
  from due
  where o.id = due.id
  returning o.id, o.kind, o.user_id, o.payload, o.request_id, o.traceparent, o.attempts`;

/** A message that waits for its delivery and has not expired. */
export const FIND_PENDING = sql<DueMessage>('outbox.findPending')`
  select o.id, o.kind, o.user_id, o.payload, o.request_id, o.traceparent
  from outbox o
  where o.id = $1
    and o.status = 'pending'
    and o.expires_at > now()`;

export const DROP_EXPIRED = sql('outbox.dropExpired')`
  update outbox o
  set status = 'dropped', finished_at = now(), last_error = 'expired', payload = '{}'
  where o.status = 'pending'
    and o.expires_at <= now()`;

export const FINISH = sql('outbox.finish')`
  update outbox o
  set status = $2, finished_at = now(), last_error = $3, payload = '{}'
  where o.id = $1
    and o.status = 'pending'`;

/** $2 seconds from now; $4 false: the attempt does not count. */
export const RETRY = sql('outbox.retry')`
  update outbox o
  set next_attempt_at = now() + make_interval(secs => $2),
      last_error = $3,
      attempts = o.attempts - case when $4 then 0 else 1 end
  where o.id = $1
    and o.status = 'pending'`;

export const NOTE_FAILURE = sql('outbox.noteFailure')`
  update outbox o
  set last_error = $2
  where o.id = $1
    and o.status = 'pending'`;

/** Claimed messages that could not be handed to their queue: they are due again in $2 seconds. */
export const RELEASE = sql('outbox.release')`
  update outbox o
  set next_attempt_at = now() + make_interval(secs => $2)
  where o.id = any ($1::uuid[])
    and o.status = 'pending'`;
