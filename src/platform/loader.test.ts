import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildLoader } from './loader.ts';

/** A loader whose questions wait for their answers, and what was asked so far. */
function loaderOf(atOnce = 1) {
  const questions: Array<{ keys: string[]; answer: PromiseWithResolvers<Map<string, string>> }> = [];
  const load = buildLoader<string>((keys) => {
    const answer = Promise.withResolvers<Map<string, string>>();
    questions.push({ keys, answer });
    return answer.promise;
  }, atOnce);
  const answer = (n: number) => questions[n]?.answer.resolve(new Map(questions[n].keys.map((key) => [key, `${key}!`])));
  return { load, answer, questions, asked: () => questions.map(({ keys }) => keys.join(' ')) };
}

describe('a loader', () => {
  it('asks once for what is asked for in one turn of the event loop, each key once', async () => {
    const { load, answer, asked } = loaderOf();
    const answers = Promise.all(['a', 'b', 'a'].map(load));
    expect(asked()).toEqual([]);
    await nextTurn();
    expect(asked()).toEqual(['a b']);
    answer(0);
    expect(await answers).toEqual(['a!', 'b!', 'a!']);
  });

  it('does not answer with what was asked before the caller came', async () => {
    const { load, answer, asked } = loaderOf();
    const first = load('a');
    await nextTurn();
    const second = load('a');
    answer(0);
    expect(await first).toBe('a!');
    await pause(5);
    expect(asked()).toEqual(['a', 'a']);
    answer(1);
    expect(await second).toBe('a!');
  });

  it('has so many questions under way, and gathers meanwhile', async () => {
    const { load, answer, asked } = loaderOf(2);
    const answers: Array<Promise<string | undefined>> = [];
    for (const key of ['a', 'b', 'c', 'd']) {
      answers.push(load(key));
      await pause(2);
    }
    expect(asked()).toEqual(['a', 'b']);
    answer(0);
    await pause(5);
    expect(asked()).toEqual(['a', 'b', 'c d']);
    answer(1);
    answer(2);
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!', 'd!']);
  });

  it('asks for a thousand keys at a time', async () => {
    const { load, answer, questions } = loaderOf();
    const answers = Promise.all(Array.from({ length: 1_001 }, (_, n) => load(String(n))));
    await nextTurn();
    answer(0);
    await pause(5);
    answer(1);
    await answers;
    expect(questions.map(({ keys }) => keys.length)).toEqual([1_000, 1]);
  });

  it('has nothing for an unknown key; a failure is that of the question, not of the next', async () => {
    const { load, answer, questions } = loaderOf();
    const unknown = load('a');
    await nextTurn();
    questions[0]?.answer.resolve(new Map());
    expect(await unknown).toBeUndefined();
    const failing = Promise.allSettled([load('a'), load('b')]);
    await pause(5);
    questions[1]?.answer.reject(new Error('away'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = load('a');
    await pause(5);
    answer(2);
    expect(await next).toBe('a!');
  });
});
