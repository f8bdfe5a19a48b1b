import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { requestVerificationMail } from '#features/auth/auth.service.ts';
import { recordEvent } from '#http/securityEvents.ts';
import { addToOutbox } from '#platform/outbox/outbox.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { CREATE_USER, DELETE_USER, FIND_PROFILE, type ProfileRow } from './users.queries.ts';
import type { registration } from './users.schemas.ts';

/**
 * Writes the user and the verification mail's outbox entry.
 * @param passwordHash bcrypt, computed before the transaction was opened
 */
export async function register(tx: Transaction, form: z.output<typeof registration>, passwordHash: string) {
  const values = [form.username, form.fullName, form.email, passwordHash, form.gender];
  const user = presentProfile(await tx.one(CREATE_USER, values));
  await requestVerificationMail(tx, user.id, form.email);
  return user;
}

/** @throws if the user does not exist; the guard has just seen it */
export async function readProfile(tx: Transaction, userId: string) {
  return presentProfile(await tx.one(FIND_PROFILE, [userId]));
}

export const presentProfile = (row: ProfileRow) => ({ ...row, created_at: row.created_at.toISOString() });

/** Intents that outlive their account: what lies outside the database goes too, unless it is used. */
export const REMOVE_PICTURES = 'pictures.remove-all';
export const REMOVE_PICTURE = 'pictures.remove-one';
export const FORGET_PAYLOADS = 'payloads.forget';

/** The storage is asked again until it has answered, for so many seconds. */
const REMOVAL_LIFETIME = 30 * 24 * 60 * 60;

/** Role service. */
export async function requestRemoval(
  tx: Transaction,
  kind: string,
  payload: Record<string, string>,
  delaySeconds = 0,
): Promise<void> {
  const dedupeKey = `${kind}:${randomUUID()}`;
  const intent = { kind, userId: null, payload, dedupeKey, delaySeconds, lifetimeSeconds: REMOVAL_LIFETIME };
  await addToOutbox(tx, intent);
}

/** Deletes the caller: every row goes with the account, tokens and links die; pictures follow durably. */
export async function deleteAccount(tx: Transaction, userId: string, requestId: string): Promise<void> {
  await tx.asService(async () => {
    await requestRemoval(tx, REMOVE_PICTURES, { userId });
    await requestRemoval(tx, FORGET_PAYLOADS, { userId });
    await recordEvent(tx, 'account-deleted', userId, requestId);
    await tx.rows(DELETE_USER, [userId]);
  });
}
