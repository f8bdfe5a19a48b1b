import { createSecretKey, randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testConfig } from '#tests/helpers/testConfig.ts';
import { buildSessionTokens, tokenOf } from './sessionTokens.ts';

const config = testConfig({ ACCESS_TOKEN_TTL_SEC: '300', REFRESH_TOKEN_TTL_SEC: '1209600' });
const tokens = buildSessionTokens(config);
const NOW = 1_800_000_000;
const claims = { userId: randomUUID(), role: 'User', tokenVersion: 7, thumbprint: 'a'.repeat(43) };
const payload = { id: claims.userId, role: 'User', tokenVer: 7, cnf: { jkt: claims.thumbprint } };

const signed = (kind: 'JWT_ACCESS_SECRET' | 'JWT_REFRESH_SECRET', parts: JWTPayload) =>
  new SignJWT(parts)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(NOW + 60)
    .sign(createSecretKey(Buffer.from(config.secrets[kind])));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the tokens of a session (behaviour 0.7)', () => {
  it('say who, in which version and with which key, and until when', async () => {
    vi.setSystemTime(NOW * 1000 + 999);
    const { accessToken, refreshToken } = await tokens.issue(claims);
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(decodeJwt(accessToken)).toEqual({ typ: 'access', ...payload, iat: NOW, exp: NOW + 300 });
    expect(decodeJwt(refreshToken)).toEqual({ typ: 'refresh', ...payload, iat: NOW, exp: NOW + 1_209_600 });
    expect(await tokens.readAccess(accessToken)).toEqual(claims);
    expect(await tokens.readRefresh(refreshToken)).toEqual(claims);
    expect(await tokens.readAccess(refreshToken)).toBeUndefined();
    expect(await tokens.readRefresh(accessToken)).toBeUndefined();
  });

  it('name no key while DPoP is off', async () => {
    const { accessToken } = await tokens.issue({ ...claims, thumbprint: undefined });
    expect(decodeJwt(accessToken)).not.toHaveProperty('cnf');
    expect(await tokens.readAccess(accessToken)).toEqual({ ...claims, thumbprint: undefined });
  });

  it('are good to the end of their lifetime and not beyond', async () => {
    const { accessToken, refreshToken } = await tokens.issue(claims);
    vi.setSystemTime((NOW + 299) * 1000);
    expect(await tokens.readAccess(accessToken)).toEqual(claims);
    vi.setSystemTime((NOW + 300) * 1000);
    expect(await tokens.readAccess(accessToken)).toBeUndefined();
    vi.setSystemTime((NOW + 1_209_599) * 1000);
    expect(await tokens.readRefresh(refreshToken)).toEqual(claims);
    vi.setSystemTime((NOW + 1_209_600) * 1000);
    expect(await tokens.readRefresh(refreshToken)).toBeUndefined();
  });

  it("of one kind cannot stand in for the other, even under the other one's secret", async () => {
    expect(await tokens.readAccess(await signed('JWT_ACCESS_SECRET', { typ: 'access', ...payload }))).toEqual(claims);
    expect(await tokens.readAccess(await signed('JWT_ACCESS_SECRET', { typ: 'refresh', ...payload }))).toBeUndefined();
    expect(await tokens.readAccess(await signed('JWT_ACCESS_SECRET', payload))).toBeUndefined();
    expect(await tokens.readRefresh(await signed('JWT_REFRESH_SECRET', { typ: 'access', ...payload }))).toBeUndefined();
    expect(await tokens.readRefresh(await signed('JWT_ACCESS_SECRET', { typ: 'refresh', ...payload }))).toBeUndefined();
  });

  it('are HS256 and have an end', async () => {
    const access = { typ: 'access', ...payload };
    expect(await tokens.readAccess(new UnsecuredJWT(access).setExpirationTime(NOW + 60).encode())).toBeUndefined();
    const key = createSecretKey(Buffer.from(config.secrets.JWT_ACCESS_SECRET.repeat(2)));
    const long = buildSessionTokens(testConfig({ JWT_ACCESS_SECRET: config.secrets.JWT_ACCESS_SECRET.repeat(2) }));
    const other = await new SignJWT(access)
      .setProtectedHeader({ alg: 'HS384' })
      .setExpirationTime(NOW + 60)
      .sign(key);
    expect(await long.readAccess(other)).toBeUndefined();
    const endless = await new SignJWT(access).setProtectedHeader({ alg: 'HS256' }).sign(key);
    expect(await long.readAccess(endless)).toBeUndefined();
    const good = await new SignJWT(access)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(NOW + 60)
      .sign(key);
    expect(await long.readAccess(good)).toEqual(claims);
    expect(await long.readAccess('')).toBeUndefined();
  });

  it.each([
    ['an id that is no UUID', { id: '7' }],
    ['no role', { role: undefined }],
    ['a version that is no number', { tokenVer: '7' }],
    ['a version that is no whole number', { tokenVer: 7.5 }],
    ['a key that is no text', { cnf: { jkt: 7 } }],
    ['a binding without a key', { cnf: {} }],
  ])('an access token with %s is none', async (_what, parts) => {
    const token = await signed('JWT_ACCESS_SECRET', { typ: 'access', ...payload, ...parts });
    expect(await tokens.readAccess(token)).toBeUndefined();
  });

  it('older refresh tokens lack the kind and the role, and write the version as text', async () => {
    const old = { id: claims.userId, tokenVer: '123456789012345', cnf: payload.cnf };
    const read = { ...claims, tokenVersion: 123_456_789_012_345 };
    expect(await tokens.readRefresh(await signed('JWT_REFRESH_SECRET', old))).toEqual(read);
    const admin = await signed('JWT_REFRESH_SECRET', { ...old, role: 'Admin', tokenVer: '0' });
    expect(await tokens.readRefresh(admin)).toEqual({ ...claims, role: 'Admin', tokenVersion: 0 });
    for (const tokenVer of ['', '7 ', ' 7', '-7', '7a', 'a7', '1234567890123456', 7.5, null]) {
      expect(await tokens.readRefresh(await signed('JWT_REFRESH_SECRET', { ...old, tokenVer }))).toBeUndefined();
    }
    expect(await tokens.readRefresh(await signed('JWT_REFRESH_SECRET', { ...old, id: '7' }))).toBeUndefined();
  });
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['  ', undefined],
  ['DPoP', undefined],
  ['Bearer  ', undefined],
  ['DPoP abc', 'abc'],
  ['  dpop   abc ', 'abc'],
  ['BEARER\tabc', 'abc'],
  ['abc', 'abc'],
  ['abc dpop def', 'abc dpop def'],
  ['dpopabc', 'dpopabc'],
])('the token of the header %j is %j', (header, token) => {
  expect(tokenOf(header)).toBe(token);
});
