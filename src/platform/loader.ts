/** Most keys of one question. */
const MOST_KEYS = 1_000;

/**
 * Gathers keys that are asked for at about the same time into one question: the busier the process, the more share one.
 * A key that several ask for stands in it once, so nobody gets a larger share of the questions by asking more often.
 * What is answered was read after the caller had asked.
 * @param ask answers for the keys that it knows
 * @param atOnce questions under way at the same time
 * @returns rejects as `ask` does, for all that shared the question
 */
export function buildLoader<Value>(
  ask: (keys: string[]) => Promise<Map<string, Value>>,
  atOnce: number,
): (key: string) => Promise<Value | undefined> {
  const waiting = new Map<string, PromiseWithResolvers<Value | undefined>>();
  let underWay = 0;
  let isDue = false;

  function schedule(): void {
    if (isDue || underWay >= atOnce || waiting.size === 0) return;
    isDue = true;
    setImmediate(() => void next()); // after every request that has arrived by now was read
  }

  async function next(): Promise<void> {
    const asked = [...waiting].slice(0, MOST_KEYS);
    for (const [key] of asked) waiting.delete(key);
    isDue = false;
    underWay++;
    schedule();
    try {
      const values = await ask(asked.map(([key]) => key));
      for (const [key, { resolve }] of asked) resolve(values.get(key));
    } catch (error) {
      for (const [, { reject }] of asked) reject(error);
    } finally {
      underWay--;
      schedule();
    }
  }

  return (key) => {
    const before = waiting.get(key);
    if (before) return before.promise;
    const answer = Promise.withResolvers<Value | undefined>();
    waiting.set(key, answer);
    schedule();
    return answer.promise;
  };
}
