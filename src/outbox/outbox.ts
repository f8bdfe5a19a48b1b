import { randomUUID } from 'node:crypto';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import { requestId } from '#platform/requestId.ts';
import { traced, traceparent } from '#platform/tracing.ts';

/** Something that must happen after the transaction that asks for it has committed. */
interface OutboxMessage {
  kind: string;
  /** Whose message it is: it is deleted with the person. Null: it must outlive the account. */
  userId: string | null;
  /** What the delivery needs to look things up again; never a token, never finished text. */
  payload: Record<string, string>;
  /** Delivered no sooner than so many seconds from now. */
  delaySeconds?: number;
  /** After so many seconds it is dropped undelivered. */
  lifetimeSeconds: number;
}

/** How long a notice is worth sending, in seconds: a day. */
export const NOTICE_LIFETIME = 24 * 60 * 60;

export interface Outbox {
  /** Writes a message in the caller's transaction, with the id of its request and its trace; the workers of this process are woken after the commit. */
  add(tx: Transaction, message: OutboxMessage): Promise<void>;
  /** Wakes the workers of this process, for messages that functions of the database have written. */
  wake(): void;
  /** Sets what `add` (after the commit) and `wake` call. */
  onAdded(look: () => void): void;
}

const ADD = sql('outbox.add')`
  insert into outbox (kind, user_id, payload, dedupe_key, next_attempt_at, expires_at, request_id, traceparent)
  values ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6), $7, $8)`;

/** The outbox of this process. Equal messages are not merged; the limits of the routes bound how many there are. */
export function buildOutbox(): Outbox {
  let look: () => void = () => undefined;
  return {
    async add(tx, { kind, userId, payload, delaySeconds = 0, lifetimeSeconds }) {
      const key = `${kind}:${randomUUID()}`;
      await traced(`outbox ${kind}`, { kind: 'PRODUCER' }, () => {
        const origin = [requestId() ?? null, traceparent()];
        const values = [kind, userId, payload, key, delaySeconds, lifetimeSeconds, ...origin];
        return tx.asService(() => tx.rows(ADD, values));
      });
      tx.afterCommit(() => look());
    },
    wake: () => look(),
    onAdded: (doLook) => {
      look = doLook;
    },
  };
}
