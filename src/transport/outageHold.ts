import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseUnavailable } from '#platform/postgres/connection.ts';

/** Longest that a refresh is held during an outage; the app itself gives up after 12 s, and then keeps its session. */
const HOLD_MS = 15_000;
/** Most requests that are held at the same time in this process; further ones get their error at once. */
const MOST_HELD = 2_000;

/** Runs a step, and repeats it while the database is away. @throws DatabaseUnavailable when that takes too long */
export type HeldStep = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * Holds requests while the database is away and retries their steps, because the app signs its owner out on any
 * failure but a lost connection (behaviour 2.4). All steps of a request share one deadline, and while it is held, a
 * request has no database connection.
 * @returns starts the deadline of one request; its `signal` ends the wait when the client hangs up
 */
export function buildOutageHold(): (signal: AbortSignal) => HeldStep {
  let held = 0;
  return (signal) => {
    const deadline = performance.now() + HOLD_MS;
    return async (step) => {
      for (let wait = 100; ; wait = Math.min(wait * 2, 1_000)) {
        try {
          return await step();
        } catch (error) {
          const isLast = performance.now() + wait > deadline || held >= MOST_HELD;
          if (!(error instanceof DatabaseUnavailable) || isLast) throw error;
        }
        held++;
        await pause(wait, undefined, { signal }).catch(() => undefined);
        held--;
        signal.throwIfAborted();
      }
    };
  };
}
