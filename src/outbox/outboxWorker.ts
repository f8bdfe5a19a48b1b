import { setTimeout as pause } from 'node:timers/promises';
import type { JobQueues, JobResult, RunningJob } from '#platform/jobQueues.ts';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Query } from '#platform/postgres/query.ts';
import { type Deliveries, type DueMessage, type Outcome, QUEUES, type QueueName, tryDelivery } from './delivery.ts';
import {
  CLAIM,
  type ClaimedMessage,
  DROP_EXPIRED,
  FIND_PENDING,
  FINISH,
  NOTE_FAILURE,
  RELEASE,
  RETRY,
} from './outbox.queries.ts';

export interface OutboxWorker {
  /** Looks for new messages now instead of at the next interval. */
  wake(): void;
  /** Finishes what is being delivered and stops. */
  stop(): Promise<void>;
}

export interface OutboxWorkerOptions {
  db: Database;
  log: Log;
  deliveries: Deliveries;
  /** Undefined: this worker delivers everything itself. */
  jobs: JobQueues | undefined;
  /** Most deliveries per second that the providers accept. */
  mostPerSecond: Record<QueueName, number>;
  onOutcome: (kind: string, outcome: Outcome['is']) => void;
}

const FIRST_RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 10 * 60;
/**
 * A claimed message that was not finished in this time is claimed again: its worker died, or Redis lost
 * its job. If the job is still in the queue, adding it again changes nothing.
 */
const LEASE_SECONDS = 60;
/** While Redis is away, messages are handed over again after so many seconds. */
const HAND_OVER_AGAIN_SECONDS = 2;
/** Most messages of a kind that are claimed at once for a queue. */
const BATCH = 100;
/** Most deliveries of a kind that this worker makes itself at the same time. */
const MOST_UNDER_WAY = 100;
const LOOK_EVERY_MS = 1_000;
const CONCURRENCY: Record<QueueName, number> = { emails: 10, pushNotifications: 200 };

/**
 * Hands every due message of the outbox to its queue, or delivers it itself. What counts is the row; a job in Redis
 * only points to it, so nothing is lost with Redis. Several workers may run at once, in this process or in others; a
 * delivery that was cut off is repeated, under the same idempotency key.
 */
export function startOutboxWorker({
  db,
  log,
  deliveries,
  jobs,
  mostPerSecond,
  onOutcome,
}: OutboxWorkerOptions): OutboxWorker {
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  for (const name of jobs ? QUEUES : []) {
    jobs?.work(name, { concurrency: CONCURRENCY[name], mostPerSecond: mostPerSecond[name] }, runJob);
  }
  const underWay = new Map(Object.keys(deliveries).map((kind) => [kind, new Set<Promise<void>>()]));
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const claimed = await drainOnce().catch((error) => {
        log.warn({ err: error }, 'the outbox could not be read');
        return false;
      });
      if (claimed) continue;
      await Promise.race([woken.promise, pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal })]).catch(() => {});
      woken = Promise.withResolvers<void>();
    }
  }

  /** True when there is more to claim at once. */
  async function drainOnce(): Promise<boolean> {
    // Of each kind only as many are claimed as there are free places, so that a slow provider holds up no other kind.
    const room = new Map(Object.keys(deliveries).map((kind) => [kind, roomFor(kind)]));
    const due = await db.asService(async (tx) => {
      await tx.rows(DROP_EXPIRED);
      return tx.rows(CLAIM, [LEASE_SECONDS, [...room.keys()], [...room.values()]]);
    });
    const byQueue = Map.groupBy(due, ({ kind }) => queueOf(kind));
    for (const [queue, messages] of byQueue) {
      if (queue && jobs) await handOver(jobs, queue, messages);
      else for (const message of messages) begin(message);
    }
    const claimed = Map.groupBy(due, ({ kind }) => kind);
    return [...claimed].some(([kind, messages]) => messages.length === room.get(kind) && roomFor(kind) > 0);
  }

  const queueOf = (kind: string) => (jobs ? deliveries[kind]?.queue : undefined);
  const roomFor = (kind: string) => (queueOf(kind) ? BATCH : MOST_UNDER_WAY - (underWay.get(kind)?.size ?? 0));

  /** Delivers here, beside others. If all places of its kind were taken, the worker wakes when one is free. */
  function begin(message: ClaimedMessage): void {
    const ofKind = underWay.get(message.kind);
    const delivery = deliver(message).finally(() => {
      const wasFull = roomFor(message.kind) === 0;
      ofKind?.delete(delivery);
      if (wasFull) woken.resolve();
    });
    ofKind?.add(delivery);
  }

  async function handOver(queues: JobQueues, queue: QueueName, messages: ClaimedMessage[]): Promise<void> {
    try {
      // If its job has ended but the message still waits, the outcome was not stored: the job may run again.
      const again = messages.filter(({ attempts }) => attempts > 1);
      await Promise.all(again.map(({ id }) => queues.removeEnded(queue, id)));
      const plans = messages.map(({ id, kind }) => ({ id, kind, maxAttempts: deliveries[kind]?.maxAttempts ?? 1 }));
      await queues.add(queue, plans);
    } catch (error) {
      log.warn({ err: error, messages: messages.length }, 'messages were not handed over yet');
      const ids = messages.map(({ id }) => id);
      await db.asService((tx) => tx.rows(RELEASE, [ids, HAND_OVER_AGAIN_SECONDS]));
    }
  }

  async function runJob({ id, attempt }: RunningJob): Promise<JobResult> {
    let outcome: Outcome;
    try {
      const message = await db.asService((tx) => tx.maybe(FIND_PENDING, [id]));
      if (!message) return { is: 'done' }; // delivered before, expired, or deleted with its person
      outcome = await tryDelivery(deliveries, log, message, attempt);
      onOutcome(message.kind, outcome.is);
    } catch (error) {
      log.warn({ err: error, outboxId: id }, 'a message could not be looked up');
      return { is: 'later', waitMs: LOOK_EVERY_MS };
    }
    switch (outcome.is) {
      case 'unknown':
        return { is: 'later', waitMs: LOOK_EVERY_MS };
      case 'throttled':
        return outcome;
      case 'again':
        await noted(id, () => db.asService((tx) => tx.rows(NOTE_FAILURE, [id, outcome.reason])));
        return { is: 'again', reason: outcome.reason };
      default:
        await noted(id, () => db.asService((tx) => tx.rows(FINISH, [id, outcome.is, outcome.reason])));
        return outcome.is === 'failed' ? { is: 'final', reason: outcome.reason ?? 'refused' } : { is: 'done' };
    }
  }

  async function deliver(message: ClaimedMessage): Promise<void> {
    const outcome = await tryDelivery(deliveries, log, message, message.attempts);
    onOutcome(message.kind, outcome.is);
    await noted(message.id, () => db.asService((tx) => tx.rows(...noteOf(message, outcome))));
  }

  /** Stores an outcome, and retries while the database is away: without its outcome a delivery would be repeated. */
  async function noted(outboxId: string, write: () => Promise<unknown>): Promise<void> {
    for (let wait = 100; ; wait *= 2) {
      try {
        await write();
        return;
      } catch (error) {
        if (wait > 10_000 || stopping.signal.aborted) {
          log.warn({ err: error, outboxId }, 'the outcome of a delivery was not noted');
          return;
        }
        await pause(wait);
      }
    }
  }

  const running = run();
  return {
    wake: () => woken.resolve(),
    stop: async () => {
      stopping.abort();
      await running;
      await Promise.all([...underWay.values()].flatMap((ofKind) => [...ofKind]));
      await jobs?.close();
    },
  };
}

function noteOf({ id, attempts }: DueMessage & { attempts: number }, outcome: Outcome): [Query<never>, unknown[]] {
  switch (outcome.is) {
    case 'again': {
      const delay = Math.min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS);
      return [RETRY, [id, delay * (0.75 + Math.random() / 2), outcome.reason, true]];
    }
    case 'throttled':
      return [RETRY, [id, outcome.waitMs / 1000, outcome.reason, false]];
    case 'unknown':
      return [RETRY, [id, FIRST_RETRY_SECONDS, outcome.reason, false]];
    default:
      return [FINISH, [id, outcome.is, outcome.reason]];
  }
}
