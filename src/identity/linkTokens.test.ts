import { createHash, createSecretKey, randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import type { SecretName } from '#src/config.ts';
import { testConfig } from '#tests/helpers/testConfig.ts';
import {
  EMAIL_CHANGE_LINK,
  passwordFingerprint,
  RESET_LINK,
  readLink,
  signLink,
  VERIFICATION_LINK,
} from './linkTokens.ts';

const { secrets } = testConfig();
const NOW = 1_800_000_000;
const sub = randomUUID();
const email = 'dana@example.com';

/**
 * A kind with its lifetime in seconds, claims that are good and some that are not.
 * @param secret the setting that holds its secret
 */
function kindOf<Claims extends JWTPayload>(
  kind: { secret: SecretName; typ: string; lifetimeSeconds: number; claims: z.ZodType<Claims> },
  typ: string,
  secret: SecretName,
  lifetime: number,
  claims: Claims,
  wrong: Record<string, unknown>,
) {
  const sign = () => signLink(secrets, kind, claims);
  const read = (token: string, by = secrets): Promise<unknown> => readLink(by, kind, token);
  return { typ, secret, lifetime, claims, wrong, sign, read };
}

const KINDS = [
  kindOf(VERIFICATION_LINK, 'email-verify', 'JWT_VERIFY_SECRET', 3600, { sub, email, epoch: 3 }, { email: 7 }),
  kindOf(
    RESET_LINK,
    'forgot-pass',
    'JWT_FORGOT_PASSWORD_SECRET',
    300,
    { sub, email, fingerprint: 'f' },
    { fingerprint: 7 },
  ),
  kindOf(
    EMAIL_CHANGE_LINK,
    'email-confirm',
    'CHANGE_EMAIL_SECRET',
    600,
    { sub, newEmail: email, oldEmail: null },
    { oldEmail: 7 },
  ),
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(KINDS)('the link of kind $typ', ({ typ, secret, lifetime, claims, wrong, sign, read }) => {
  const signed = (payload: Record<string, unknown>, key = secrets[secret], alg = 'HS256') =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(createSecretKey(Buffer.from(key)));
  const ours = { ...claims, typ, iss: 'strong-together', exp: NOW + 60 };

  it('says what it is for, once, and is good until its end', async () => {
    const [token, next] = [await sign(), await sign()];
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256' });
    const { jti, ...rest } = decodeJwt(token);
    expect(rest).toEqual({ ...claims, typ, iss: 'strong-together', iat: NOW, exp: NOW + lifetime });
    expect(jti).not.toBe(decodeJwt(next).jti);
    vi.setSystemTime((NOW + lifetime - 1) * 1000);
    expect(await read(token)).toEqual(claims);
    vi.setSystemTime((NOW + lifetime) * 1000);
    expect(await read(token)).toBe('expired');
  });

  it('is not trusted when somebody else made it, and an old forgery is a forgery', async () => {
    expect(await read(await signed(ours))).toEqual(claims);
    expect(await read(await signed(ours, 'x'.repeat(40)))).toBe('untrusted');
    expect(await read(await signed({ ...ours, exp: NOW - 60 }, 'x'.repeat(40)))).toBe('untrusted');
    expect(await read(await signed({ ...ours, exp: undefined }))).toBe('untrusted');
    expect(await read('no token')).toBe('untrusted');
    const long = { ...secrets, [secret]: 's'.repeat(64) };
    const other = await signed(ours, 's'.repeat(64), 'HS384');
    expect(await read(other, long)).toBe('untrusted');
    expect(await read(await signed(ours, 's'.repeat(64)), long)).toEqual(claims);
  });

  it('says something else when kind, maker or content are not as they should be', async () => {
    for (const parts of [{ typ: 'other' }, { iss: 'other' }, { typ: undefined }, { iss: undefined }, wrong]) {
      expect(await read(await signed({ ...ours, ...parts }))).toBe('malformed');
    }
    expect(await read(await signed({ ...ours, sub: '7' }))).toBe('malformed');
  });

  it('is of no use as another kind', async () => {
    const token = await sign();
    for (const other of KINDS) {
      if (other.typ !== typ) expect(await other.read(token)).toBe('untrusted');
    }
  });
});

it('a verification link from before epochs were written is still good', async () => {
  const token = await signLink(secrets, VERIFICATION_LINK, { sub, email });
  expect(await readLink(secrets, VERIFICATION_LINK, token)).toEqual({ sub, email });
});

it('the fingerprint of a password hash is its SHA-256', () => {
  expect(passwordFingerprint('hash')).toBe(createHash('sha256').update('hash').digest('base64url'));
});
