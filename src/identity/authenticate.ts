import type { Request } from 'express';
import type { Database, Session } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Config } from '#src/config.ts';
import { assertSameKey, assertTokenHash, type Proof, type ProofVerifier } from './dpop.ts';
import { buildOwnOrigins } from './ownOrigins.ts';
import type { ReplayStore } from './replayStore.ts';
import type { SessionStates } from './sessionStates.ts';
import type { SessionClaims, SessionTokens } from './sessionTokens.ts';
import { loginRequired, unauthorized } from './unauthorized.ts';

/** For each part of a person's data, and of what everybody shares, the transaction that changed it last. */
export interface DataVersions {
  plan: number;
  training: number;
  cardio: number;
  inbox: number;
  profile: number;
  /** The exercise catalogue. */
  catalogue: number;
  /** Names and pictures of those who wrote messages. */
  senders: number;
  /** The logbook: the number of its last change. */
  log: number;
}

/** The person that a protected request acts for. */
export interface Caller {
  id: string;
  role: string;
  /** Thumbprint of the key that made the proof; undefined while DPoP is off. */
  thumbprint: string | undefined;
  /** Versions of what answers show, when the request came in: parts of cache keys. */
  versions: DataVersions;
  /** The session of this request; each of its transactions checks again that the session has not ended. */
  session: Session;
  /** IANA zone that is stored for reminders. */
  storedZone: string;
}

const MARK_USED = sql('guard.markTokenVersionUsed')`
  select app.mark_token_version_used($1, $2)`;

interface IdentityParts {
  config: Config;
  db: Database;
  verifyProof: ProofVerifier;
  replayStore: ReplayStore;
  sessionTokens: SessionTokens;
  sessionStates: SessionStates;
}

/** Who makes a request, and with which key. */
export type Identity = ReturnType<typeof buildIdentity>;

export function buildIdentity({ config, db, verifyProof, replayStore, sessionTokens, sessionStates }: IdentityParts) {
  const ownOrigins = buildOwnOrigins();

  /** Runs checks 1 to 7 of the DPoP proof against this request. @throws ApiError 401 */
  function proofOf(req: Request): Proof {
    const sentNothing = req.get('dpop') === undefined && req.get('authorization') === undefined;
    if (sentNothing && req.get('x-refresh-token') === undefined) {
      throw unauthorized('DPOP_PROOF_MISSING', 'DPoP proof is missing in the request.');
    }
    return verifyProof(req.get('dpop'), {
      method: req.method,
      path: req.path,
      origins: config.production ? config.proofOrigins : [...config.proofOrigins, ...ownOrigins(req.socket.localPort)],
    });
  }

  async function readCredentials(req: Request): Promise<{ token: string; claims: SessionClaims } | Error> {
    const header = req.get('authorization');
    if (!header) return unauthorized('ACCESS_TOKEN_MISSING', 'No access token provided');
    const invalid = () => unauthorized('ACCESS_TOKEN_INVALID', 'Access token is not valid', 'invalid_token');
    const scheme = config.DPOP_ENABLED ? /^dpop +/i : /^(dpop|bearer) +/i;
    if (!scheme.test(header)) return invalid();
    const token = header.replace(scheme, '');
    const claims = await sessionTokens.readAccess(token);
    return claims ? { token, claims } : invalid();
  }

  /**
   * The guard of protected routes, in the order of behaviour 0.9: proof, access token, key and hash,
   * user and version, verified. Replay store and session state are queried at the same time.
   * @throws ApiError 401; DatabaseUnavailable when PostgreSQL cannot be asked
   */
  async function authenticate(req: Request, requestId: string): Promise<Caller> {
    const proof = config.DPOP_ENABLED ? proofOf(req) : undefined;
    const credentials = await readCredentials(req);
    const [accepted, looked] = await Promise.allSettled([
      proof ? replayStore.accept(proof, requestId) : undefined,
      credentials instanceof Error ? undefined : sessionStates(credentials.claims.userId),
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
    if (!state.token_version_used)
      await db.queryUnscoped(claims.userId, MARK_USED, [claims.userId, claims.tokenVersion]);
    return {
      id: claims.userId,
      role: state.role,
      thumbprint: proof?.thumbprint,
      versions: {
        plan: state.plan_version,
        training: state.training_version,
        cardio: state.cardio_version,
        inbox: state.inbox_version,
        profile: state.profile_version,
        catalogue: state.catalogue_version,
        senders: state.senders_version,
        log: state.log_version,
      },
      session: { userId: claims.userId, epoch: state.session_epoch },
      storedZone: state.stored_zone,
    };
  }

  return { authenticate, proofOf };
}
