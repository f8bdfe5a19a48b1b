import type { z } from 'zod';
import type { Outbox } from '#outbox/outbox.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { CREATE_USER } from './auth.queries.ts';
import type { registration } from './auth.schemas.ts';
import { requestVerificationMail } from './auth.service.ts';

/**
 * Writes the user and asks for the verification mail.
 * @param passwordHash bcrypt, computed before the transaction was opened
 */
export async function register(
  tx: Transaction,
  outbox: Outbox,
  form: z.output<typeof registration>,
  passwordHash: string,
) {
  const values = [form.username, form.fullName, form.email, passwordHash, form.gender];
  const user = await tx.one(CREATE_USER, values);
  await requestVerificationMail(tx, outbox, user.id, form.email);
  return { ...user, created_at: user.created_at.toISOString() };
}
