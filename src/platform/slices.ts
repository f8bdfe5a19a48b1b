import { setTimeout as rest } from 'node:timers/promises';

/** Longest time that one piece of long work holds the event loop, and how long it then leaves it to others: milliseconds. */
const [SLICE_MS, REST_MS] = [2, 2];

/**
 * Divides long work on the event loop: call it between small steps, and it lets others work when this work has held the
 * loop for a slice. Half of the time is left to others, because a request of theirs needs the loop many times.
 */
export function buildSlices(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return rest(REST_MS).then(() => {
      since = performance.now();
    });
  };
}
