import { describe, expect, it, vi } from 'vitest';
import { fairQueue, QueueFull, WaitedTooLong } from './fairQueue.ts';

const NOTHING_WAITS = { waitingPerKey: 0, waiting: 0 };

/** Work that ends when the test says so. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { work: () => promise, end: () => resolve('done') };
}
const quick = async () => 'quick';

describe('a fair queue in which nothing may wait', () => {
  it('runs what has room at once, and refuses the rest by what there is too much of', async () => {
    const queue = fairQueue({ atOnce: 2, atOncePerKey: 1, ...NOTHING_WAITS });
    const [one, two] = [held(), held()];
    const first = queue('a', one.work);
    await expect(queue('a', quick)).rejects.toMatchObject({ ofKey: true, message: 'too many are waiting already' });
    const second = queue('b', two.work);
    await expect(queue('c', quick)).rejects.toBeInstanceOf(QueueFull);
    one.end();
    expect(await first).toBe('done');
    expect(await queue('a', quick)).toBe('quick');
    two.end();
    expect(await second).toBe('done');
  });

  it('refuses by the whole where one key has room to wait and all together have none', async () => {
    const queue = fairQueue({ atOnce: 1, atOncePerKey: 1, waitingPerKey: 5, waiting: 0 });
    const one = held();
    const first = queue('a', one.work);
    await expect(queue('b', quick)).rejects.toMatchObject({ ofKey: false });
    await expect(queue('a', quick)).rejects.toMatchObject({ ofKey: false });
    one.end();
    await first;
    expect(await queue('b', quick)).toBe('quick');
  });
});

describe('a turn', () => {
  it('is for another key while one has all that it may have', async () => {
    const queue = fairQueue({ atOnce: 2, atOncePerKey: 1, waitingPerKey: 5, waiting: 5 });
    const [one, two] = [held(), held()];
    const started: string[] = [];
    const first = queue('a', one.work);
    const second = queue('a', async () => {
      started.push('second of a');
      return two.work();
    });
    expect(await queue('b', quick)).toBe('quick');
    expect(started).toEqual([]);
    one.end();
    await vi.waitFor(() => expect(started).toEqual(['second of a']));
    two.end();
    expect(await Promise.all([first, second])).toEqual(['done', 'done']);
  });

  it('that was given up leaves its place to the next one', async () => {
    const queue = fairQueue({ atOnce: 1, atOncePerKey: 1, waitingPerKey: 1, waiting: 1 });
    const one = held();
    const first = queue('a', one.work);
    for (let n = 0; n < 3; n++) {
      const gone = new AbortController();
      const given = queue('b', quick, gone.signal);
      await expect(queue('b', quick)).rejects.toMatchObject({ ofKey: true });
      gone.abort(new Error('gone'));
      await expect(given).rejects.toThrow('gone');
    }
    const next = queue('b', quick);
    one.end();
    expect(await Promise.all([first, next])).toEqual(['done', 'quick']);
  });

  it('comes in time or not at all, and once it has come neither clock nor client takes it back', async () => {
    vi.useFakeTimers();
    try {
      const queue = fairQueue({ atOnce: 1, atOncePerKey: 1, waitingPerKey: 5, waiting: 5, longestWaitMs: 1000 });
      const [one, two] = [held(), held()];
      const gone = new AbortController();
      const first = queue('a', one.work, gone.signal);
      await vi.advanceTimersByTimeAsync(5000);
      gone.abort(new Error('gone'));
      const second = queue('b', two.work, new AbortController().signal);
      const third = queue('c', quick);
      const refused = expect(third).rejects.toThrow(WaitedTooLong);
      await vi.advanceTimersByTimeAsync(999);
      one.end();
      expect(await first).toBe('done');
      const fourth = queue('c', quick);
      await vi.advanceTimersByTimeAsync(1);
      await refused;
      two.end();
      expect(await Promise.all([second, fourth])).toEqual(['done', 'quick']);
      await expect(third).rejects.toThrow('the turn did not come in time');
    } finally {
      vi.useRealTimers();
    }
  });
});
