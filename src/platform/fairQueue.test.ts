import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { fairQueue, QueueFull, WaitedTooLong } from './fairQueue.ts';

const endless = { atOnce: 1, atOncePerKey: 1, waitingPerKey: 1_000, waiting: 1_000 };

/** Work that ends when the test says so. */
function heldWork() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    started.push(name);
    await new Promise<void>((end) => ends.set(name, end));
    return name;
  };
  return { started, work, end: (name: string) => ends.get(name)?.() };
}

describe('a fair queue', () => {
  it('lets keys take turns: a flood of one delays the others by one piece of work', async () => {
    const queue = fairQueue(endless);
    const order: string[] = [];
    const ask = (key: string) => queue(key, async () => void order.push(key));
    await Promise.all([...Array.from({ length: 20 }, () => ask('flood')), ask('other'), ask('third')]);
    expect(order.slice(0, 4)).toEqual(['flood', 'other', 'third', 'flood']);
    expect(order).toHaveLength(22);
  });

  it('refuses what would wait beyond the bound of its key, and beyond that of all', async () => {
    const queue = fairQueue({ ...endless, waitingPerKey: 1, waiting: 2 });
    const held = heldWork();
    const running = queue('a', held.work('a1'));
    const waiting = [queue('a', held.work('a2')), queue('b', held.work('b1'))];
    await expect(queue('a', held.work('a3'))).rejects.toMatchObject({ ofKey: true });
    await expect(queue('c', held.work('c1'))).rejects.toMatchObject({ ofKey: false });
    await expect(queue('c', held.work('c1'))).rejects.toBeInstanceOf(QueueFull);
    for (const name of ['a1', 'b1', 'a2']) {
      await vi.waitFor(() => expect(held.started).toContain(name));
      held.end(name);
    }
    expect(await Promise.all([running, ...waiting])).toEqual(['a1', 'a2', 'b1']);
  });

  it('that is full has room for whoever has less: the newest of the longest line gives way', async () => {
    const queue = fairQueue({ ...endless, waiting: 3 });
    const held = heldWork();
    const running = queue('a', held.work('a1'));
    const waiting = ['a2', 'a3', 'a4'].map((name) => queue('a', held.work(name)));
    const newcomer = queue('b', held.work('b1'));
    await expect(waiting[2]).rejects.toMatchObject({ ofKey: true });
    await expect(queue('a', held.work('a5'))).rejects.toMatchObject({ ofKey: false });
    for (const name of ['a1', 'b1', 'a2', 'a3']) {
      await vi.waitFor(() => expect(held.started).toContain(name));
      held.end(name);
    }
    expect(await Promise.all([running, newcomer, waiting[0], waiting[1]])).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('gives up a turn whose client has gone, and one that does not come in time', async () => {
    const queue = fairQueue({ ...endless, longestWaitMs: 20 });
    const held = heldWork();
    const running = queue('a', held.work('a1'));
    const gone = new AbortController();
    const given = queue('b', held.work('b1'), gone.signal);
    gone.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await expect(queue('b', held.work('b2'))).rejects.toBeInstanceOf(WaitedTooLong);
    held.end('a1');
    await running;
    expect(await queue('b', async () => 'free again')).toBe('free again');
    expect(held.started).toEqual(['a1']);
    await expect(queue('b', held.work('b3'), gone.signal)).rejects.toThrow('gone');
  });

  it('never runs more than it may, starts each key in order, and forgets nobody', async () => {
    const job = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), ticks: fc.nat(3), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (jobs, atOnce, atOncePerKey) => {
          const queue = fairQueue({ ...endless, atOnce, atOncePerKey });
          const running = new Map<string, number>();
          const started: Array<{ key: string; index: number }> = [];
          let all = 0;
          const results = await Promise.allSettled(
            jobs.map(({ key, ticks, fails }, index) =>
              queue(key, async () => {
                started.push({ key, index });
                running.set(key, (running.get(key) ?? 0) + 1);
                all++;
                expect(all).toBeLessThanOrEqual(atOnce);
                expect(running.get(key)).toBeLessThanOrEqual(atOncePerKey);
                for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
                running.set(key, (running.get(key) ?? 0) - 1);
                all--;
                if (fails) throw new Error('failed');
              }),
            ),
          );
          expect(results.map(({ status }) => status)).toEqual(
            jobs.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')),
          );
          for (const key of ['a', 'b', 'c', 'd']) {
            const indices = started.filter((start) => start.key === key).map(({ index }) => index);
            expect(indices).toEqual(indices.toSorted((x, y) => x - y));
          }
        },
      ),
    );
  });
});
