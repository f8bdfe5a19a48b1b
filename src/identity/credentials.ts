import { ApiError, invalidCredentials } from '#platform/apiError.ts';
import { countingFailures } from '#platform/attempts.ts';
import type { Counting, Limit, LimitKey } from '#platform/limits.ts';
import type { Passwords } from '#platform/passwords.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Config } from '#src/config.ts';
import { recordEvent } from './securityEvents.ts';
import { isCode } from './signInCodes.ts';
import { signInFailures, signInFailuresByAddress } from './signInLimits.ts';

/** Somebody who shows a password or a mailed code and wants something of an account. */
export interface Asking extends Counting {
  deps: { passwords: Passwords; config: Config };
  requestId: string;
  signal: AbortSignal;
  peek(limit: Limit, key: LimitKey): Promise<void>;
  /** With the rights of the service. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface AccountRow {
  id: string;
  password: string | null;
  is_verified: boolean;
}

/** $1: username or e-mail, trimmed and lower-cased. */
export const FIND_ACCOUNT = sql<AccountRow>('credentials.findAccount')`
  select u.id, u.password, u.is_verified
  from users u
  where lower(trim(u.username)) = $1
     or lower(trim(u.email)) = $1`;

const FIND_ACCOUNT_BY_ID = sql<AccountRow>('credentials.findAccountById')`
  select u.id, u.password, u.is_verified
  from users u
  where u.id = $1`;

export const FIND_ACCOUNT_BY_EMAIL = sql<AccountRow>('credentials.findAccountByEmail')`
  select u.id, u.password, u.is_verified
  from users u
  where lower(trim(u.email)) = $1`;

/** Counts a try of the open code of account $1; at most $2 are made. No row: there is no code that could be right. */
const TRY_CODE = sql<{ nonce: string }>('credentials.tryCode')`
  update sign_in_codes c
  set tries = c.tries + 1
  from users u
  where c.user_id = $1
    and u.id = c.user_id
    and lower(trim(u.email)) = c.email
    and c.expires_at > now()
    and c.tries < $2
  returning c.nonce`;

/** Uses a code up. No row: it was used meanwhile, is not the newest any more, or the account has another address. */
export const USE_CODE = sql<{ user_id: string }>('credentials.useCode')`
  delete from sign_in_codes c
  using users u
  where c.user_id = $1
    and c.nonce = $2
    and u.id = c.user_id
    and lower(trim(u.email)) = c.email
  returning c.user_id`;

const MOST_TRIES = 5;

type FindAccount = (tx: Transaction) => Promise<AccountRow | undefined>;

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
  find: FindAccount,
): Promise<AccountRow> {
  const { address, deps, requestId, signal, transaction } = asking;
  const uses = await failureLimits(asking, name);
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

/**
 * The one place that compares a mailed code; the limits are those of passwords. Every outcome writes, so that an address
 * without an account takes as long as one with a code.
 * @param name user name or address as typed, lower-cased
 * @returns the account and the code's nonce, with which `USE_CODE` uses it up
 * @throws ApiError 401 `INVALID_CREDENTIALS`, 429
 */
export async function checkCode(
  asking: Asking,
  name: string,
  code: string,
  find: FindAccount,
): Promise<AccountRow & { nonce: string }> {
  const { deps, requestId, transaction } = asking;
  const uses = await failureLimits(asking, name);
  return countingFailures(asking, uses, isWrong, async () => {
    const found = await transaction(async (tx) => {
      const account = await find(tx);
      const open = await tx.maybe(TRY_CODE, [account?.is_verified ? account.id : null, MOST_TRIES]);
      const isRight = isCode(deps.config.secrets, open?.nonce, code);
      if (account && open && isRight) return { ...account, nonce: open.nonce };
      await recordEvent(tx, 'login-failed', account?.id ?? null, requestId);
      return undefined;
    });
    if (!found) throw invalidCredentials();
    return found;
  });
}

/**
 * Asks a signed-in person again for the password or a fresh code, which is used up.
 * @param checkSession throws when the session has ended: a password that was reset meanwhile is no wrong one
 * @throws ApiError 403 `INVALID_CREDENTIALS`: the session goes on (behaviour 0.3); 429
 */
export async function reauthenticate(
  asking: Asking,
  userId: string,
  checkSession: () => Promise<void>,
  { password, code }: { password?: string | undefined; code?: string | undefined },
): Promise<AccountRow> {
  const find: FindAccount = (tx) => tx.maybe(FIND_ACCOUNT_BY_ID, [userId]);
  await checkSession();
  try {
    if (code === undefined) return await checkPassword(asking, userId, password ?? '', find);
    const account = await checkCode(asking, userId, code, find);
    const used = await asking.transaction((tx) => tx.maybe(USE_CODE, [userId, account.nonce]));
    if (!used) throw invalidCredentials();
    return account;
  } catch (error) {
    throw isWrong(error) ? notThePassword() : error;
  }
}

export const notThePassword = () => new ApiError(403, 'INVALID_CREDENTIALS', 'Invalid credentials');

/** The limits that count failures, none of which is reached: so that nobody waits for a turn to be refused. */
async function failureLimits({ address, peek }: Asking, name: string): Promise<Array<[Limit, LimitKey]>> {
  const uses: Array<[Limit, LimitKey]> = [
    [signInFailuresByAddress, { address }],
    [signInFailures, { address, subject: name }],
  ];
  for (const use of uses) await peek(...use);
  return uses;
}

/** Whether somebody showed what is not right. */
export const isWrong = (error: unknown): boolean => error instanceof ApiError && error.code === 'INVALID_CREDENTIALS';
