import { recordEvent } from '#identity/securityEvents.ts';
import type { Outbox } from '#outbox/outbox.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  DELETE_USER,
  FIND_PROFILE,
  LOCK_PUSH_TOKENS,
  type ProfileRow,
  SET_PUSH_TOKEN,
  TAKE_PUSH_TOKEN,
} from './users.queries.ts';

/** @throws if the user does not exist, which the guard has just ruled out */
export async function readProfile(tx: Transaction, userId: string) {
  return presentProfile(await tx.one(FIND_PROFILE, [userId]));
}

export const presentProfile = (row: ProfileRow) => ({ ...row, created_at: row.created_at.toISOString() });

/** Kinds of outbox messages that outlive the account: they remove what is stored outside the database. */
export const REMOVE_PICTURES = 'pictures.remove-all';
export const REMOVE_PICTURE = 'pictures.remove-one';
export const FORGET_PAYLOADS = 'payloads.forget';

/** How long a removal is retried, in seconds. */
const REMOVAL_LIFETIME = 30 * 24 * 60 * 60;

export function requestRemoval(
  tx: Transaction,
  outbox: Outbox,
  kind: string,
  payload: Record<string, string>,
  delaySeconds = 0,
): Promise<void> {
  return outbox.add(tx, { kind, userId: null, payload, delaySeconds, lifetimeSeconds: REMOVAL_LIFETIME });
}

/** Deletes the caller with every row of theirs; tokens and links stop working, pictures are removed by the outbox. */
export async function deleteAccount(tx: Transaction, outbox: Outbox, userId: string, requestId: string): Promise<void> {
  await requestRemoval(tx, outbox, REMOVE_PICTURES, { userId });
  await requestRemoval(tx, outbox, FORGET_PAYLOADS, { userId });
  await recordEvent(tx, 'account-deleted', userId, requestId);
  await tx.asService(() => tx.rows(DELETE_USER, [userId]));
}

/** Makes a phone the caller's; it leaves every other account. For a transaction with access `late`. */
export async function registerPhone(tx: Transaction, userId: string, pushToken: string): Promise<void> {
  await tx.rows(LOCK_PUSH_TOKENS);
  await tx.holdSession();
  await tx.asService(() => tx.rows(TAKE_PUSH_TOKEN, [userId, pushToken]));
  await tx.rows(SET_PUSH_TOKEN, [userId, pushToken]);
}
