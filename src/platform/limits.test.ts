import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { buildLimits, DAY, defineLimit, HOUR, MINUTE } from './limits.ts';

const PLAIN = 'Too many requests.';
const LIMITS = [
  [defineLimit('requests', 100, MINUTE), 100, 60, PLAIN],
  [defineLimit('mail', 1, 45, 'Wait a little.'), 1, 45, 'Wait a little.'],
  [defineLimit('mail of a day', 3, DAY), 3, 86_400, PLAIN],
  [defineLimit('registration', 20, HOUR), 20, 3600, PLAIN],
] as const;
const one = defineLimit('one', 1, 45);
const two = defineLimit('two', 2, 45);
const limited = (isEnabled = true) => buildLimits(undefined, isEnabled);

const ofNetwork = (network: string, subject?: string) => {
  const address = { network, site: '2001:db8:1::/48' };
  return subject === undefined ? { address } : { address, subject };
};

describe('a limit', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(LIMITS)('$0.name lets $1 through in $2 s and says so', async (limit, points, seconds, message) => {
    const limits = limited();
    const headers = (remaining: number, reset: number) => ({
      'RateLimit-Limit': `${points}`,
      'RateLimit-Remaining': `${remaining}`,
      'RateLimit-Reset': `${reset}`,
      'RateLimit-Policy': `${points};w=${seconds}`,
    });
    expect(await limits.peek(limit, 'somebody')).toEqual(headers(points, seconds));
    for (let left = points - 1; left >= 0; left--) {
      expect(await limits.consume(limit, 'somebody')).toEqual(headers(left, seconds));
      if (left > 0) expect(await limits.peek(limit, 'somebody')).toEqual(headers(left, seconds));
    }
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1500);
    const refusal = {
      status: 429,
      code: 'RATE_LIMITED',
      message,
      headers: { ...headers(0, 2), 'Retry-After': '2' },
    };
    await expect(limits.peek(limit, 'somebody')).rejects.toMatchObject(refusal);
    await expect(limits.consume(limit, 'somebody')).rejects.toMatchObject(refusal);
    expect(await limits.consume(limit, 'somebody else')).toEqual(headers(points - 1, seconds));
    await vi.advanceTimersByTimeAsync(1500);
    expect(await limits.consume(limit, 'somebody')).toEqual(headers(points - 1, seconds));
  });

  it('has a counter of its own for each name', async () => {
    const limits = limited();
    for (const [limit, points] of LIMITS) {
      expect(await limits.consume(limit, 'somebody')).toMatchObject({ 'RateLimit-Remaining': `${points - 1}` });
    }
  });

  it('has room again for what is given back', async () => {
    const limits = limited();
    for (let round = 0; round < 20; round++) {
      await limits.consume(two, ofNetwork('one'));
      await limits.reward(two, ofNetwork('one'));
    }
    await limits.consume(two, ofNetwork('one'));
    expect(await limits.consume(two, ofNetwork('one'))).toMatchObject({ 'RateLimit-Remaining': '0' });
    await limits.reward(two, ofNetwork('one'));
    await limits.consume(two, ofNetwork('one'));
    await expect(limits.consume(two, ofNetwork('one'))).rejects.toMatchObject({ status: 429 });
  });

  it('counts each /64 by itself, and eight times as much for the /48 around them', async () => {
    const limits = limited();
    for (let n = 0; n < 8; n++) {
      const headers = [];
      for (let m = 0; m < 2; m++) headers.push(await limits.consume(two, ofNetwork(`network ${n}`)));
      expect(headers.map((each) => each['RateLimit-Remaining'])).toEqual(['1', '0']);
      expect(headers[0]).toMatchObject({ 'RateLimit-Policy': '2;w=45' });
      if (n === 0) {
        const full = limits.peek(two, ofNetwork('network 0'));
        await expect(full).rejects.toMatchObject({ headers: { 'RateLimit-Policy': '2;w=45' } });
      }
    }
    for (const ask of [limits.peek, limits.consume]) {
      await expect(ask(two, ofNetwork('network 9'))).rejects.toMatchObject({
        headers: { 'RateLimit-Policy': '16;w=45', 'RateLimit-Remaining': '0', 'Retry-After': '45' },
      });
    }
    const elsewhere = { address: { network: 'network 9', site: 'another site' } };
    await expect(limits.peek(two, elsewhere)).resolves.toMatchObject({ 'RateLimit-Limit': '2' });
  });

  it('a /64 that is refused uses up nothing of its /48', async () => {
    const limits = limited();
    for (let n = 0; n < 2; n++) await limits.consume(two, ofNetwork('busy'));
    for (let n = 0; n < 50; n++) {
      await expect(limits.consume(two, ofNetwork('busy'))).rejects.toMatchObject({ status: 429 });
    }
    expect(await limits.consume(two, ofNetwork('neighbour'))).toMatchObject({ 'RateLimit-Remaining': '1' });
    await limits.reward(two, ofNetwork('busy'));
    expect(await limits.consume(two, ofNetwork('busy'))).toMatchObject({ 'RateLimit-Remaining': '0' });
  });

  it('counts each address of IPv4 by itself, however many there are', async () => {
    const limits = limited();
    for (let host = 0; host < 10; host++) {
      const key = { address: { network: `203.0.113.${host}`, site: undefined } };
      await limits.consume(two, key);
      expect(await limits.consume(two, key)).toMatchObject({ 'RateLimit-Remaining': '0' });
    }
  });

  it('counts one subject at one address: neither another subject nor another address pays for it', async () => {
    const limits = limited();
    const count = (network: string, subject?: string) => limits.consume(one, ofNetwork(network, subject));
    await count('one', 'dana');
    await count('one', 'kay');
    await count('two', 'dana');
    await count('one');
    for (const network of ['3', '4', '5', '6', '7', '8']) await count(network, 'dana');
    await expect(count('one', 'dana')).rejects.toMatchObject({ headers: { 'RateLimit-Policy': '1;w=45' } });
    const wide = { headers: { 'RateLimit-Policy': '8;w=45' } };
    await expect(count('9', 'dana')).rejects.toMatchObject(wide);
    await count('9', 'kay');
  });

  it('is none with no points, or where limits are switched off', async () => {
    const none = defineLimit('none', 0, MINUTE);
    for (const [limits, limit] of [
      [limited(), none],
      [limited(false), one],
    ] as const) {
      for (let n = 0; n < 5; n++) {
        expect(await limits.consume(limit, 'somebody')).toEqual({});
        expect(await limits.peek(limit, 'somebody')).toEqual({});
        await limits.reward(limit, 'somebody');
      }
    }
  });
});

it('two instances on one Redis count together, each limit apart', async () => {
  const redis = new Redis(inject('redisUrl'));
  try {
    const [here, there] = [buildLimits(redis, true), buildLimits(redis, true)];
    const key = { address: { network: randomUUID(), site: randomUUID() } };
    await here.consume(two, key);
    expect(await there.peek(two, key)).toMatchObject({ 'RateLimit-Remaining': '1' });
    expect(await there.consume(two, key)).toMatchObject({ 'RateLimit-Remaining': '0' });
    expect(await here.consume(LIMITS[2][0], key)).toMatchObject({ 'RateLimit-Remaining': '2' });
    expect(await redis.exists(`limit:two:${key.address.network}`)).toBe(1);
    expect(await redis.get(`limit:two:site:${key.address.site}`)).toBe('2');
    await expect(here.consume(two, key)).rejects.toMatchObject({ status: 429 });
  } finally {
    redis.disconnect();
  }
});
