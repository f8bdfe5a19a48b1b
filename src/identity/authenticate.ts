import type { Request } from 'express';
import { DatabaseUnavailable } from '#platform/postgres/connection.ts';
import type { Database, Session } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Config } from '#src/config.ts';
import { assertSameKey, assertTokenHash, type Proof, type ProofVerifier } from './dpop.ts';
import { buildOwnOrigins } from './ownOrigins.ts';
import type { ReplayStore } from './replayStore.ts';
import type { OtherSessionStates, SessionStates } from './sessionStates.ts';
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

const MARK_OTHER_USED = sql('guard.markOtherSessionUsed')`
  select app.mark_other_session_used($1, $2)`;

interface IdentityParts {
  config: Config;
  db: Database;
  verifyProof: ProofVerifier;
  replayStore: ReplayStore;
  sessionTokens: SessionTokens;
  sessionStates: SessionStates;
  otherSessionStates: OtherSessionStates;
}

/** Which sessions a route is for: that of the phone, or also those beside it. */
export type Admitted = 'phone' | 'all';

/** Who makes a request, and with which key. */
export type Identity = ReturnType<typeof buildIdentity>;

export function buildIdentity({ config, db, verifyProof, replayStore, sessionTokens, ...parts }: IdentityParts) {
  const { sessionStates, otherSessionStates } = parts;
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

  async function readCredentials(
    req: Request,
    admitted: Admitted,
  ): Promise<{ token: string; claims: SessionClaims } | Error> {
    const header = req.get('authorization');
    if (!header) return unauthorized('ACCESS_TOKEN_MISSING', 'No access token provided');
    const invalid = () => unauthorized('ACCESS_TOKEN_INVALID', 'Access token is not valid', 'invalid_token');
    const scheme = config.DPOP_ENABLED ? /^dpop +/i : /^(dpop|bearer) +/i;
    if (!scheme.test(header)) return invalid();
    const token = header.replace(scheme, '');
    const claims = await sessionTokens.readAccess(token);
    return claims && (admitted === 'all' || claims.otherId === undefined) ? { token, claims } : invalid();
  }

  /** What is stored of the session that a token names; undefined when it has ended or has other tokens by now. */
  async function look({ userId, otherId, tokenVersion }: SessionClaims) {
    const [state, other] = await Promise.all([
      sessionStates(userId),
      otherId === undefined ? undefined : otherSessionStates(otherId),
    ]);
    if (!state) return undefined;
    if (otherId === undefined) {
      const mark = () => db.queryUnscoped(userId, MARK_USED, [userId, tokenVersion]);
      return state.token_version === tokenVersion
        ? { state, mark: state.token_version_used ? undefined : mark }
        : undefined;
    }
    const mark = () => db.queryUnscoped(userId, MARK_OTHER_USED, [otherId, tokenVersion]);
    const isCurrent = other?.user_id === userId && other.token_version === tokenVersion;
    return isCurrent ? { state, mark: other.is_marked ? undefined : mark } : undefined;
  }

  /**
   * The guard of protected routes, in the order of behaviour 0.9: proof, access token, key and hash,
   * user and version, verified. Replay store and session state are queried at the same time.
   * @param admitted the sessions that the route is for; a token of another one is refused as no access token
   * @throws ApiError 401; DatabaseUnavailable when PostgreSQL cannot be asked
   */
  async function authenticate(req: Request, requestId: string, admitted: Admitted): Promise<Caller> {
    const proof = config.DPOP_ENABLED ? proofOf(req) : undefined;
    const credentials = await readCredentials(req, admitted);
    const [accepted, looked] = await Promise.allSettled([
      proof ? replayStore.accept(proof, requestId) : undefined,
      credentials instanceof Error ? undefined : look(credentials.claims),
    ]);
    if (accepted.status === 'rejected') throw accepted.reason;
    if (credentials instanceof Error) throw credentials;
    const { token, claims } = credentials;
    if (proof) {
      assertSameKey(claims.thumbprint, proof);
      assertTokenHash(token, proof);
    }
    if (looked.status === 'rejected') throw looked.reason;
    if (!looked.value) throw loginRequired();
    const { state, mark } = looked.value;
    if (!state.is_verified) {
      throw unauthorized('EMAIL_NOT_VERIFIED', 'A validation email is pending.', 'invalid_token');
    }
    await mark?.();
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
      session: { userId: claims.userId, epoch: state.session_epoch, otherId: claims.otherId },
      storedZone: state.stored_zone,
    };
  }

  /**
   * Whether a refresh with this token can succeed: its session goes on, and the token is of the newest pair or of the
   * one before. True as well while the database cannot be asked, because a refresh is held then.
   */
  async function isLive({ userId, otherId, tokenVersion }: SessionClaims): Promise<boolean> {
    try {
      const state = await (otherId === undefined ? sessionStates(userId) : otherSessionStates(otherId));
      return state !== undefined && tokenVersion >= state.token_version - 1;
    } catch (error) {
      if (error instanceof DatabaseUnavailable) return true;
      throw error;
    }
  }

  return { authenticate, proofOf, isLive };
}
