import { createHash, createSecretKey, randomUUID } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { SecretName } from '#src/config.ts';

const ISSUER = 'strong-together';

/** A kind of link in a mail. Each has its own secret, so that no kind is accepted as another (behaviour 0.7). */
interface LinkKind<Claims> {
  secret: SecretName;
  typ: string;
  lifetimeSeconds: number;
  claims: z.ZodType<Claims>;
}

/** Proves that its holder reads mail at this very address. */
export const VERIFICATION_LINK = {
  secret: 'JWT_VERIFY_SECRET',
  typ: 'email-verify',
  lifetimeSeconds: 60 * 60,
  claims: z.object({ sub: z.guid(), email: z.string(), epoch: z.int().optional() }),
} satisfies LinkKind<unknown>;

/** Lets its holder set a password, while password and address are those that it was made for. */
export const RESET_LINK = {
  secret: 'JWT_FORGOT_PASSWORD_SECRET',
  typ: 'forgot-pass',
  lifetimeSeconds: 5 * 60,
  claims: z.object({ sub: z.guid(), email: z.string(), fingerprint: z.string() }),
} satisfies LinkKind<unknown>;

/** Confirms a new address, while the old one is still the account's. */
export const EMAIL_CHANGE_LINK = {
  secret: 'CHANGE_EMAIL_SECRET',
  typ: 'email-confirm',
  lifetimeSeconds: 10 * 60,
  claims: z.object({ sub: z.guid(), newEmail: z.string(), oldEmail: z.string().nullable() }),
} satisfies LinkKind<unknown>;

type Secrets = Record<SecretName, string>;

export function signLink<Claims extends JWTPayload>(
  secrets: Secrets,
  kind: LinkKind<Claims>,
  { sub, ...claims }: Claims,
): Promise<string> {
  return new SignJWT({ ...claims, typ: kind.typ })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(String(sub))
    .setJti(randomUUID())
    .setIssuer(ISSUER)
    .setIssuedAt()
    .setExpirationTime(`${kind.lifetimeSeconds}s`)
    .sign(createSecretKey(Buffer.from(secrets[kind.secret])));
}

/**
 * Reads the token of a link.
 * @returns its claims; `untrusted`: forged or foreign; `expired`; `malformed`: ours, but it says something else
 */
export async function readLink<Claims>(
  secrets: Secrets,
  kind: LinkKind<Claims>,
  token: string,
): Promise<Claims | 'untrusted' | 'expired' | 'malformed'> {
  try {
    const key = createSecretKey(Buffer.from(secrets[kind.secret]));
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'] });
    if (payload.iss !== ISSUER || payload.typ !== kind.typ) return 'malformed';
    return kind.claims.safeParse(payload).data ?? 'malformed';
  } catch (error) {
    return error instanceof errors.JWTExpired ? 'expired' : 'untrusted';
  }
}

/** Differs when the password hash differs, and is of no use to anybody who reads it. */
export const passwordFingerprint = (passwordHash: string): string =>
  createHash('sha256').update(passwordHash).digest('base64url');
