import { recordEvent } from '#identity/securityEvents.ts';
import { signInFailures, signInFailuresByAddress } from '#identity/signInLimits.ts';
import { ApiError, invalidCredentials } from '#platform/apiError.ts';
import { countingFailures } from '#platform/attempts.ts';
import type { Counting, Limit, LimitKey } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import type { AccountRow } from './auth.queries.ts';

/** Somebody who is not signed in and wants something of an account. */
export interface Asking extends Counting {
  deps: Deps;
  requestId: string;
  signal: AbortSignal;
  peek(limit: Limit, key: LimitKey): Promise<void>;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/**
 * The one place that compares a password. Wrong ones count against the name and the address that they come from
 * (behaviour 0.6); an unknown name and a wrong password look the same, also in the time that they take.
 * @param name user name or address as typed, lower-cased
 * @throws ApiError 401 `INVALID_CREDENTIALS`, 429
 */
export async function checkPassword(
  asking: Asking,
  name: string,
  password: string,
  find: (tx: Transaction) => Promise<AccountRow | undefined>,
): Promise<AccountRow> {
  const { address, peek, deps, requestId, signal, transaction } = asking;
  const uses: Array<[Limit, LimitKey]> = [
    [signInFailuresByAddress, { address }],
    [signInFailures, { address, subject: name }],
  ];
  for (const use of uses) await peek(...use); // so that nobody waits for a turn to be refused
  const account = await transaction(find);
  try {
    return await deps.passwords.inTurn(
      address.network,
      ({ matches }) =>
        countingFailures(asking, uses, isWrong, async () => {
          const isRight = await matches(password, account?.password);
          if (!account || !isRight) throw invalidCredentials();
          return account;
        }),
      signal,
    );
  } catch (error) {
    if (isWrong(error)) await transaction((tx) => recordEvent(tx, 'login-failed', account?.id ?? null, requestId));
    throw error;
  }
}

const isWrong = (error: unknown): boolean => error instanceof ApiError && error.code === 'INVALID_CREDENTIALS';
