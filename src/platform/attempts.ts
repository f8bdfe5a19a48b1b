import { ApiError } from './apiError.ts';
import type { Counting, Limit, LimitKey, Limits } from './limits.ts';

/**
 * Makes an attempt that is counted only if it fails: it is counted before it is made, and taken back unless it failed.
 * So attempts at the same time cannot all pass before the first one is counted.
 * @param uses which limits count it, and by what
 * @param isFailure whether what the attempt threw is one of the failures that the limits are about
 * @throws ApiError 429 without having tried; what the attempt throws
 */
export async function countingFailures<T>(
  { consume, reward }: Counting,
  uses: Array<[Limit, LimitKey]>,
  isFailure: (error: unknown) => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  const counted: typeof uses = [];
  const takeBack = async () => {
    for (const [limit, key] of counted) await reward(limit, key);
  };
  try {
    for (const use of uses) {
      await consume(...use);
      counted.push(use);
    }
    const result = await attempt();
    await takeBack();
    return result;
  } catch (error) {
    if (!isFailure(error)) await takeBack();
    throw error;
  }
}

/**
 * Counts an event in silence, for limits that whoever causes it must not learn of.
 * @returns false when there were too many already
 */
export async function isWithin(limits: Limits, counted: Limit[], key: LimitKey): Promise<boolean> {
  try {
    for (const limit of counted) await limits.consume(limit, key);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return false;
  }
}
