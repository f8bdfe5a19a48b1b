import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#platform/log/log.ts';
import { MailRefused } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import { type Query, sql } from '#platform/postgres/query.ts';

/** An intent whose turn has come. */
interface DueIntent {
  id: string;
  kind: string;
  user_id: string | null;
  payload: Record<string, string>;
  attempts: number;
}

/** Delivers one intent. Returns false when it is no longer wanted. @throws to try again later; MailRefused: never */
export type Delivery = (intent: DueIntent) => Promise<boolean>;

/** Kind → how it is delivered, and how often at the most; every kind ends when it expires. */
export type Deliveries = Record<string, { deliver: Delivery; maxAttempts: number }>;

export interface OutboxWorker {
  /** There is something new; deliver it now rather than at the next look. */
  wake(): void;
  /** Finishes what is being delivered and stops. */
  stop(): Promise<void>;
}

const FIRST_RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 10 * 60;
/** A claimed intent that was not finished in this time is delivered again: its worker died. */
const LEASE_SECONDS = 60;
const BATCH = 20;
const LOOK_EVERY_MS = 1_000;

/** Takes due intents for this worker: others skip them until the lease ends. */
const CLAIM = sql<DueIntent>('outbox.claim')`
  with due as (
    select o.id
    from outbox o
    where o.status = 'pending'
      and o.next_attempt_at <= now()
      and o.kind = any ($3::text[]) -- a newer worker may know kinds that this one does not
    order by o.next_attempt_at
    limit $1
    for update skip locked
  )
  update outbox o
  set attempts = o.attempts + 1,
      next_attempt_at = now() + make_interval(secs => $2)
  from due
  where o.id = due.id
  returning o.id, o.kind, o.user_id, o.payload, o.attempts`;

const DROP_EXPIRED = sql('outbox.dropExpired')`
  update outbox o
  set status = 'dropped', finished_at = now(), last_error = 'expired', payload = '{}'
  where o.status = 'pending'
    and o.next_attempt_at <= now()
    and o.expires_at <= now()`;

const FINISH = sql('outbox.finish')`
  update outbox o
  set status = $2, finished_at = now(), last_error = $3, payload = '{}'
  where o.id = $1`;

const RETRY = sql('outbox.retry')`
  update outbox o
  set next_attempt_at = now() + make_interval(secs => $2), last_error = $3
  where o.id = $1`;

/**
 * Delivers the outbox. Several workers may run at once, in this process or in others; a delivery that
 * was cut off is repeated, under the same idempotency key.
 */
export function startOutboxWorker(db: Database, log: Log, deliveries: Deliveries): OutboxWorker {
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  const running = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const delivered = await drainOnce().catch((error) => {
        log.warn({ err: error }, 'the outbox could not be read');
        return 0;
      });
      if (delivered > 0) continue;
      await Promise.race([woken.promise, pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal })]).catch(() => {});
      woken = Promise.withResolvers<void>();
    }
  }

  async function drainOnce(): Promise<number> {
    const due = await db.asService(async (tx) => {
      await tx.rows(DROP_EXPIRED);
      return tx.rows(CLAIM, [BATCH, LEASE_SECONDS, Object.keys(deliveries)]);
    });
    await Promise.all(due.map(deliver));
    return due.length;
  }

  async function deliver(intent: DueIntent): Promise<void> {
    try {
      const outcome = await attempt(intent);
      await db.asService((tx) => tx.rows(...outcome));
    } catch (error) {
      // The lease ends and the delivery is repeated, under the same idempotency key.
      log.warn({ err: error, outboxId: intent.id }, 'the outcome of a delivery was not noted');
    }
  }

  /** Tries once. @returns the statement that notes what came of it */
  async function attempt(intent: DueIntent): Promise<[Query<never>, unknown[]]> {
    const { id, kind, attempts } = intent;
    try {
      const sent = await deliveries[kind]?.deliver(intent);
      return [FINISH, sent ? [id, 'sent', null] : [id, 'dropped', 'no longer wanted']];
    } catch (error) {
      const isFinal = error instanceof MailRefused || attempts >= (deliveries[kind]?.maxAttempts ?? 1);
      log[isFinal ? 'error' : 'warn']({ err: error, outboxId: id, kind, attempts }, 'a delivery failed');
      const reason = error instanceof Error ? error.message : 'unknown';
      const delay = Math.min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS);
      const seconds = delay * (0.75 + Math.random() / 2);
      return isFinal ? [FINISH, [id, 'failed', reason]] : [RETRY, [id, seconds, reason]];
    }
  }

  return {
    wake: () => woken.resolve(),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
