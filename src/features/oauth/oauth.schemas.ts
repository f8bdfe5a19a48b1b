import { z } from 'zod';

const token = (message: string) => z.string(message).min(1, message);

const NO_GOOGLE = 'Missing google id token';
export const googleSignIn = z.object({ idToken: token(NO_GOOGLE) }, { error: NO_GOOGLE });

const NO_APPLE = 'Missing or invalid Apple identityToken';
const part = z.string().nullish().catch(null);
export const appleSignIn = z.object(
  {
    idToken: token(NO_APPLE),
    rawNonce: token('Missing rawNonce'),
    name: z.object({ givenName: part, familyName: part }).nullish().catch(null),
    // An email in the body is ignored: only that of the token counts.
  },
  { error: NO_APPLE },
);

export const signedIn = z.object({
  message: z.string(),
  user: z.guid(),
  missingFields: z
    .array(z.enum(['email', 'name']))
    .nullable()
    .describe('null when nothing is missing, never empty'),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
});

export const proceeded = z.object({
  message: z.string(),
  user: z.guid(),
  accessToken: z.string(),
  refreshToken: z.string(),
});
