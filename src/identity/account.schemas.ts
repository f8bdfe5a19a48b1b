import { z } from 'zod';
import { MAX_PASSWORD_BYTES } from '#platform/passwords.ts';

const INVALID_NAME = 'Full name may contain letters and spaces only';

export const username = z
  .string({ error: 'Username must be at least 3 characters' })
  .trim()
  .min(3, 'Username must be at least 3 characters')
  .max(15, 'Username must be at most 15 characters')
  .regex(/^[A-Za-z0-9_]+$/, 'Username may contain letters, numbers, and underscore only');

export const email = z
  .string({ error: 'Invalid email format' })
  .trim()
  .toLowerCase()
  .max(254, 'Invalid email format')
  .pipe(z.email('Invalid email format'));

/** Never trimmed: spaces belong to the password. */
export const newPassword = z
  .string({ error: 'Password must be at least 8 characters long' })
  .min(8, 'Password must be at least 8 characters long')
  .refine((text) => Buffer.byteLength(text) <= MAX_PASSWORD_BYTES, 'Password must be at most 72 bytes long');

export const fullName = z
  .string({ error: INVALID_NAME })
  .trim()
  .max(20, 'Full name is too long')
  .regex(/^[A-Za-z ]*$/, INVALID_NAME);

/** A code that was mailed for signing in. */
export const mailedCode = z.string().regex(/^\d{8}$/, 'must be eight digits');
export const typedPassword = z.string().min(1, 'must not be empty').max(1000);

/** What a signed-in person shows again before something that cannot be taken back. */
export const confirmation = z.strictObject({
  password: typedPassword.optional(),
  code: mailedCode.optional().describe('from the mail that POST /sessions/code asks for'),
});

export const isConfirmed = ({ password, code }: z.output<typeof confirmation>): boolean =>
  (password === undefined) !== (code === undefined);
export const NEEDS_CONFIRMATION = 'needs either password or code';
