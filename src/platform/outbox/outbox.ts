import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

/** Something that must happen after the transaction of its cause has committed. */
export interface Intent {
  kind: string;
  /** Whose intent it is: it goes when they go. Null: it must outlive them. */
  userId: string | null;
  /** What the delivery needs to look things up again; never a token, never finished text. */
  payload: Record<string, string>;
  /** The same key twice is one intent, also after it was delivered. */
  dedupeKey: string;
  /** Not before so many seconds from now. */
  delaySeconds?: number;
  /** After so many seconds it is dropped undelivered. */
  lifetimeSeconds: number;
}

const ADD = sql<{ id: string }>('outbox.add')`
  insert into outbox (kind, user_id, payload, dedupe_key, next_attempt_at, expires_at)
  values ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6))
  on conflict (dedupe_key) do nothing
  returning id`;

/** Writes the intent in the caller's transaction (role service). False when that key was there before. */
export async function addToOutbox(tx: Transaction, intent: Intent): Promise<boolean> {
  const { kind, userId, payload, dedupeKey, delaySeconds = 0, lifetimeSeconds } = intent;
  const row = await tx.maybe(ADD, [kind, userId, payload, dedupeKey, delaySeconds, lifetimeSeconds]);
  return row !== undefined;
}
