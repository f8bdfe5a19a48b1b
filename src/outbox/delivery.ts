import { PermanentError, Throttled } from '#platform/deliveryErrors.ts';
import type { Log } from '#platform/log.ts';
import { DatabaseUnavailable } from '#platform/postgres/connection.ts';
import { underRequestId } from '#platform/requestId.ts';
import { traced } from '#platform/tracing.ts';

export const QUEUES = ['emails', 'pushNotifications'] as const;
export type QueueName = (typeof QUEUES)[number];

/** A message of the outbox that is due. */
export interface DueMessage {
  id: string;
  kind: string;
  user_id: string | null;
  payload: Record<string, string>;
  /** The request that asked for it. */
  request_id: string | null;
  /** The work that asked for it, where that was traced. */
  traceparent: string | null;
}

/** Delivers a message. False: it is no longer wanted. @throws PermanentError, Throttled, or another error: to retry */
export type Delivery = (message: DueMessage) => Promise<boolean>;

interface DeliveryPlan {
  deliver: Delivery;
  maxAttempts: number;
  /** The queue that it goes through where there is Redis; without either, the outbox worker delivers it itself. */
  queue?: QueueName;
}

/** Kind of message → how it is delivered. A message that expires is dropped, whatever its kind. */
export type Deliveries = Record<string, DeliveryPlan>;

const MAIL_ATTEMPTS = 5;

/** Deliveries of mails: through the queue for mails, and given up after five attempts. */
export const asMails = (mails: Record<string, Delivery>): Deliveries =>
  Object.fromEntries(
    Object.entries(mails).map(([kind, deliver]) => [kind, { deliver, maxAttempts: MAIL_ATTEMPTS, queue: 'emails' }]),
  );

export type Outcome =
  | { is: 'sent' | 'dropped' | 'failed'; reason: string | null }
  | { is: 'again'; reason: string }
  | { is: 'throttled'; reason: string; waitMs: number }
  /** The database is away: nothing is known about the delivery. */
  | { is: 'unknown'; reason: string };

/**
 * Tries once, and logs what came of it under the id of the request that asked for it; in a trace it goes on where that
 * left off. @param attempt from 1 on
 */
export async function tryDelivery(
  deliveries: Deliveries,
  log: Log,
  message: DueMessage,
  attempt: number,
): Promise<Outcome> {
  const { id, kind, traceparent: parent } = message;
  const span = { kind: 'CONSUMER', parent, attributes: { 'strong_together.outbox_id': id, attempt } } as const;
  const attempting = () =>
    traced(`delivery ${kind}`, span, (fail) => attemptDelivery(deliveries, log, message, attempt, fail));
  return message.request_id === null ? attempting() : underRequestId(message.request_id, attempting);
}

async function attemptDelivery(
  deliveries: Deliveries,
  log: Log,
  message: DueMessage,
  attempt: number,
  fail: (error: unknown) => void,
): Promise<Outcome> {
  const plan = deliveries[message.kind];
  if (!plan) return { is: 'unknown', reason: 'a kind of a newer worker' };
  try {
    const sent = await plan.deliver(message);
    const { id, kind } = message;
    log.info({ outboxId: id, kind, attempt, outcome: sent ? 'sent' : 'dropped' }, 'delivery');
    return sent ? { is: 'sent', reason: null } : { is: 'dropped', reason: 'no longer wanted' };
  } catch (error) {
    fail(error);
    const reason = error instanceof Error ? error.message : 'unknown';
    if (error instanceof DatabaseUnavailable) return { is: 'unknown', reason };
    if (error instanceof Throttled) return { is: 'throttled', reason, waitMs: error.waitMs };
    const isFinal = error instanceof PermanentError || attempt >= plan.maxAttempts;
    const { id, kind } = message;
    log[isFinal ? 'error' : 'warn']({ err: error, outboxId: id, kind, attempt }, 'a delivery failed');
    return { is: isFinal ? 'failed' : 'again', reason };
  }
}
