import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { type SignedIn, signUp } from '#tests/helpers/person.ts';
import { makeProof, type ProofKey, type ProofParts, proofKey, sha256 } from '#tests/helpers/proof.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  .extend('person', { scope: 'file' }, ({ server }) => signUp(server))
  .extend('key', { scope: 'file' }, () => proofKey())
  .extend('session', { scope: 'file' }, ({ server, person, key }) => logIn(server, person, key))
  .extend('accessToken', { scope: 'file' }, ({ session }) => session.accessToken)
  .extend('refreshToken', { scope: 'file' }, ({ session }) => session.refreshToken);

const PROFILE = '/api/users/get';

async function logIn(
  server: TestServer,
  person: SignedIn,
  withKey: ProofKey,
): Promise<{ accessToken: string; refreshToken: string }> {
  const response = await server.fetch('/api/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dpop-key-binding': withKey.thumbprint },
    body: JSON.stringify({ identifier: person.username, password: person.password }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { accessToken: string; refreshToken: string };
}

const proofFor = (server: TestServer, key: ProofKey, accessToken: string, parts: ProofParts = {}, path = PROFILE) =>
  makeProof(key, `GET ${server.url}${path}`, { accessToken, ...parts });

const readProfile = (
  server: TestServer,
  accessToken: string,
  proof: string | undefined,
  authorization = `DPoP ${accessToken}`,
  path = PROFILE,
) => server.fetch(path, { headers: { authorization, ...(proof === undefined ? {} : { dpop: proof }) } });

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return { status: response.status, code, message, challenge: response.headers.get('www-authenticate') };
}

const INVALID_PROOF = 'DPoP error="invalid_dpop_proof", algs="ES256"';
const INVALID_TOKEN = 'DPoP error="invalid_token", algs="ES256"';

interface Fixtures {
  server: TestServer;
  key: ProofKey;
  accessToken: string;
}

describe('a proof (RFC 9449 section 4.3, behaviour 0.8)', () => {
  it('is accepted when everything agrees', async ({ server, key, accessToken }) => {
    expect((await readProfile(server, accessToken, proofFor(server, key, accessToken))).status).toBe(200);
  });

  const wrongFormat = {
    status: 401,
    code: 'DPOP_PROOF_INVALID',
    message: 'Invalid DPoP proof signature or format.',
    challenge: INVALID_PROOF,
  };
  const jwk =
    (changes: object) =>
    ({ server, key, accessToken }: Fixtures) =>
      proofFor(server, key, accessToken, { header: { jwk: { ...key.jwk, ...changes } } });
  const badlyMade: Array<[string, (fixtures: Fixtures) => string]> = [
    ['is no JWS', () => 'nonsense'],
    ['has a fourth part', ({ server, key, accessToken }) => `${proofFor(server, key, accessToken)}.x`],
    ['has a broken signature', ({ server, key, accessToken }) => proofFor(server, key, accessToken, { tamper: true })],
    [
      'is signed by another key',
      ({ server, key }) => makeProof({ ...key, jwk: proofKey().jwk }, `GET ${server.url}${PROFILE}`),
    ],
    [
      'says alg none',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { header: { alg: 'none' } }),
    ],
    [
      'says alg HS256',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { header: { alg: 'HS256' } }),
    ],
    ['carries an RSA key', jwk({ kty: 'RSA' })],
    ['carries a P-384 key', jwk({ crv: 'P-384' })],
    ['carries a private key', jwk({ d: 'AAAA' })],
    [
      'carries no key',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { header: { jwk: undefined } }),
    ],
    ['carries a point off the curve', jwk({ x: 'AAAA' })],
    ['has padding behind the signature', ({ server, key, accessToken }) => `${proofFor(server, key, accessToken)}==`],
    [
      'comes twice',
      ({ server, key, accessToken }) => `${proofFor(server, key, accessToken)}, ${proofFor(server, key, accessToken)}`,
    ],
    [
      'names an extension that must be understood',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { header: { crit: ['b64'], b64: false } }),
    ],
    [
      'has no jti',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { payload: { jti: undefined } }),
    ],
    [
      'has an empty jti',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { payload: { jti: '' } }),
    ],
    [
      'has a number as jti',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { payload: { jti: 7 } }),
    ],
    [
      'has a jti of 257 characters',
      ({ server, key, accessToken }) => proofFor(server, key, accessToken, { payload: { jti: 'x'.repeat(257) } }),
    ],
  ];
  it.for(badlyMade)('checks 2 and 7: is refused when it %s', async ([_, proof], { server, key, accessToken }) => {
    expect(await refusal(await readProfile(server, accessToken, proof({ server, key, accessToken })))).toEqual(
      wrongFormat,
    );
  });

  it('check 1: is missing', async ({ server, accessToken }) => {
    expect(await refusal(await readProfile(server, accessToken, undefined))).toEqual({
      status: 401,
      code: 'DPOP_PROOF_MISSING',
      message: 'DPoP proof is missing in the request.',
      challenge: INVALID_PROOF,
    });
  });

  it('check 1: nothing was sent at all, so the challenge names no error (RFC 6750 section 3.1)', async ({ server }) => {
    expect((await server.fetch(PROFILE)).headers.get('www-authenticate')).toBe('DPoP algs="ES256"');
  });

  it.for([
    ['jwt', 401],
    [undefined, 401],
    ['DPoP+JWT', 200],
  ])('check 3: typ %s is answered %i', async ([typ, status], { server, key, accessToken }) => {
    const response = await readProfile(server, accessToken, proofFor(server, key, accessToken, { header: { typ } }));
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(await refusal(response)).toMatchObject({ code: 'DPOP_TYP_INVALID', message: 'Invalid DPoP typ.' });
    }
  });

  it('check 4: htm of another method', async ({ server, key, accessToken }) => {
    expect(
      await refusal(
        await readProfile(server, accessToken, proofFor(server, key, accessToken, { payload: { htm: 'POST' } })),
      ),
    ).toMatchObject({
      status: 401,
      code: 'DPOP_HTM_MISMATCH',
      message: 'DPoP proof HTM mismatch.',
      challenge: INVALID_PROOF,
    });
  });

  it.for([
    ['of another host', 'https://evil.example/api/users/get'],
    ['that is no URL', '/api/users/get'],
    ['that is missing', undefined],
  ])('check 5a: htu %s, whatever Host says', async ([_, htu], { server, key, accessToken }) => {
    expect(
      await refusal(await readProfile(server, accessToken, proofFor(server, key, accessToken, { payload: { htu } }))),
    ).toMatchObject({
      status: 401,
      code: 'DPOP_HOST_NOT_ALLOWED',
      message: 'DPoP request host not allowed.',
    });
  });

  it.for([
    ['/api/users/update', 401],
    ['/api/users/get/', 200],
    ['/api/users/get?tz=x#y', 200],
    ['/API/users/get', 401],
    ['/api/users/get//', 401],
    ['/api/users/../users/get', 401],
    ['/api/users/%67et', 401],
  ])('check 5b: htu with path %s is answered %i', async ([path, status], { server, key, accessToken }) => {
    const response = await readProfile(
      server,
      accessToken,
      proofFor(server, key, accessToken, { payload: { htu: server.url + path } }),
    );
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
  it.for(stamps)(
    'check 6 (PO2): iat %s is answered with the right status',
    async ([_, iat, status], { server, key, accessToken }) => {
      const now = Math.floor(Date.now() / 1000);
      const response = await readProfile(
        server,
        accessToken,
        proofFor(server, key, accessToken, { payload: { iat: iat(now) } }),
      );
      expect(response.status).toBe(status);
      if (status === 401) {
        expect(await refusal(response)).toMatchObject({
          code: 'DPOP_PROOF_EXPIRED',
          message: 'DPoP proof is expired or timestamp is invalid.',
        });
      }
    },
  );

  it('check 8 (PO1): works once, and once only among twenty at a time', async ({ server, key, accessToken }) => {
    const proof = proofFor(server, key, accessToken);
    const responses = await Promise.all(Array.from({ length: 20 }, () => readProfile(server, accessToken, proof)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = responses.find(({ status }) => status !== 200) as Response;
    expect(await refusal(refused)).toEqual({
      status: 401,
      code: 'DPOP_PROOF_REPLAYED',
      message: 'DPoP proof was already used.',
      challenge: INVALID_PROOF,
    });
  });

  it('check 8 (PO3): two keys may use one jti', async ({ server, key, accessToken }) => {
    const jti = randomUUID();
    expect(
      (await readProfile(server, accessToken, proofFor(server, key, accessToken, { payload: { jti } }))).status,
    ).toBe(200);
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
    expect((await readProfile(server, accessToken, proof, `DPoP ${token}`)).status).toBe(200);
  });

  it('check 9: a stolen token is useless with another key', async ({ server, accessToken }) => {
    const thief = proofKey();
    const proof = makeProof(thief, `GET ${server.url}${PROFILE}`, { accessToken });
    expect(await refusal(await readProfile(server, accessToken, proof))).toEqual({
      status: 401,
      code: 'DPOP_KEY_MISMATCH',
      message: 'Proof-of-Possession failed (JKT mismatch).',
      challenge: INVALID_TOKEN,
    });
  });

  it.for([
    ['missing', undefined],
    ['of another token', sha256('another')],
    ['no text', 5],
  ])('check 10: ath %s', async ([_, ath], { server, key, accessToken }) => {
    expect(
      await refusal(await readProfile(server, accessToken, proofFor(server, key, accessToken, { payload: { ath } }))),
    ).toEqual({
      status: 401,
      code: 'DPOP_ATH_MISMATCH',
      message: "DPoP ath doesn't match.",
      challenge: INVALID_TOKEN,
    });
  });
});

describe('the guard (behaviour 0.9)', () => {
  it.for<[string, ((accessToken: string, refreshToken: string) => string) | undefined, string, string]>([
    ['no Authorization', undefined, 'ACCESS_TOKEN_MISSING', 'No access token provided'],
    [
      'a bearer scheme (PO6)',
      (accessToken) => `Bearer ${accessToken}`,
      'ACCESS_TOKEN_INVALID',
      'Access token is not valid',
    ],
    [
      'a refresh token (ID21)',
      (_accessToken, refreshToken) => `DPoP ${refreshToken}`,
      'ACCESS_TOKEN_INVALID',
      'Access token is not valid',
    ],
    ['the text null', () => 'DPoP null', 'ACCESS_TOKEN_INVALID', 'Access token is not valid'],
  ])('refuses %s', async ([_, authorization, code, message], { server, key, accessToken, refreshToken }) => {
    const headers = {
      dpop: proofFor(server, key, accessToken),
      ...(authorization ? { authorization: authorization(accessToken, refreshToken) } : {}),
    };
    expect(await refusal(await server.fetch(PROFILE, { headers }))).toMatchObject({ status: 401, code, message });
  });

  it.for(['none', 'RS256', 'HS512'])(
    'refuses an access token that says alg %s (ID21)',
    async (alg, { server, key, accessToken }) => {
      const [, payload, signature] = accessToken.split('.');
      const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
      const forged = `${header}.${payload}.${alg === 'none' ? '' : signature}`;
      const response = await readProfile(
        server,
        accessToken,
        proofFor(server, key, accessToken, { accessToken: forged }),
        `DPoP ${forged}`,
      );
      expect(await refusal(response)).toMatchObject({ status: 401, code: 'ACCESS_TOKEN_INVALID' });
    },
  );
});

describe('what phones send', () => {
  it('padded coordinates work from login to refresh (PO7)', async ({ server, accessToken }) => {
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
    expect((await readProfile(server, accessToken, proof, `DPoP ${tokens.accessToken}`)).status).toBe(200);

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

  it('a binding may be written in the other alphabet and padded', async ({ server, person, accessToken }) => {
    const plain = proofKey();
    const spelled = `${plain.thumbprint.replaceAll('-', '+').replaceAll('_', '/')}=.`;
    const tokens = await logIn(server, person, { ...plain, thumbprint: spelled });
    const proof = makeProof(plain, `GET ${server.url}${PROFILE}`, { accessToken: tokens.accessToken });
    expect((await readProfile(server, accessToken, proof, `DPoP ${tokens.accessToken}`)).status).toBe(200);
  });

  it.for([
    ['', 'DPOP_BINDING_MISSING', 'DPoP-Key-Binding header is missing.'],
    ['short', 'DPOP_BINDING_INVALID', 'DPoP-Key-Binding header is invalid.'],
    ['%'.repeat(43), 'DPOP_BINDING_INVALID', 'DPoP-Key-Binding header is invalid.'],
  ])('the binding "%s" is a 400 and starts no session (PO5)', async ([binding, code, message], { server, person }) => {
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
