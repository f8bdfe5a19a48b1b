import type { Request } from 'express';
import type { Session } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Deps } from './deps.ts';
import { assertSameKey, assertTokenHash, type Proof } from './dpop.ts';
import { loginRequired, unauthorized } from './errors.ts';
import type { SessionClaims } from './sessionTokens.ts';

/** The person that a protected request acts for. */
export interface Caller {
  id: string;
  role: string;
  /** Thumbprint of the key that made the proof; undefined while DPoP is off. */
  thumbprint: string | undefined;
  /** Version of the person's data when the request came in: part of cache keys. */
  dataVersion: number;
  /** The session that this request was let in with: every transaction of it looks whether it goes on. */
  session: Session;
  /** IANA zone that is stored for reminders. */
  storedZone: string;
}

interface SessionState {
  token_version: number;
  token_version_used: boolean;
  session_epoch: number;
  is_verified: boolean;
  role: string;
  data_version: number;
  stored_zone: string;
}

export const SESSION_STATE = sql<SessionState>('guard.sessionState')`
  select s.* from app.session_state($1) s`;

const MARK_USED = sql('guard.markTokenVersionUsed')`
  select app.mark_token_version_used($1, $2)`;

/**
 * The guard of protected routes, in the order of contract 0.9: proof, access token, key and hash,
 * user and version, verified. Replay memory and session state are asked at the same time.
 * @throws ApiError 401; DatabaseUnavailable when PostgreSQL cannot be asked
 */
export async function authenticate(req: Request, requestId: string, deps: Deps): Promise<Caller> {
  const proof = deps.config.DPOP_ENABLED ? proofOf(req, deps) : undefined;
  const credentials = await readCredentials(req, deps);
  const [accepted, looked] = await Promise.allSettled([
    proof ? deps.seenProofs.accept(proof, requestId) : undefined,
    credentials instanceof Error ? undefined : deps.db.lookUp(SESSION_STATE, [credentials.claims.userId]),
  ]);
  if (accepted.status === 'rejected') throw accepted.reason;
  if (credentials instanceof Error) throw credentials;
  const { token, claims } = credentials;
  if (proof) {
    assertSameKey(claims.thumbprint, proof);
    assertTokenHash(token, proof);
  }
  if (looked.status === 'rejected') throw looked.reason;
  const state = looked.value;
  if (!state || state.token_version !== claims.tokenVersion) throw loginRequired();
  if (!state.is_verified) {
    throw unauthorized('EMAIL_NOT_VERIFIED', 'A validation email is pending.', 'invalid_token');
  }
  // Last: neither a captured request nor a token without its key may use up what its owner has.
  await deps.limits.count('person', claims.userId);
  if (!state.token_version_used) await deps.db.lookUp(MARK_USED, [claims.userId, claims.tokenVersion]);
  return {
    id: claims.userId,
    role: state.role,
    thumbprint: proof?.thumbprint,
    dataVersion: state.data_version,
    session: { userId: claims.userId, epoch: state.session_epoch },
    storedZone: state.stored_zone,
  };
}

/** Checks 1 to 7 against this request. @throws ApiError 401 */
export function proofOf(req: Request, deps: Deps): Proof {
  const sentNothing = req.get('dpop') === undefined && req.get('authorization') === undefined;
  if (sentNothing && req.get('x-refresh-token') === undefined) {
    throw unauthorized('DPOP_PROOF_MISSING', 'DPoP proof is missing in the request.');
  }
  return deps.verifyProof(req.get('dpop'), {
    method: req.method,
    path: req.path,
    origins: deps.config.production
      ? deps.config.proofOrigins
      : [...deps.config.proofOrigins, ...loopbackOrigins(req.socket.localPort)],
  });
}

function loopbackOrigins(port: number | undefined): string[] {
  return ['localhost', '127.0.0.1', '[::1]'].map((host) => new URL(`http://${host}:${port}`).origin);
}

async function readCredentials(req: Request, deps: Deps): Promise<{ token: string; claims: SessionClaims } | Error> {
  const header = req.get('authorization');
  if (!header) return unauthorized('ACCESS_TOKEN_MISSING', 'No access token provided');
  const invalid = unauthorized('ACCESS_TOKEN_INVALID', 'Access token is not valid', 'invalid_token');
  const scheme = deps.config.DPOP_ENABLED ? /^dpop +/i : /^(dpop|bearer) +/i;
  if (!scheme.test(header)) return invalid;
  const token = header.replace(scheme, '');
  const claims = await deps.sessionTokens.readAccess(token);
  return claims ? { token, claims } : invalid;
}
