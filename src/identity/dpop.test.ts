import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SignedIn, signUp } from '#tests/helpers/person.ts';
import { makeProof, type ProofKey, type ProofParts, proofKey, sha256 } from '#tests/helpers/proof.ts';
import { startTestServer, type TestServer } from '#tests/helpers/server.ts';

let server: TestServer;
let person: SignedIn;
let key: ProofKey;
let accessToken: string;
let refreshToken: string;

const PROFILE = '/api/users/get';

async function logIn(withKey: ProofKey): Promise<{ accessToken: string; refreshToken: string }> {
  const response = await server.fetch('/api/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dpop-key-binding': withKey.thumbprint },
    body: JSON.stringify({ identifier: person.username, password: person.password }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { accessToken: string; refreshToken: string };
}

beforeAll(async () => {
  server = await startTestServer();
  person = await signUp(server);
  key = proofKey();
  ({ accessToken, refreshToken } = await logIn(key));
});
afterAll(() => server.close());

const proofFor = (parts: ProofParts = {}, path = PROFILE) =>
  makeProof(key, `GET ${server.url}${path}`, { accessToken, ...parts });

const readProfile = (proof: string | undefined, authorization = `DPoP ${accessToken}`, path = PROFILE) =>
  server.fetch(path, { headers: { authorization, ...(proof === undefined ? {} : { dpop: proof }) } });

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return { status: response.status, code, message, challenge: response.headers.get('www-authenticate') };
}

const INVALID_PROOF = 'DPoP error="invalid_dpop_proof", algs="ES256"';
const INVALID_TOKEN = 'DPoP error="invalid_token", algs="ES256"';

describe('a proof (RFC 9449 section 4.3, behaviour 0.8)', () => {
  it('is accepted when everything agrees', async () => {
    expect((await readProfile(proofFor())).status).toBe(200);
  });

  const wrongFormat = {
    status: 401,
    code: 'DPOP_PROOF_INVALID',
    message: 'Invalid DPoP proof signature or format.',
    challenge: INVALID_PROOF,
  };
  const jwk = (changes: object) => () => proofFor({ header: { jwk: { ...key.jwk, ...changes } } });
  const badlyMade: Array<[string, () => string]> = [
    ['is no JWS', () => 'nonsense'],
    ['has a fourth part', () => `${proofFor()}.x`],
    ['has a broken signature', () => proofFor({ tamper: true })],
    ['is signed by another key', () => makeProof({ ...key, jwk: proofKey().jwk }, `GET ${server.url}${PROFILE}`)],
    ['says alg none', () => proofFor({ header: { alg: 'none' } })],
    ['says alg HS256', () => proofFor({ header: { alg: 'HS256' } })],
    ['carries an RSA key', jwk({ kty: 'RSA' })],
    ['carries a P-384 key', jwk({ crv: 'P-384' })],
    ['carries a private key', jwk({ d: 'AAAA' })],
    ['carries no key', () => proofFor({ header: { jwk: undefined } })],
    ['carries a point off the curve', jwk({ x: 'AAAA' })],
    ['has padding behind the signature', () => `${proofFor()}==`],
    ['comes twice', () => `${proofFor()}, ${proofFor()}`],
    ['names an extension that must be understood', () => proofFor({ header: { crit: ['b64'], b64: false } })],
    ['has no jti', () => proofFor({ payload: { jti: undefined } })],
    ['has an empty jti', () => proofFor({ payload: { jti: '' } })],
    ['has a number as jti', () => proofFor({ payload: { jti: 7 } })],
    ['has a jti of 257 characters', () => proofFor({ payload: { jti: 'x'.repeat(257) } })],
  ];
  it.each(badlyMade)('checks 2 and 7: is refused when it %s', async (_, proof) => {
    expect(await refusal(await readProfile(proof()))).toEqual(wrongFormat);
  });

  it('check 1: is missing', async () => {
    expect(await refusal(await readProfile(undefined))).toEqual({
      status: 401,
      code: 'DPOP_PROOF_MISSING',
      message: 'DPoP proof is missing in the request.',
      challenge: INVALID_PROOF,
    });
  });

  it('check 1: nothing was sent at all, so the challenge names no error (RFC 6750 section 3.1)', async () => {
    expect((await server.fetch(PROFILE)).headers.get('www-authenticate')).toBe('DPoP algs="ES256"');
  });

  it.each([
    ['jwt', 401],
    [undefined, 401],
    ['DPoP+JWT', 200],
  ])('check 3: typ %s is answered %i', async (typ, status) => {
    const response = await readProfile(proofFor({ header: { typ } }));
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(await refusal(response)).toMatchObject({ code: 'DPOP_TYP_INVALID', message: 'Invalid DPoP typ.' });
    }
  });

  it('check 4: htm of another method', async () => {
    expect(await refusal(await readProfile(proofFor({ payload: { htm: 'POST' } })))).toMatchObject({
      status: 401,
      code: 'DPOP_HTM_MISMATCH',
      message: 'DPoP proof HTM mismatch.',
      challenge: INVALID_PROOF,
    });
  });

  it.each([
    ['of another host', 'https://evil.example/api/users/get'],
    ['that is no URL', '/api/users/get'],
    ['that is missing', undefined],
  ])('check 5a: htu %s, whatever Host says', async (_, htu) => {
    expect(await refusal(await readProfile(proofFor({ payload: { htu } })))).toMatchObject({
      status: 401,
      code: 'DPOP_HOST_NOT_ALLOWED',
      message: 'DPoP request host not allowed.',
    });
  });

  it.each([
    ['/api/users/update', 401],
    ['/api/users/get/', 200],
    ['/api/users/get?tz=x#y', 200],
    ['/API/users/get', 401],
    ['/api/users/get//', 401],
    ['/api/users/../users/get', 401],
    ['/api/users/%67et', 401],
  ])('check 5b: htu with path %s is answered %i', async (path, status) => {
    const response = await readProfile(proofFor({ payload: { htu: server.url + path } }));
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(await refusal(response)).toMatchObject({ code: 'DPOP_HTU_MISMATCH', message: 'DPoP proof HTU mismatch.' });
    }
  });

  const stamps: Array<[string, (now: number) => unknown, number]> = [
    ['missing', () => undefined, 401],
    ['text', () => 'abc', 401],
    ['null', () => null, 401],
    ['text that looks like a number', (now) => String(now), 401],
    ['65 s old', (now) => now - 65, 401],
    ['65 s ahead', (now) => now + 65, 401],
    ['55 s old', (now) => now - 55, 200],
    ['55 s ahead', (now) => now + 55, 200],
  ];
  it.each(stamps)('check 6 (PO2): iat %s is answered with the right status', async (_, iat, status) => {
    const now = Math.floor(Date.now() / 1000);
    const response = await readProfile(proofFor({ payload: { iat: iat(now) } }));
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(await refusal(response)).toMatchObject({
        code: 'DPOP_PROOF_EXPIRED',
        message: 'DPoP proof is expired or timestamp is invalid.',
      });
    }
  });

  it('check 8 (PO1): works once, and once only among twenty at a time', async () => {
    const proof = proofFor();
    const responses = await Promise.all(Array.from({ length: 20 }, () => readProfile(proof)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = responses.find(({ status }) => status !== 200) as Response;
    expect(await refusal(refused)).toEqual({
      status: 401,
      code: 'DPOP_PROOF_REPLAYED',
      message: 'DPoP proof was already used.',
      challenge: INVALID_PROOF,
    });
  });

  it('check 8 (PO3): two keys may use one jti', async () => {
    const jti = randomUUID();
    expect((await readProfile(proofFor({ payload: { jti } }))).status).toBe(200);
    const other = await signUp(server);
    const otherKey = proofKey();
    const token = await (async () => {
      const response = await server.fetch('/api/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'dpop-key-binding': otherKey.thumbprint },
        body: JSON.stringify({ identifier: other.username, password: other.password }),
      });
      return ((await response.json()) as { accessToken: string }).accessToken;
    })();
    const proof = makeProof(otherKey, `GET ${server.url}${PROFILE}`, { accessToken: token, payload: { jti } });
    expect((await readProfile(proof, `DPoP ${token}`)).status).toBe(200);
  });

  it('check 9: a stolen token is useless with another key', async () => {
    const thief = proofKey();
    const proof = makeProof(thief, `GET ${server.url}${PROFILE}`, { accessToken });
    expect(await refusal(await readProfile(proof))).toEqual({
      status: 401,
      code: 'DPOP_KEY_MISMATCH',
      message: 'Proof-of-Possession failed (JKT mismatch).',
      challenge: INVALID_TOKEN,
    });
  });

  it.each([
    ['missing', undefined],
    ['of another token', sha256('another')],
    ['no text', 5],
  ])('check 10: ath %s', async (_, ath) => {
    expect(await refusal(await readProfile(proofFor({ payload: { ath } })))).toEqual({
      status: 401,
      code: 'DPOP_ATH_MISMATCH',
      message: "DPoP ath doesn't match.",
      challenge: INVALID_TOKEN,
    });
  });
});

describe('the guard (behaviour 0.9)', () => {
  it.each([
    ['no Authorization', undefined, 'ACCESS_TOKEN_MISSING', 'No access token provided'],
    ['a bearer scheme (PO6)', () => `Bearer ${accessToken}`, 'ACCESS_TOKEN_INVALID', 'Access token is not valid'],
    ['a refresh token (ID21)', () => `DPoP ${refreshToken}`, 'ACCESS_TOKEN_INVALID', 'Access token is not valid'],
    ['the text null', () => 'DPoP null', 'ACCESS_TOKEN_INVALID', 'Access token is not valid'],
  ])('refuses %s', async (_, authorization, code, message) => {
    const headers = { dpop: proofFor(), ...(authorization ? { authorization: authorization() } : {}) };
    expect(await refusal(await server.fetch(PROFILE, { headers }))).toMatchObject({ status: 401, code, message });
  });

  it.each(['none', 'RS256', 'HS512'])('refuses an access token that says alg %s (ID21)', async (alg) => {
    const [, payload, signature] = accessToken.split('.');
    const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
    const forged = `${header}.${payload}.${alg === 'none' ? '' : signature}`;
    const response = await readProfile(proofFor({ accessToken: forged }), `DPoP ${forged}`);
    expect(await refusal(response)).toMatchObject({ status: 401, code: 'ACCESS_TOKEN_INVALID' });
  });
});

describe('what phones send', () => {
  it('padded coordinates work from login to refresh (PO7)', async () => {
    const owner = await signUp(server);
    const phone = proofKey('phone');
    const login = await server.fetch('/api/auth/login', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'dpop-key-binding': phone.thumbprint,
        authorization: 'DPoP null',
        dpop: 'whatever',
      },
      body: JSON.stringify({ identifier: owner.username, password: owner.password }),
    });
    const tokens = (await login.json()) as { accessToken: string; refreshToken: string };
    const proof = makeProof(phone, `GET ${server.url}${PROFILE}`, { accessToken: tokens.accessToken });
    expect((await readProfile(proof, `DPoP ${tokens.accessToken}`)).status).toBe(200);

    // After a local logout the app sends the hash of the text "null" and DPoP null; both are ignored here.
    const refresh = await server.fetch('/api/auth/refresh', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: 'DPoP null',
        'x-refresh-token': `DPoP ${tokens.refreshToken}`,
        dpop: makeProof(phone, `POST ${server.url}/api/auth/refresh`, { accessToken: 'null' }),
      },
    });
    expect(refresh.status).toBe(200);
  });

  it('a binding may be written in the other alphabet and padded', async () => {
    const plain = proofKey();
    const spelled = `${plain.thumbprint.replaceAll('-', '+').replaceAll('_', '/')}=.`;
    const tokens = await logIn({ ...plain, thumbprint: spelled });
    const proof = makeProof(plain, `GET ${server.url}${PROFILE}`, { accessToken: tokens.accessToken });
    expect((await readProfile(proof, `DPoP ${tokens.accessToken}`)).status).toBe(200);
  });

  it.each([
    ['', 'DPOP_BINDING_MISSING', 'DPoP-Key-Binding header is missing.'],
    ['short', 'DPOP_BINDING_INVALID', 'DPoP-Key-Binding header is invalid.'],
    ['%'.repeat(43), 'DPOP_BINDING_INVALID', 'DPoP-Key-Binding header is invalid.'],
  ])('the binding "%s" is a 400 and starts no session (PO5)', async (binding, code, message) => {
    const [before] = await server.sql('select token_version from users where id = $1', [person.id]);
    const response = await server.fetch('/api/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(binding ? { 'dpop-key-binding': binding } : {}) },
      body: JSON.stringify({ identifier: person.username, password: person.password }),
    });
    expect(await refusal(response)).toMatchObject({ status: 400, code, message });
    expect(await server.sql('select token_version from users where id = $1', [person.id])).toEqual([before]);
  });
});
