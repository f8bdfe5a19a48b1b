import { createSecretKey, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

const ISSUER = 'strong-together';

/** Lifetime of a verification link in seconds. */
export const VERIFICATION_LIFETIME = 3600;

const verification = z.object({ sub: z.uuid(), typ: z.literal('email-verify'), email: z.string() });

export interface Verification {
  userId: string;
  email: string;
}

/** The token of a verification link: it proves that its holder reads mail at this very address. */
export function signVerification(secret: string, { userId, email }: Verification): Promise<string> {
  return new SignJWT({ typ: 'email-verify', email })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setJti(randomUUID())
    .setIssuer(ISSUER)
    .setIssuedAt()
    .setExpirationTime(`${VERIFICATION_LIFETIME}s`)
    .sign(createSecretKey(Buffer.from(secret)));
}

/**
 * Reads the token of a verification link.
 * @returns `untrusted` when it is forged, expired or foreign, `malformed` when it is ours and says something else
 */
export async function readVerification(
  secret: string,
  token: string,
): Promise<Verification | 'untrusted' | 'malformed'> {
  try {
    const key = createSecretKey(Buffer.from(secret));
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'], issuer: ISSUER });
    const claims = verification.safeParse(payload);
    return claims.success ? { userId: claims.data.sub, email: claims.data.email } : 'malformed';
  } catch {
    return 'untrusted';
  }
}
