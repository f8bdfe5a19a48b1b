import { describe, expect, it } from 'vitest';
import { countingFailures } from './attempts.ts';
import { defineLimit, type Limit, type LimitKey, MINUTE } from './limits.ts';

const [byName, byAddress] = [defineLimit('byName', 5, MINUTE), defineLimit('byAddress', 30, MINUTE)];
const USES: Array<[Limit, LimitKey]> = [
  [byName, 'dana'],
  [byAddress, '203.0.113.7'],
];

/** What happened, in order; a limit that is full refuses. */
function recorder(full?: Limit) {
  const events: string[] = [];
  return {
    events,
    counting: {
      address: { network: '203.0.113.7', site: undefined },
      async consume(limit: Limit, key: LimitKey) {
        events.push(`count ${limit.name} ${key}`);
        if (limit === full) throw new Error('full');
      },
      async reward(limit: Limit, key: LimitKey) {
        events.push(`give back ${limit.name} ${key}`);
      },
    },
  };
}

const COUNTED = ['count byName dana', 'count byAddress 203.0.113.7'];
const GIVEN_BACK = ['give back byName dana', 'give back byAddress 203.0.113.7'];

describe('an attempt of which only failures count', () => {
  it('is counted before it is made, and taken back when it succeeds', async () => {
    const { events, counting } = recorder();
    const attempt = async () => {
      events.push('attempt');
      return 'signed in';
    };
    expect(await countingFailures(counting, USES, () => true, attempt)).toBe('signed in');
    expect(events).toEqual([...COUNTED, 'attempt', ...GIVEN_BACK]);
  });

  it('stays counted when it fails', async () => {
    const { events, counting } = recorder();
    const wrong = new Error('wrong password');
    const attempt = () => Promise.reject(wrong);
    await expect(countingFailures(counting, USES, (error) => error === wrong, attempt)).rejects.toBe(wrong);
    expect(events).toEqual(COUNTED);
  });

  it('is taken back when something else went wrong', async () => {
    const { events, counting } = recorder();
    const attempt = () => Promise.reject(new Error('the database is away'));
    await expect(countingFailures(counting, USES, () => false, attempt)).rejects.toThrow('the database is away');
    expect(events).toEqual([...COUNTED, ...GIVEN_BACK]);
  });

  it('is not made when a limit refuses, and takes back what the others counted', async () => {
    const first = recorder(byName);
    const never = async () => expect.unreachable();
    await expect(countingFailures(first.counting, USES, () => false, never)).rejects.toThrow('full');
    expect(first.events).toEqual([COUNTED[0]]);
    const second = recorder(byAddress);
    await expect(countingFailures(second.counting, USES, () => false, never)).rejects.toThrow('full');
    expect(second.events).toEqual([...COUNTED, GIVEN_BACK[0]]);
  });
});
