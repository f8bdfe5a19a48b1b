import { createSecretKey, hkdfSync, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '#src/config.ts';

/** How long a printed link works, and a sign-in lasts, in seconds. */
export const LINK_SECONDS = 5 * 60;
export const COOKIE_SECONDS = 30 * 60;

const claims = z.object({ sub: z.guid(), jti: z.string(), exp: z.int(), epoch: z.int() });
type Kind = 'admin-link' | 'admin-cookie';

/** Link and cookie of the operator's console: HS256 with a key of their own, derived (RFC 5869) per kind. */
function keyOf(config: Config, kind: Kind) {
  return createSecretKey(Buffer.from(hkdfSync('sha256', config.secrets.JWT_ACCESS_SECRET, '', kind, 32)));
}

/** @param epoch of the person's session: when that ends, by a logout or a reset, so do link and cookie */
export function signAdminToken(config: Config, kind: Kind, userId: string, epoch: number): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000);
  return new SignJWT({ typ: kind, epoch })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setJti(randomUUID())
    .setExpirationTime(issuedAt + (kind === 'admin-link' ? LINK_SECONDS : COOKIE_SECONDS))
    .sign(keyOf(config, kind));
}

/** Undefined: forged, expired, or of the other kind. */
export async function readAdminToken(config: Config, kind: Kind, token: unknown) {
  if (typeof token !== 'string') return undefined;
  try {
    const { payload } = await jwtVerify(token, keyOf(config, kind), { algorithms: ['HS256'] });
    return claims.parse(payload);
  } catch {
    return undefined;
  }
}
