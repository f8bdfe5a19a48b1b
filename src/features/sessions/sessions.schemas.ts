import { z } from 'zod';
import { email, mailedCode, typedPassword } from '#identity/account.schemas.ts';

const signInForm = z.strictObject({
  identifier: z.string().trim().min(1, 'must not be blank').max(254).optional().describe('user name or e-mail'),
  password: typedPassword.optional(),
  email: email.optional(),
  code: mailedCode.optional().describe('from the mail that POST /sessions/code asks for'),
  name: z.string().trim().min(1, 'must not be blank').max(100).optional().describe('shown in the list of sessions'),
});

/** Either a name with a password, or an address with a code. */
export const signIn = signInForm.superRefine(({ identifier, password, email, code }, context) => {
  const byPassword = identifier !== undefined && password !== undefined;
  const byCode = email !== undefined && code !== undefined;
  const isMixed = byPassword
    ? email !== undefined || code !== undefined
    : identifier !== undefined || password !== undefined;
  if (byPassword === byCode || isMixed) {
    context.addIssue({ code: 'custom', message: 'needs either identifier and password, or email and code' });
  }
});

export const address = z.strictObject({ email });

export const session = z.object({
  id: z.string().describe('a UUID, or "phone"'),
  kind: z.enum(['phone', 'other']),
  name: z.string().nullable(),
  createdAt: z.string().nullable().describe('null for a phone that signed in before this was kept'),
  lastUsedOn: z.string().nullable().describe('day, UTC'),
  current: z.boolean(),
});

const tokens = z.object({ accessToken: z.string(), refreshToken: z.string() });
export const signedIn = tokens.extend({ session });
export const refreshed = tokens;
export const sessions = z.object({ items: z.array(session), nextCursor: z.null() });
export const sessionId = z.object({ id: z.union([z.literal('phone'), z.guid()]) });
