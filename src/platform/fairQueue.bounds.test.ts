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

describe('a fair queue in which all the room to wait is taken', () => {
  it('lets the newest of the longest line give way, wherever that line stands, until lines are equally long', async () => {
    const queue = fairQueue({ atOnce: 1, atOncePerKey: 1, waitingPerKey: 5, waiting: 5 });
    const one = held();
    const first = queue('running', one.work);
    const outcomes = new Map<string, string>();
    const ask = (key: string, name: string) =>
      queue(key, quick).then(
        () => outcomes.set(name, 'done'),
        (error) => outcomes.set(name, error instanceof QueueFull && error.ofKey ? 'gave way' : 'refused'),
      );
    const asked = [
      ask('a', 'a1'),
      ask('b', 'b1'),
      ask('b', 'b2'),
      ask('b', 'b3'),
      ask('c', 'c1'),
      ask('d', 'd1'), // b has three waiting: its newest gives way
      ask('d', 'd2'), // b has two, and so would d: nobody gives way
      ask('e', 'e1'), // b has two still: its newest gives way
      ask('f', 'f1'), // everybody has one
    ];
    await vi.waitFor(() => expect(outcomes.size).toBe(4));
    one.end();
    await Promise.all([first, ...asked]);
    expect(Object.fromEntries(outcomes)).toEqual({
      a1: 'done',
      b1: 'done',
      b2: 'gave way',
      b3: 'gave way',
      c1: 'done',
      d1: 'done',
      d2: 'refused',
      e1: 'done',
      f1: 'refused',
    });
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
