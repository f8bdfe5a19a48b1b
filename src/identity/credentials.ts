import { ApiError, invalidCredentials } from '#platform/apiError.ts';
import { countingFailures } from '#platform/attempts.ts';
import type { Counting, Limit, LimitKey } from '#platform/limits.ts';
import type { Passwords } from '#platform/passwords.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Config } from '#src/config.ts';
import { recordEvent } from './securityEvents.ts';
import { isCode, networkMark } from './signInCodes.ts';
import { signInFailures, signInFailuresByAddress, wrongCodesFromElsewhere } from './signInLimits.ts';

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

/** An account with its address, lower-cased. */
interface AddressedRow extends AccountRow {
  email: string | null;
}

const FIND_ACCOUNT_BY_ID = sql<AddressedRow>('credentials.findAccountById')`
  select u.id, u.password, u.is_verified, lower(trim(u.email)) as email
  from users u
  where u.id = $1`;

export const FIND_ACCOUNT_BY_EMAIL = sql<AddressedRow>('credentials.findAccountByEmail')`
  select u.id, u.password, u.is_verified, lower(trim(u.email)) as email
  from users u
  where lower(trim(u.email)) = $1`;

interface CodeRow {
  nonce: string;
  user_id: string | null;
  asked_from: string;
}

/** Codes that were mailed to an address and still work; also those of an address without an account, which open nothing. */
const LIST_CODES = sql<CodeRow>('credentials.listCodes')`
  select c.nonce, c.user_id, c.asked_from
  from mailed_codes c
  where c.email = $1
    and c.expires_at > now()`;

/** Uses a code up. No row: it was used meanwhile, has been replaced, or the account has another address. */
export const USE_CODE = sql<{ user_id: string }>('credentials.useCode')`
  delete from mailed_codes c
  using users u
  where c.user_id = $1
    and c.nonce = $2
    and u.id = c.user_id
    and lower(trim(u.email)) = c.email
  returning c.user_id`;

type FindAccount<Row extends AccountRow = AccountRow> = (tx: Transaction) => Promise<Row | undefined>;

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
 * The one place that compares a mailed code; the limits are those of passwords, and one for all networks that did not ask for
 * a code (`wrongCodesFromElsewhere`). An address without an account has rows, too, and the same is done with them, so that
 * answer and time tell nothing.
 * @param name user name or address as typed, lower-cased
 * @returns the account and the code's nonce, with which `USE_CODE` uses it up
 * @throws ApiError 401 `INVALID_CREDENTIALS`, 429
 */
export async function checkCode(
  asking: Asking,
  name: string,
  code: string,
  find: FindAccount<AddressedRow>,
): Promise<AccountRow & { nonce: string }> {
  const { requestId, transaction } = asking;
  const uses = await failureLimits(asking, name);
  const { account, codes } = await transaction(async (tx) => {
    const found = await find(tx);
    return { account: found, codes: await tx.rows(LIST_CODES, [found?.email ?? name]) };
  });
  try {
    return await countingFailures(asking, uses, isWrong, async () => {
      const right = await rightCode(asking, name, code, codes);
      if (!account?.is_verified || account.id !== right.user_id) throw invalidCredentials();
      return { ...account, nonce: right.nonce };
    });
  } catch (error) {
    if (isWrong(error)) await transaction((tx) => recordEvent(tx, 'login-failed', account?.id ?? null, requestId));
    throw error;
  }
}

/**
 * The row of a code: first among those that this network asked for, then among the others.
 * @throws ApiError 401 `INVALID_CREDENTIALS`; 429 for a network that asked for none, when many have tried before
 */
async function rightCode(asking: Asking, name: string, code: string, codes: CodeRow[]): Promise<CodeRow> {
  const { secrets } = asking.deps.config;
  const here = networkMark(secrets, asking.address);
  const { own = [], others = [] } = Object.groupBy(codes, (row) => (row.asked_from === here ? 'own' : 'others'));
  const among = (rows: CodeRow[]) => rows.filter(({ nonce }) => isCode(secrets, nonce, code)).at(0);
  const right = among(own);
  if (right) return right;
  try {
    return await countingFailures(asking, [[wrongCodesFromElsewhere, name]], isWrong, async () => {
      const found = among(others);
      if (!found) throw invalidCredentials();
      return found;
    });
  } catch (error) {
    // A code was compared, so the try counts as a wrong one.
    throw own.length > 0 && error instanceof ApiError ? invalidCredentials() : error;
  }
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
  const find: FindAccount<AddressedRow> = (tx) => tx.maybe(FIND_ACCOUNT_BY_ID, [userId]);
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
