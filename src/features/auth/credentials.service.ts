import { recordEvent } from '#identity/securityEvents.ts';
import { signInFailures, signInFailuresByAddress } from '#identity/signInLimits.ts';
import { ApiError, invalidCredentials } from '#platform/apiError.ts';
import { countingFailures } from '#platform/attempts.ts';
import type { Counting, Limit, LimitKey } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import type { AccountRow } from './auth.queries.ts';

interface Asking extends Counting {
  deps: Deps;
  requestId: string;
  signal: AbortSignal;
  peek(limit: Limit, key: LimitKey): Promise<void>;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/**
 * The one place that compares a password. Wrong ones count against the name and the address that they come from
 * (contract 0.6); unknown people and wrong passwords are told apart by nothing, not even by time.
 * @param name as typed, normalised
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
  for (const use of uses) await peek(...use); // whoever is refused anyway should not stand in line
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
