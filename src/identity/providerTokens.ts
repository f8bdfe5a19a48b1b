import { createHash } from 'node:crypto';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { ApiError, badRequest, unavailable } from '#platform/apiError.ts';
import { fairQueue } from '#platform/fairQueue.ts';
import type { Config } from '#src/config.ts';

/** What a provider asserts about a person. An address that it does not assert as verified is null. */
export interface ProvenIdentity {
  provider: 'google' | 'apple';
  subject: string;
  email: string | null;
  /** As the provider writes it; Google only. */
  name: string | null;
}

export type ProviderTokens = ReturnType<typeof buildProviderTokens>;

const GOOGLE_ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];
const APPLE_ISSUER = 'https://appleid.apple.com';
const KEY_TIMEOUT_MS = 5_000;
/** Few at once from one address: each counts as a failure until it has succeeded, and failures are limited. */
const TURNS = { atOnce: 32, atOncePerKey: 8, waitingPerKey: 60, waiting: 500, longestWaitMs: 10_000 };
const KEYS_FRESH_MS = 60 * 60 * 1000;
/** Forged tokens with unknown key ids must not become a flood of requests to the provider. */
const REFETCH_PAUSE_MS = 2_000;

const invalidGoogle = () => new ApiError(401, 'INVALID_ID_TOKEN', 'Invalid Google ID token');
const invalidApple = () => new ApiError(401, 'INVALID_ID_TOKEN', 'Invalid Apple identity token');

/** Verifies the identity tokens of Google and Apple against their key sets. */
export function buildProviderTokens(config: Config) {
  const googleKeys = keySet(config.GOOGLE_JWKS_URL);
  const appleKeys = keySet(config.APPLE_JWKS_URL);

  return {
    /** Verifies a token when the turn of its key, an address, comes. @throws QueueFull, WaitedTooLong */
    inTurn: fairQueue(TURNS),

    /** @throws ApiError 400 `INVALID_AUDIENCE`, 401 `INVALID_ID_TOKEN`, 503 without any key set */
    async google(idToken: string): Promise<ProvenIdentity> {
      const audience = config.GOOGLE_ALLOWED_AUDS ?? [];
      const payload = await verified(idToken, googleKeys, GOOGLE_ISSUERS, audience).catch((error) => {
        if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
          throw badRequest('INVALID_AUDIENCE', 'Invalid audience for Google ID token');
        }
        throw error instanceof errors.JOSEError ? invalidGoogle() : error;
      });
      if (typeof payload.sub !== 'string' || payload.sub === '') throw invalidGoogle();
      const name = typeof payload.name === 'string' ? payload.name.trim() : null;
      return { provider: 'google', subject: payload.sub, email: verifiedEmail(payload), name: name || null };
    },

    /** @throws ApiError 401 `INVALID_ID_TOKEN`, 503 without any key set */
    async apple(idToken: string, rawNonce: string): Promise<ProvenIdentity> {
      const audience = config.APPLE_ALLOWED_AUDS ?? [];
      const payload = await verified(idToken, appleKeys, [APPLE_ISSUER], audience).catch((error) => {
        throw error instanceof errors.JOSEError ? invalidApple() : error;
      });
      const nonce = createHash('sha256').update(rawNonce).digest('hex');
      if (typeof payload.sub !== 'string' || payload.sub === '' || payload.nonce !== nonce) throw invalidApple();
      return { provider: 'apple', subject: payload.sub, email: verifiedEmail(payload), name: null };
    },
  };
}

/** The provider's keys: fetched when needed, again for an unknown key id, and the last good set when that fails. */
function keySet(url: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(url), {
    timeoutDuration: KEY_TIMEOUT_MS,
    cacheMaxAge: KEYS_FRESH_MS,
    cooldownDuration: REFETCH_PAUSE_MS,
  });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      const isAboutTheToken = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported;
      if (isAboutTheToken) throw error;
      const last = remote.jwks();
      if (!last) throw unavailable();
      return createLocalJWKSet(last)(header, token);
    }
  };
}

async function verified(
  token: string,
  keys: JWTVerifyGetKey,
  issuer: string[],
  audience: string[],
): Promise<JWTPayload> {
  // An empty list of audiences accepts nobody; the library would take it as "do not check".
  const accepted = audience.length > 0 ? audience : ['(no audience is configured)'];
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['RS256'],
    issuer,
    audience: accepted,
    requiredClaims: ['exp', 'sub'],
  });
  return payload;
}

function verifiedEmail({ email, email_verified }: JWTPayload): string | null {
  if (typeof email !== 'string' || (email_verified !== true && email_verified !== 'true')) return null;
  return z.email().max(254).safeParse(email.trim().toLowerCase()).data ?? null;
}
