import { createSecretKey } from 'node:crypto';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '#src/config.ts';

/** What an access or a refresh token says about its session. */
export interface SessionClaims {
  userId: string;
  role: string;
  tokenVersion: number;
  /** Thumbprint of the key that the token is bound to; undefined while DPoP is off. */
  thumbprint: string | undefined;
}

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
}

export type SessionTokens = ReturnType<typeof buildSessionTokens>;

const binding = z.object({ jkt: z.string() }).optional();
const accessClaims = z.object({
  typ: z.literal('access'),
  id: z.guid(),
  role: z.string(),
  tokenVer: z.int(),
  cnf: binding,
});
/** Phones hold refresh tokens from before `typ` existed, with the version as a decimal string. */
const refreshClaims = z.object({
  typ: z.literal('refresh').optional(),
  id: z.guid(),
  role: z.string().default('User'),
  tokenVer: z.union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ]),
  cnf: binding,
});

/** Signs and reads the two tokens of a session: JWT, HS256 only, one secret a kind (behaviour 0.7). */
export function buildSessionTokens(config: Config) {
  const accessKey = createSecretKey(Buffer.from(config.secrets.JWT_ACCESS_SECRET));
  const refreshKey = createSecretKey(Buffer.from(config.secrets.JWT_REFRESH_SECRET));

  function sign(typ: 'access' | 'refresh', claims: SessionClaims, lifetimeSeconds: number): Promise<string> {
    const payload: JWTPayload = { typ, id: claims.userId, role: claims.role, tokenVer: claims.tokenVersion };
    if (claims.thumbprint) payload.cnf = { jkt: claims.thumbprint };
    const issuedAt = Math.floor(Date.now() / 1000);
    return new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(typ === 'access' ? accessKey : refreshKey);
  }

  async function read(
    token: string,
    key: typeof accessKey,
    schema: typeof accessClaims | typeof refreshClaims,
  ): Promise<SessionClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'] });
      const claims = schema.parse(payload);
      return { userId: claims.id, role: claims.role, tokenVersion: claims.tokenVer, thumbprint: claims.cnf?.jkt };
    } catch {
      return undefined;
    }
  }

  return {
    /** Both tokens of a session. */
    async issue(claims: SessionClaims): Promise<TokenPair> {
      const [accessToken, refreshToken] = await Promise.all([
        sign('access', claims, config.ACCESS_TOKEN_TTL_SEC),
        sign('refresh', claims, config.REFRESH_TOKEN_TTL_SEC),
      ]);
      return { accessToken, refreshToken };
    },
    /** The claims of a good access token, else undefined: forged, expired or another kind. */
    readAccess: (token: string) => read(token, accessKey, accessClaims),
    /** The claims of a good refresh token, else undefined. */
    readRefresh: (token: string) => read(token, refreshKey, refreshClaims),
  };
}

/** The token in a header such as `DPoP <token>` or `Bearer <token>`; a bare token too. */
export function tokenOf(header: string | undefined): string | undefined {
  return header?.trim().replace(/^(dpop|bearer)(\s+|$)/i, '') || undefined;
}
