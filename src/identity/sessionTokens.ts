import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Config } from '#src/config.ts';

/** What an access or a refresh token says about its session. */
export interface SessionClaims {
  userId: string;
  role: string;
  tokenVersion: number;
  /** Thumbprint of the key that the token is bound to; undefined while DPoP is off. */
  thumbprint: string | undefined;
  /** Id of the session, if it is one beside the phone. */
  otherId?: string;
}

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
}

export type SessionTokens = ReturnType<typeof buildSessionTokens>;

const binding = z.object({ jkt: z.string() }).optional();
const current = z.object({ id: z.guid(), role: z.string(), tokenVer: z.int(), cnf: binding });
const accessClaims = z.discriminatedUnion('typ', [
  current.extend({ typ: z.literal('access') }),
  current.extend({ typ: z.literal('session-access'), sid: z.guid() }),
]);
const otherRefreshClaims = current.extend({ typ: z.literal('session-refresh'), sid: z.guid() });
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
type AnyClaims = typeof accessClaims | typeof refreshClaims | typeof otherRefreshClaims;

/**
 * Tokens of each kind whose signature is not verified again: an access token comes with every request, a refresh token is
 * read by the general limit and by its route.
 */
const MOST_VERIFIED = 10_000;

interface Verified {
  claims: SessionClaims;
  /** Seconds since 1970. */
  expiry: number;
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

const macOf = (signed: string, key: KeyObject): Buffer => createHmac('sha256', key).update(signed).digest();

/** Whether a token was signed with a key. Forged ones are found out here: the library takes thirty times as long. */
function hasMac(token: string, key: KeyObject): boolean {
  const end = token.lastIndexOf('.');
  const shown = Buffer.from(token.slice(end + 1), 'base64url');
  const mac = macOf(token.slice(0, Math.max(end, 0)), key);
  return shown.length === mac.length && timingSafeEqual(shown, mac);
}

/**
 * Signs and reads the two tokens of a session: JWT, HS256 only, one secret a kind (behaviour 0.7). Those of sessions beside
 * the phone are of another `typ` and name their session.
 */
export function buildSessionTokens(config: Config) {
  const accessKey = createSecretKey(Buffer.from(config.secrets.JWT_ACCESS_SECRET));
  const refreshKey = createSecretKey(Buffer.from(config.secrets.JWT_REFRESH_SECRET));

  /** JWS with HMAC SHA-256 (RFC 7515, section 3.3): one call here, where a library would ask another thread. */
  function sign(kind: 'access' | 'refresh', claims: SessionClaims, lifetimeSeconds: number): string {
    const issuedAt = Math.floor(Date.now() / 1000);
    const payload = {
      ...(claims.otherId === undefined ? { typ: kind } : { typ: `session-${kind}`, sid: claims.otherId }),
      id: claims.userId,
      role: claims.role,
      tokenVer: claims.tokenVersion,
      ...(claims.thumbprint ? { cnf: { jkt: claims.thumbprint } } : {}),
      iat: issuedAt,
      exp: issuedAt + lifetimeSeconds,
    };
    const signed = `${HEADER}.${encode(payload)}`;
    return `${signed}.${macOf(signed, kind === 'access' ? accessKey : refreshKey).toString('base64url')}`;
  }

  async function read(token: string, key: KeyObject, schema: AnyClaims): Promise<Verified | undefined> {
    if (!hasMac(token, key)) return undefined;
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'] });
      const { id, role, tokenVer, cnf, ...session } = schema.parse(payload);
      const claims = { userId: id, role, tokenVersion: tokenVer, thumbprint: cnf?.jkt };
      return { claims: 'sid' in session ? { ...claims, otherId: session.sid } : claims, expiry: payload.exp ?? 0 };
    } catch {
      return undefined;
    }
  }

  /** Reads tokens of one kind, and remembers the good ones. */
  function reader(key: KeyObject, schema: AnyClaims) {
    // By the hash of the token, so that how long a search takes tells nothing of a token.
    const verified = new LRUCache<string, Verified>({ max: MOST_VERIFIED });
    return async (token: string): Promise<SessionClaims | undefined> => {
      const sha256 = hash('sha256', token, 'base64');
      const known = verified.get(sha256);
      if (known) return known.expiry > Math.floor(Date.now() / 1000) ? known.claims : undefined;
      const found = await read(token, key, schema);
      if (found) verified.set(sha256, found);
      return found?.claims;
    };
  }

  return {
    /** Both tokens of a session. */
    issue: (claims: SessionClaims): TokenPair => ({
      accessToken: sign('access', claims, config.ACCESS_TOKEN_TTL_SEC),
      refreshToken: sign('refresh', claims, config.REFRESH_TOKEN_TTL_SEC),
    }),
    /** The claims of a good access token of either kind of session, else undefined: forged, expired or another kind. */
    readAccess: reader(accessKey, accessClaims),
    /** The claims of a good refresh token of a phone, else undefined. */
    readRefresh: reader(refreshKey, refreshClaims),
    /** The same of a session beside the phone. */
    readOtherRefresh: reader(refreshKey, otherRefreshClaims),
  };
}

/** The token in a header such as `DPoP <token>` or `Bearer <token>`; a bare token too. */
export function tokenOf(header: string | undefined): string | undefined {
  return header?.trim().replace(/^(dpop|bearer)(\s+|$)/i, '') || undefined;
}

/**
 * Whether the header Authorization says that it is of a session beside the phone. Nothing is verified: for the gates, which
 * decide nothing about identity.
 */
export function saysOtherSession(header: string | undefined): boolean {
  try {
    const [, payload = ''] = tokenOf(header)?.split('.') ?? [];
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).typ === 'session-access';
  } catch {
    return false;
  }
}
