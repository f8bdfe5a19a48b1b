import type { Counting, Limit, LimitKey } from './limits.ts';

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
