import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseUnavailable } from '#platform/postgres/database.ts';

/** Longest that a refresh is held during an outage; the app gives up at 12 s by itself, and then keeps its session. */
const HOLD_MS = 15_000;
/** Requests that are held at the same time in this process; more than these are answered at once. */
const MOST_HELD = 2_000;

/** Runs a step, and again while the database is away. @throws DatabaseUnavailable when that takes too long */
export type HeldStep = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * Makes the way to hold a request while the database is away and try its steps again: any failure but a
 * lost connection would sign the phone out (contract 2.4). All steps of a request share one deadline; a request
 * that is held has no connection.
 * @returns `signal` ends the wait of a client that has hung up
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
