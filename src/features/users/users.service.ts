import type { z } from 'zod';
import { requestVerificationMail } from '#features/auth/auth.service.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { CREATE_USER, FIND_PROFILE, type ProfileRow } from './users.queries.ts';
import type { registration } from './users.schemas.ts';

/**
 * Writes the user and the verification mail's outbox entry.
 * @param passwordHash bcrypt, computed before the transaction was opened
 */
export async function register(tx: Transaction, form: z.output<typeof registration>, passwordHash: string) {
  const values = [form.username, form.fullName, form.email, passwordHash, form.gender];
  const user = present(await tx.one(CREATE_USER, values));
  await requestVerificationMail(tx, user.id, form.email);
  return user;
}

/** @throws if the user does not exist; the guard has just seen it */
export async function readProfile(tx: Transaction, userId: string) {
  return present(await tx.one(FIND_PROFILE, [userId]));
}

const present = (row: ProfileRow) => ({ ...row, created_at: row.created_at.toISOString() });
