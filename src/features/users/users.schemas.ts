import { z } from 'zod';
import { confirmation, email, fullName, isConfirmed, NEEDS_CONFIRMATION, username } from '#identity/account.schemas.ts';

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

export const deletion = confirmation.refine(isConfirmed, NEEDS_CONFIRMATION);
