import { z } from 'zod';

const IDENTIFIER = 'Must be a valid email or username';

/** Username or e-mail as typed; older accounts may have dots or long names. */
const identifier = z
  .string({ error: IDENTIFIER })
  .trim()
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

export const linkQuery = z.object({ token: z.string().optional().catch(undefined) });

export const htmlPage = z.string();
