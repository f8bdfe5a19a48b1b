import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

type SecurityEvent =
  | 'login-failed'
  | 'refresh-by-foreign-key'
  | 'refresh-token-reused'
  | 'password-reset'
  | 'password-changed'
  | 'email-change-requested'
  | 'email-changed'
  | 'account-taken-over'
  | 'account-deleted';

const APPEND = sql('securityEvents.append')`
  insert into security_events (kind, user_id, request_id)
  values ($1, $2, $3)`;

/** Appends to the audit table, in the transaction of what happened. */
export async function recordEvent(
  tx: Transaction,
  kind: SecurityEvent,
  userId: string | null,
  requestId: string,
): Promise<void> {
  await tx.asService(() => tx.rows(APPEND, [kind, userId, requestId]));
}
