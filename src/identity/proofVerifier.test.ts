import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeProof, type ProofKey, type ProofParts, proofKey, sha256 } from '#tests/helpers/proof.ts';
import { assertSameKey, assertTokenHash, buildProofVerifier, parseKeyBinding } from './dpop.ts';

/* The edges of single checks; what a client is told of each, and their order, is in dpop.test.ts. */

const NOW = 1_800_000_000;
const ORIGIN = 'https://api.example';
const key = proofKey();
const request = { method: 'GET', path: '/api/users/get', origins: [ORIGIN, 'http://localhost:3000'] };

const verify = buildProofVerifier();
const proofOf = (parts: ProofParts = {}, by: ProofKey = key) => makeProof(by, `GET ${ORIGIN}/api/users/get`, parts);
const codeOf = (work: () => unknown): unknown => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};
const check = (parts: ProofParts, changes: Partial<typeof request> = {}) =>
  codeOf(() => verify(proofOf(parts), { ...request, ...changes }));
const withHtu = (htu: unknown, changes: Partial<typeof request> = {}) => check({ payload: { htu } }, changes);
const withJwk = (changes: object) => check({ header: { jwk: { ...key.jwk, ...changes } } });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a proof', () => {
  it('gives its key, its number and the hash of its token', () => {
    const proof = proofOf({ accessToken: 'token', payload: { jti: 'j' } });
    expect(verify(proof, request)).toEqual({ thumbprint: key.thumbprint, jti: 'j', ath: sha256('token') });
  });

  it('gives the thumbprint of the coordinates as they were written', () => {
    const phone = proofKey('phone');
    expect(verify(proofOf({}, phone), request).thumbprint).toBe(phone.thumbprint);
    // JSON inside a coordinate is text like any other: it cannot make the members of another key.
    const members = `{"crv":"P-256","kty":"EC","x":${JSON.stringify(`${key.jwk.x}=`)},"y":"${key.jwk.y}"}`;
    const padded = { ...key, jwk: { ...key.jwk, x: `${key.jwk.x}=` } };
    const hash = createHash('sha256').update(members).digest('base64url');
    expect(verify(proofOf({}, padded), request).thumbprint).toBe(hash);
  });

  it.each([undefined, ''])('that is %j is missing', (proof) => {
    expect(codeOf(() => verify(proof, request))).toBe('DPOP_PROOF_MISSING');
  });

  it('has three parts and a whole signature, and nothing around them', () => {
    const proof = proofOf();
    const [header, payload, signature] = proof.split('.') as [string, string, string];
    for (const bad of [
      `.${proof}`,
      ` ${proof}`,
      `${proof} `,
      `${proof}.`,
      `${proof}A`,
      `x.${proof}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(1)}`,
      `${header}.${payload}.${'A'.repeat(86)}`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      `${header}.${payload}`,
      `${header}.${payload}=.${signature}`,
      `${header}=.${payload}.${signature}`,
    ]) {
      expect([bad, codeOf(() => verify(bad, request))]).toEqual([bad, 'DPOP_PROOF_INVALID']);
    }
    expect(codeOf(() => verify(proof, request))).toBe('accepted');
  });

  it('covers header and payload with its signature', () => {
    const [one, two] = [proofOf().split('.'), proofOf().split('.')] as [string[], string[]];
    expect(codeOf(() => verify([one[0], two[1], one[2]].join('.'), request))).toBe('DPOP_PROOF_INVALID');
    const other = proofOf({ header: { more: 1 } }).split('.');
    expect(codeOf(() => verify([other[0], one[1], one[2]].join('.'), request))).toBe('DPOP_PROOF_INVALID');
  });

  it('has a header and a payload that are JSON objects', () => {
    const [header, payload, signature] = proofOf().split('.');
    for (const text of ['7', 'null', '"text"', '[]', 'not JSON', '']) {
      const part = Buffer.from(text).toString('base64url');
      expect(codeOf(() => verify(`${part}.${payload}.${signature}`, request))).toBe('DPOP_PROOF_INVALID');
      expect(codeOf(() => verify(`${header}.${part}.${signature}`, request))).toBe('DPOP_PROOF_INVALID');
    }
  });

  it.each([
    ['another algorithm', { alg: 'ES384' }],
    ['no algorithm', { alg: undefined }],
    ['extensions that must be understood', { crit: [] }],
    ['null as extensions', { crit: null }],
    ['no key', { jwk: undefined }],
    ['a key that is no object', { jwk: 'key' }],
  ])('with %s is refused', (_what, header) => {
    expect(check({ header })).toBe('DPOP_PROOF_INVALID');
  });

  it('carries a public key on P-256 and nothing that is longer than one', () => {
    const { x, y } = key.jwk as { x: string; y: string };
    expect(withJwk({})).toBe('accepted');
    expect(withJwk({ kid: 'more', key_ops: ['verify'], ext: true })).toBe('accepted');
    for (const changes of [
      { kty: 'RSA' },
      { kty: undefined },
      { crv: 'P-384' },
      { crv: 'secp256k1' },
      { crv: undefined },
      { d: 'AAAA' },
      { d: null },
      { d: '' },
      { x: undefined },
      { y: undefined },
      { x: 7 },
      { x: '' },
      { y: x },
      { x: `${x}${'.'.repeat(22)}` },
      { y: `${y}${'.'.repeat(22)}` },
    ]) {
      expect([changes, withJwk(changes)]).toEqual([changes, 'DPOP_PROOF_INVALID']);
    }
    expect(withJwk({ x: `${x}${'.'.repeat(21)}`, y: `${y}${'='.repeat(21)}` })).toBe('accepted');
  });

  it('may write its key in the other alphabet, but padding stands at the end', () => {
    // A key whose coordinates hold both characters in which the alphabets differ.
    let other = proofKey();
    while (!/-.*-/.test(`${other.jwk.x}`) || !/_.*_/.test(`${other.jwk.y}`)) other = proofKey();
    const [x, y] = [`${other.jwk.x}`.replaceAll('-', '+'), `${other.jwk.y}`.replaceAll('_', '/')];
    expect(codeOf(() => verify(proofOf({}, { ...other, jwk: { ...other.jwk, x, y } }), request))).toBe('accepted');
  });

  it('is not mixed up with another one of a key that was met before', () => {
    const keys = Array.from({ length: 5 }, () => proofKey());
    for (const each of [...keys, ...keys.toReversed()]) {
      expect(verify(proofOf({}, each), request).thumbprint).toBe(each.thumbprint);
      expect(codeOf(() => verify(proofOf({ tamper: true }, each), request))).toBe('DPOP_PROOF_INVALID');
    }
    const forged = proofOf({}, { ...proofKey(), jwk: key.jwk });
    expect(codeOf(() => verify(forged, request))).toBe('DPOP_PROOF_INVALID');
  });

  it.each([
    ['dpop+jwt', 'accepted'],
    ['DPOP+JWT', 'accepted'],
    ['dpop', 'DPOP_TYP_INVALID'],
    [undefined, 'DPOP_TYP_INVALID'],
    [7, 'DPOP_TYP_INVALID'],
    [['dpop+jwt'], 'DPOP_TYP_INVALID'],
  ])('of type %j is %s', (typ, code) => {
    expect(check({ header: { typ } })).toBe(code);
  });

  it.each([
    ['GET', 'accepted'],
    ['get', 'DPOP_HTM_MISMATCH'],
    ['POST', 'DPOP_HTM_MISMATCH'],
    [undefined, 'DPOP_HTM_MISMATCH'],
  ])('for method %j is %s', (htm, code) => {
    expect(check({ payload: { htm } })).toBe(code);
  });

  it.each([
    [`${ORIGIN}/api/users/get`, 'accepted'],
    [`${ORIGIN}:443/api/users/get`, 'accepted'],
    ['HTTPS://API.example/api/users/get', 'accepted'],
    ['http://localhost:3000/api/users/get', 'accepted'],
    [`${ORIGIN}/api/users/get/`, 'accepted'],
    [`${ORIGIN}/api/users/get?a=b&c#d`, 'accepted'],
    [`${ORIGIN}/api/users/get#d?a`, 'accepted'],
    ['http://localhost/api/users/get', 'DPOP_HOST_NOT_ALLOWED'],
    ['http://api.example/api/users/get', 'DPOP_HOST_NOT_ALLOWED'],
    [`${ORIGIN}:444/api/users/get`, 'DPOP_HOST_NOT_ALLOWED'],
    ['https://api.example.evil/api/users/get', 'DPOP_HOST_NOT_ALLOWED'],
    ['//api.example/api/users/get', 'DPOP_HOST_NOT_ALLOWED'],
    ['', 'DPOP_HOST_NOT_ALLOWED'],
    [undefined, 'DPOP_HOST_NOT_ALLOWED'],
    [7, 'DPOP_HOST_NOT_ALLOWED'],
    [[`${ORIGIN}/api/users/get`], 'DPOP_HOST_NOT_ALLOWED'],
    [ORIGIN, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api/users`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api/users/get/more`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api/users/./get`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}\\api\\users\\get`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api\\users/get`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api/users/get?a b`, 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}/api/users/get `, 'DPOP_HTU_MISMATCH'],
    [` ${ORIGIN}/api/users/get`, 'DPOP_HTU_MISMATCH'],
    ['https://someone@api.example/api/users/get', 'DPOP_HTU_MISMATCH'],
    ['https:api.example/api/users/get', 'DPOP_HTU_MISMATCH'],
    ['https:///api.example/api/users/get', 'DPOP_HTU_MISMATCH'],
    [`${ORIGIN}?/api/users/get`, 'DPOP_HTU_MISMATCH'],
  ])('for the address %j is %s', (htu, code) => {
    expect(withHtu(htu)).toBe(code);
  });

  it('for the root names it with or without its slash; one slash at the end is none', () => {
    for (const htu of [ORIGIN, `${ORIGIN}/`, `${ORIGIN}?a=b`]) expect(withHtu(htu, { path: '/' })).toBe('accepted');
    expect(withHtu(`${ORIGIN}//`, { path: '/' })).toBe('accepted');
    expect(withHtu(`${ORIGIN}/a`, { path: '/a/' })).toBe('accepted');
    expect(withHtu(`${ORIGIN}/a//`, { path: '/a' })).toBe('DPOP_HTU_MISMATCH');
    expect(withHtu(`${ORIGIN}/a`, { path: '/' })).toBe('DPOP_HTU_MISMATCH');
  });

  it.each([
    [NOW, 'accepted'],
    [NOW - 60, 'accepted'],
    [NOW + 60, 'accepted'],
    [NOW - 60.5, 'DPOP_PROOF_EXPIRED'],
    [NOW + 60.5, 'DPOP_PROOF_EXPIRED'],
    [`${NOW}`, 'DPOP_PROOF_EXPIRED'],
    [null, 'DPOP_PROOF_EXPIRED'],
    [[NOW], 'DPOP_PROOF_EXPIRED'],
    [undefined, 'DPOP_PROOF_EXPIRED'],
  ])('made at %j is %s', (iat, code) => {
    expect(check({ payload: { iat } })).toBe(code);
  });

  it.each([
    ['j', 'accepted'],
    ['j'.repeat(256), 'accepted'],
    ['j'.repeat(257), 'DPOP_PROOF_INVALID'],
    ['', 'DPOP_PROOF_INVALID'],
    [7, 'DPOP_PROOF_INVALID'],
    [['j'], 'DPOP_PROOF_INVALID'],
    [undefined, 'DPOP_PROOF_INVALID'],
  ])('with the number %j is %s', (jti, code) => {
    expect(check({ payload: { jti } })).toBe(code);
  });
});

describe('what a proof agrees with', () => {
  const proof = { thumbprint: 'a'.repeat(43), jti: 'j', ath: sha256('token') };

  it('is the key of the token', () => {
    expect(codeOf(() => assertSameKey('a'.repeat(43), proof))).toBe('accepted');
    for (const bound of [undefined, '', 'b'.repeat(43), 'a'.repeat(42), 'a'.repeat(44)]) {
      expect(codeOf(() => assertSameKey(bound, proof))).toBe('DPOP_KEY_MISMATCH');
    }
  });

  it('is the token itself', () => {
    expect(codeOf(() => assertTokenHash('token', proof))).toBe('accepted');
    expect(codeOf(() => assertTokenHash('another', proof))).toBe('DPOP_ATH_MISMATCH');
    for (const ath of [undefined, null, 7, '', sha256('token').slice(1), [sha256('token')]]) {
      expect(codeOf(() => assertTokenHash('token', { ...proof, ath }))).toBe('DPOP_ATH_MISMATCH');
    }
  });
});

describe('the key that a sign-in names', () => {
  const plain = `${'aZ09'.repeat(10)}-_-`;

  it.each([plain, `${plain}=`, `${plain}.`, `${plain}..=`, plain.replaceAll('-', '+').replaceAll('_', '/')])(
    'may be written as %s',
    (written) => {
      expect(parseKeyBinding(written)).toBe(plain);
    },
  );

  it.each([undefined, ''])('is missing when it is %j', (written) => {
    expect(codeOf(() => parseKeyBinding(written))).toBe('DPOP_BINDING_MISSING');
  });

  it.each(['a', 'a'.repeat(42), 'a'.repeat(44), `=${plain}`, `${plain.slice(1)}%`, ` ${plain}`, `${plain} `])(
    'is not %j',
    (written) => {
      expect(codeOf(() => parseKeyBinding(written))).toBe('DPOP_BINDING_INVALID');
    },
  );
});
