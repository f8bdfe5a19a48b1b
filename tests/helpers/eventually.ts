import { setTimeout as pause } from 'node:timers/promises';

/** Does something again until it does not throw, for twenty seconds: outside of a test, too. @throws as it did last */
export async function eventually(work: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 200) throw error;
      await pause(100);
    }
  }
}
