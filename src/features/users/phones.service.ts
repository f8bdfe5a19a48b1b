import type { Transaction } from '#platform/postgres/database.ts';
import { LOCK_PHONE_OWNERS, SET_PUSH_TOKEN, TAKE_PUSH_TOKEN } from './users.queries.ts';

type Step = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** Two people who register the same phone at the same moment: the second one finds the first at the next try. */
const TRIES = 3;

/** Makes a phone the caller's; it leaves every other account in the same transaction. */
export async function registerPhone(step: Step, userId: string, pushToken: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await step(async (tx) => {
        await tx.asService(() => tx.rows(LOCK_PHONE_OWNERS, [userId, pushToken]));
        await tx.holdSession();
        await tx.asService(() => tx.rows(TAKE_PUSH_TOKEN, [userId, pushToken]));
        await tx.rows(SET_PUSH_TOKEN, [userId, pushToken]);
      });
      return;
    } catch (error) {
      const takenMeanwhile = (error as { constraint?: string }).constraint === 'users_push_token_key';
      if (!takenMeanwhile || tries >= TRIES) throw error;
    }
  }
}
