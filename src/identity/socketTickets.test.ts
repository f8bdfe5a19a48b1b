import { createSecretKey, randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testConfig } from '#tests/helpers/testConfig.ts';
import { buildSocketTickets } from './socketTickets.ts';

const SECRET = 's'.repeat(64);
const tickets = buildSocketTickets(testConfig({ JWT_SOCKET_SECRET: SECRET }));
const NOW = 1_800_000_000;
const holder = { userId: randomUUID(), username: 'dana', sessionEpoch: 4 };
const good = {
  id: holder.userId,
  username: 'dana',
  sessionEpoch: 4,
  jti: 'j',
  iss: 'strong-together',
  aud: 'socket',
  exp: NOW + 60,
};
const signed = (payload: Record<string, unknown>, secret = SECRET, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(createSecretKey(Buffer.from(secret)));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 + 999 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('a ticket says whose it is and opens sockets for 90 minutes', async () => {
  const [ticket, next] = [await tickets.issue(holder), await tickets.issue(holder)];
  expect(decodeProtectedHeader(ticket)).toEqual({ alg: 'HS256', typ: 'JWT' });
  const { jti, ...rest } = decodeJwt(ticket);
  expect(rest).toEqual({ ...good, jti: undefined, iat: NOW, exp: NOW + 5400 });
  expect(jti).not.toBe(decodeJwt(next).jti);
  vi.setSystemTime((NOW + 5399) * 1000);
  expect(await tickets.read(ticket)).toEqual(holder);
  vi.setSystemTime((NOW + 5400) * 1000);
  expect(await tickets.read(ticket)).toBeUndefined();
});

it('only a ticket is a ticket', async () => {
  expect(await tickets.read(await signed(good))).toEqual(holder);
  expect(await tickets.read(await signed(good, 'x'.repeat(40)))).toBeUndefined();
  expect(await tickets.read(await signed(good, SECRET, 'HS512'))).toBeUndefined();
  expect(await tickets.read('')).toBeUndefined();
});

it.each([
  { iss: 'other' },
  { iss: undefined },
  { aud: 'other' },
  { aud: undefined },
  { exp: undefined },
  { exp: NOW - 1 },
  { id: '7' },
  { username: undefined },
  { sessionEpoch: '4' },
  { sessionEpoch: 4.5 },
  { jti: '' },
  { jti: undefined },
])('none with %j', async (parts) => {
  expect(await tickets.read(await signed({ ...good, ...parts }))).toBeUndefined();
});
