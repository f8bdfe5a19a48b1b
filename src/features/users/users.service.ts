import { recordEvent } from '#identity/securityEvents.ts';
import type { Outbox } from '#outbox/outbox.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { DELETE_USER, FIND_PROFILE, type ProfileRow } from './users.queries.ts';

/** @throws if the user does not exist; the guard has just seen it */
export async function readProfile(tx: Transaction, userId: string) {
  return presentProfile(await tx.one(FIND_PROFILE, [userId]));
}

export const presentProfile = (row: ProfileRow) => ({ ...row, created_at: row.created_at.toISOString() });

/** Messages that outlive their account: what lies outside the database goes too, unless it is used. */
export const REMOVE_PICTURES = 'pictures.remove-all';
export const REMOVE_PICTURE = 'pictures.remove-one';
export const FORGET_PAYLOADS = 'payloads.forget';

/** The storage is asked again until it has answered, for so many seconds. */
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

/** Deletes the caller: every row goes with the account, tokens and links die; pictures follow durably. */
export async function deleteAccount(tx: Transaction, outbox: Outbox, userId: string, requestId: string): Promise<void> {
  await requestRemoval(tx, outbox, REMOVE_PICTURES, { userId });
  await requestRemoval(tx, outbox, FORGET_PAYLOADS, { userId });
  await recordEvent(tx, 'account-deleted', userId, requestId);
  await tx.asService(() => tx.rows(DELETE_USER, [userId]));
}
