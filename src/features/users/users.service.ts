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

/** The intent that outlives its account: what is left of it outside the database goes too. */
export const REMOVE_PICTURES = 'pictures.remove';

/** Pictures are looked for until the storage has answered. */
const REMOVAL_LIFETIME = 30 * 24 * 60 * 60;

/** Deletes the caller: every row goes with the account, tokens and links die; pictures follow durably. */
export async function deleteAccount(tx: Transaction, userId: string, requestId: string): Promise<void> {
  await tx.asService(async () => {
    await addToOutbox(tx, {
      kind: REMOVE_PICTURES,
      userId: null,
      payload: { userId },
      dedupeKey: `${REMOVE_PICTURES}:${userId}`,
      lifetimeSeconds: REMOVAL_LIFETIME,
    });
    await recordEvent(tx, 'account-deleted', userId, requestId);
    await tx.rows(DELETE_USER, [userId]);
  });
}
