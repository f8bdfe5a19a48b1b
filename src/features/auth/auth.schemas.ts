import { z } from 'zod';
import {
  confirmation,
  email,
  fullName,
  isConfirmed,
  NEEDS_CONFIRMATION,
  newPassword,
  username,
} from '#identity/account.schemas.ts';

const IDENTIFIER = 'Must be a valid email or username';

/** Username or e-mail as typed; older accounts may have dots or long names. */
const identifier = z
  .string({ error: IDENTIFIER })
  .trim()
  .max(254, IDENTIFIER)
  .refine((text) => /^[A-Za-z0-9._+-]{3,64}$/.test(text) || z.email().safeParse(text).success, IDENTIFIER);

export const credentials = z.object(
  { identifier, password: z.string({ error: 'Password is required' }).min(1, 'Password is required') },
  { error: IDENTIFIER },
);

export const loggedIn = z.object({
  message: z.string(),
  user: z.guid(),
  accessToken: z.string(),
  refreshToken: z.string(),
});

export const refreshed = z.object({
  message: z.string(),
  accessToken: z.string(),
  refreshToken: z.string(),
  userId: z.guid(),
});

export const acknowledged = z.object({ message: z.string() });

const name = z
  .string({ error: 'Username and password are required' })
  .trim()
  .min(1, 'Username and password are required')
  .max(254, 'Username is too long');

export const correctedAddress = z.object(
  {
    username: name,
    password: z.string({ error: 'Username and password are required' }).min(1, 'Username and password are required'),
    newEmail: email,
  },
  { error: 'Username and password are required' },
);

export const address = z.object({ email }, { error: 'Invalid email format' });

export const account = z.object(
  {
    identifier: z
      .string({ error: 'Please fill username or email' })
      .trim()
      .min(1, 'Please fill username or email')
      .max(254, 'Username or email is too long'),
  },
  { error: 'Please fill username or email' },
);

export const newPasswordForm = z.object({ newPassword }, { error: 'Password must be at least 8 characters long' });

export const usernameQuery = z.object({
  username: z
    .string({ error: 'Username is required' })
    .trim()
    .min(1, 'Username is required')
    .max(254, 'Username is too long'),
});

export const verificationStatus = z.object({ isVerified: z.boolean() });
export const resetDone = z.object({ ok: z.literal(true) });

const gender = z.enum(['Male', 'Female', 'Other', 'Unknown'], { error: 'Invalid gender' });

export const registration = z.object(
  {
    username,
    fullName: fullName.nullish().transform((name) => name || 'User'),
    email,
    password: newPassword,
    gender: z
      .union([gender, z.literal('')], { error: 'Invalid gender' })
      .nullish()
      .transform((value) => value || 'Unknown'),
  },
  { error: 'Username must be at least 3 characters' },
);

export const registered = z.object({
  message: z.string(),
  user: z.object({
    id: z.guid(),
    username: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    gender: z.string(),
    role: z.string(),
    created_at: z.iso.datetime(),
  }),
});

export const passwordChange = confirmation.extend({ newPassword }).refine(isConfirmed, NEEDS_CONFIRMATION);
