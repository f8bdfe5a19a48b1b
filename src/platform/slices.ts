import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time that one piece of long work holds the event loop, in milliseconds. */
const SLICE_MS = 3;

/**
 * Divides long work on the event loop: call it between small steps, and it lets others work when this work has held the
 * loop for a slice.
 */
export function buildSlices(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      since = performance.now();
    });
  };
}
