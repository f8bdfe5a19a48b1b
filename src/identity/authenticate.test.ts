import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#platform/apiError.ts';
import type { Database } from '#platform/postgres/database.ts';
import { sha256 } from '#tests/helpers/proof.ts';
import { testConfig } from '#tests/helpers/testConfig.ts';
import { buildIdentity } from './authenticate.ts';
import { networkOrigins } from './ownOrigins.ts';
import { buildSessionTokens } from './sessionTokens.ts';

/*
 * Which failure a client is told of when several things are wrong at once, and what is then not done. Proofs and
 * stores are stand-ins here; that the real ones say the same is shown in dpop.test.ts.
 */

const userId = randomUUID();
const KEY = 'k'.repeat(43);
const OWN = ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', ...networkOrigins(3000)];
const STATE = {
  id: userId,
  token_version: 7,
  token_version_used: true,
  session_epoch: 3,
  is_verified: true,
  role: 'Admin',
  plan_version: 1,
  training_version: 2,
  cardio_version: 3,
  inbox_version: 4,
  profile_version: 5,
  catalogue_version: 6,
  senders_version: 7,
  log_version: 8,
  stored_zone: 'Asia/Jerusalem',
};
const refused = (code: string) => new ApiError(401, code, code);

interface Situation {
  env?: Record<string, string>;
  production?: boolean;
  /** What the database says of the person, or that it cannot be asked. */
  state?: Partial<typeof STATE> | Error | 'gone';
  proofFails?: boolean;
  isReplayed?: boolean;
  proofKey?: string;
  ath?: string;
}

/** A guard in a situation, and what it did. */
async function guard({
  env = {},
  production = false,
  state = {},
  proofFails,
  isReplayed,
  proofKey = KEY,
  ath,
}: Situation = {}) {
  const config = { ...testConfig(env), production };
  const sessionTokens = buildSessionTokens(config);
  const { accessToken } = await sessionTokens.issue({ userId, role: 'User', tokenVersion: 7, thumbprint: KEY });
  const done: string[] = [];
  const targets: unknown[] = [];
  const identity = buildIdentity({
    config,
    sessionTokens,
    verifyProof: (proof, target) => {
      targets.push([proof, target]);
      if (proofFails) throw refused('PROOF');
      return { thumbprint: proofKey, jti: 'j', ath: ath ?? sha256(accessToken) };
    },
    replayStore: {
      async accept(proof, requestId) {
        done.push(`accept ${proof.jti} ${requestId}`);
        if (isReplayed) throw refused('REPLAYED');
      },
    },
    async sessionStates(id) {
      expect(id).toBe(userId);
      done.push('session state');
      if (state instanceof Error) throw state;
      return state === 'gone' ? undefined : { ...STATE, ...state };
    },
    otherSessionStates: async () => undefined,
    db: {
      async queryUnscoped(turnOf: string, { name }: { name: string }, values: unknown[]) {
        expect([turnOf, values[0]]).toEqual([userId, userId]);
        done.push([name, ...values.slice(1)].join(' '));
        return [];
      },
    } as unknown as Database,
  });
  const request = (headers: Record<string, string>) =>
    ({
      method: 'GET',
      path: '/api/users/get',
      socket: { localPort: 3000 },
      get: (name: string) => headers[name],
    }) as unknown as Request;
  const authenticate = (authorization: string | undefined = `DPoP ${accessToken}`, dpop = 'proof') =>
    identity.authenticate(request({ ...(authorization === '' ? {} : { authorization }), dpop }), 'request 1', 'phone');
  return {
    accessToken,
    authenticate,
    done,
    targets,
    proofOf: (h: Record<string, string>) => identity.proofOf(request(h)),
  };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'let in',
    (error) => error.code ?? error.message,
  );

describe('the guard', () => {
  it('lets in who proves it, with what is stored of the person', async () => {
    const { authenticate, done, targets } = await guard({ env: { PUBLIC_BASE_URL: 'https://api.example' } });
    expect(await authenticate()).toEqual({
      id: userId,
      role: 'Admin',
      thumbprint: KEY,
      versions: { plan: 1, training: 2, cardio: 3, inbox: 4, profile: 5, catalogue: 6, senders: 7, log: 8 },
      session: { userId, epoch: 3, otherId: undefined },
      storedZone: 'Asia/Jerusalem',
    });
    expect(done).toEqual(['accept j request 1', 'session state']);
    const origins = ['https://api.example', ...OWN];
    expect(targets).toEqual([['proof', { method: 'GET', path: '/api/users/get', origins }]]);
  });

  it('marks a version as used the first time', async () => {
    const { authenticate, done } = await guard({ state: { token_version_used: false } });
    await authenticate();
    expect(done).toEqual(['accept j request 1', 'session state', 'guard.markTokenVersionUsed 7']);
  });

  const away = new Error('the database is away');
  const everything = { proofFails: true, isReplayed: true, proofKey: 'other', ath: 'other', state: away };
  const order: Array<[string, Situation, string, string]> = [
    ['the proof', everything, 'DPoP forged', 'PROOF'],
    ['a replay', { ...everything, proofFails: false }, 'DPoP forged', 'REPLAYED'],
    ['the token', { ...everything, proofFails: false, isReplayed: false }, 'DPoP forged', 'ACCESS_TOKEN_INVALID'],
    ['no token', { ...everything, proofFails: false, isReplayed: false }, '', 'ACCESS_TOKEN_MISSING'],
    ['the key', { state: away, proofKey: 'other', ath: 'other' }, 'good', 'DPOP_KEY_MISMATCH'],
    ['the hash', { state: away, ath: 'other' }, 'good', 'DPOP_ATH_MISMATCH'],
    ['the database', { state: away }, 'good', 'the database is away'],
    ['the person', { state: 'gone' }, 'good', 'LOGIN_REQUIRED'],
    ['an older version', { state: { token_version: 8, is_verified: false } }, 'good', 'LOGIN_REQUIRED'],
    ['a newer version', { state: { token_version: 6 } }, 'good', 'LOGIN_REQUIRED'],
    ['the address', { state: { is_verified: false, token_version_used: false } }, 'good', 'EMAIL_NOT_VERIFIED'],
  ];
  it.each(order)('tells of %s before what comes later', async (_what, situation, token, code) => {
    const { authenticate, done } = await guard(situation);
    expect(await codeOf(authenticate(token === 'good' ? undefined : token))).toBe(code);
    // A proof that was refused is not used up, and nobody's version is used by who is refused.
    if (code === 'PROOF') expect(done).toEqual([]);
    expect(done.join()).not.toContain('guard.markTokenVersionUsed');
  });

  it.each([
    ['DPoP ', 'let in'],
    ['dpop   ', 'let in'],
    ['Bearer ', 'ACCESS_TOKEN_INVALID'],
    ['', 'ACCESS_TOKEN_INVALID'],
    ['DPoP', 'ACCESS_TOKEN_INVALID'],
    [' DPoP ', 'ACCESS_TOKEN_INVALID'],
    ['DPoP DPoP ', 'ACCESS_TOKEN_INVALID'],
    ['Bearer DPoP ', 'ACCESS_TOKEN_INVALID'],
  ])('takes the token behind %j: %s', async (scheme, code) => {
    const { accessToken, authenticate } = await guard();
    expect(await codeOf(authenticate(scheme + accessToken))).toBe(code);
  });

  it.each([
    ['DPoP ', 'let in'],
    ['bearer  ', 'let in'],
    ['', 'ACCESS_TOKEN_INVALID'],
    ['xBearer ', 'ACCESS_TOKEN_INVALID'],
  ])('asks for no proof while DPoP is off, and takes the token behind %j: %s', async (scheme, code) => {
    const { accessToken, authenticate, done, targets } = await guard({
      env: { DPOP_ENABLED: 'false' },
      proofFails: true,
      isReplayed: true,
    });
    expect(await codeOf(authenticate(scheme + accessToken))).toBe(code);
    expect(targets).toEqual([]);
    expect(done).toEqual(code === 'let in' ? ['session state'] : []);
    if (code === 'let in') expect(await authenticate(scheme + accessToken)).toMatchObject({ thumbprint: undefined });
  });
});

describe('the proof of a request', () => {
  it('is missing without a word about errors only where nothing at all was sent', async () => {
    const { proofOf, targets } = await guard();
    expect(() => proofOf({})).toThrow(
      expect.objectContaining({ code: 'DPOP_PROOF_MISSING', headers: { 'WWW-Authenticate': 'DPoP algs="ES256"' } }),
    );
    expect(targets).toEqual([]);
    for (const headers of [{ dpop: '' }, { authorization: '' }, { 'x-refresh-token': '' }]) {
      expect(proofOf(headers as Record<string, string>).jti).toBe('j');
    }
    expect(targets).toHaveLength(3);
  });

  it.each([
    ['and, in development, the own loopback ones', false],
    ['and in production no other', true],
  ])('may name the addresses that are configured %s', async (_which, production) => {
    const env = {
      PUBLIC_BASE_URL: 'https://api.example',
      PUBLIC_BASE_URL_RENDER_DEFAULT: 'https://render.example',
      PRIVATE_BASE_URL_DEV: 'http://192.168.0.2:3000',
    };
    const { proofOf, targets } = await guard({ env, production });
    proofOf({ dpop: 'proof' });
    const origins = [...Object.values(env), ...(production ? [] : OWN)];
    expect(targets).toEqual([['proof', { method: 'GET', path: '/api/users/get', origins }]]);
  });
});
