import { z } from 'zod';
import { MAX_PASSWORD_BYTES } from '#platform/crypto/passwords.ts';

const INVALID_NAME = 'Full name may contain letters and spaces only';

const username = z
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

const fullName = z
  .string({ error: INVALID_NAME })
  .trim()
  .max(20, 'Full name is too long')
  .regex(/^[A-Za-z ]*$/, INVALID_NAME);

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

/** The caller's profile: exactly these keys, whatever columns exist. */
export const profile = z.object({
  id: z.guid(),
  username: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  gender: z.string(),
  role: z.string(),
  created_at: z.iso.datetime(),
  profile_image_url: z.string().nullable(),
  is_first_login: z.boolean(),
  is_verified: z.boolean(),
  auth_provider: z.string(),
});

export const profileChange = z.object(
  {
    username: username.optional(),
    fullName: fullName.min(1, 'Full name must not be empty').optional(),
    email: email.optional(),
    setCompletedOnOAuth: z.boolean('setCompletedOnOAuth must be true or false').optional(),
  },
  { error: 'Not a valid profile' },
);

export const changedProfile = z.object({ message: z.string(), emailChanged: z.boolean(), user: profile });

const INVALID_PUSH_TOKEN = 'Invalid push token';
export const pushTokenForm = z.object(
  {
    token: z
      .string(INVALID_PUSH_TOKEN)
      .max(255, INVALID_PUSH_TOKEN)
      .regex(/^Expo(nent)?PushToken\[[^\]]+\]$/, INVALID_PUSH_TOKEN),
  },
  { error: INVALID_PUSH_TOKEN },
);

export const uploadedPicture = z.object({ path: z.string(), url: z.string(), message: z.string() });

export const pictureRemoval = z
  .object({ path: z.string('path must be text').nullish() }, { error: 'path must be text' })
  .optional();

export const done = z.object({ message: z.string() });
export const noBody = z.undefined();
export const linkQuery = z.object({ token: z.string().optional().catch(undefined) });
export const htmlPage = z.string();
