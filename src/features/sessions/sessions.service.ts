import type { z } from 'zod';
import type { Caller } from '#identity/authenticate.ts';
import {
  type AccountRow,
  type Asking,
  checkCode,
  checkPassword,
  FIND_ACCOUNT,
  FIND_ACCOUNT_BY_EMAIL,
  isWrong,
  USE_CODE,
} from '#identity/credentials.ts';
import type { Proof } from '#identity/dpop.ts';
import { refreshTokens } from '#identity/refreshing.ts';
import { issueTokens } from '#identity/sessions.ts';
import { CODE_LIFETIME, MOST_CODES, networkMark } from '#identity/signInCodes.ts';
import { unauthorized } from '#identity/unauthorized.ts';
import { notFound } from '#platform/apiError.ts';
import { isWithin } from '#platform/attempts.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import type { Deps } from '#transport/deps.ts';
import { codeMail, codeMailByAddress, codeMailOfAccount } from './sessions.limits.ts';
import {
  END_OLDEST,
  END_OTHER_SESSIONS,
  END_PHONE_SESSION,
  FIND_MAILABLE,
  FIND_PHONE_SESSION,
  HOLD_ACCOUNT,
  LIST_OTHER_SESSIONS,
  MAKE_CODE,
  type OtherSessionRow,
  REPLACE_CODES,
  START_OTHER_SESSION,
} from './sessions.queries.ts';
import type { session, signIn } from './sessions.schemas.ts';

/** Kind of message in the outbox. */
export const CODE_MAIL = 'mail.sign-in-code';

/** Most sessions of a person beside the phone; one more ends the oldest. */
const MOST_SESSIONS = 20;

interface Device extends Asking {
  deps: Deps;
  header(name: string): string | undefined;
  /** Checks 1 to 7 of the request's proof. @throws ApiError 401 */
  proof(): Proof;
}

/**
 * Starts a session beside the phone, bound to the key of the proof, for who knows the password or the mailed code.
 * @throws ApiError 401 `INVALID_CREDENTIALS`, `EMAIL_NOT_VERIFIED` or of the proof, 429
 */
export async function startOtherSession(device: Device, form: z.output<typeof signIn>) {
  const { deps, requestId, signal } = device;
  const proof = deps.config.DPOP_ENABLED ? device.proof() : undefined;
  if (proof) await deps.replayStore.accept(proof, requestId);
  const account = await credentialsOf(device, form).catch((error) => {
    throw isWrong(error) ? refused() : error;
  });
  if (!account.is_verified) throw unauthorized('EMAIL_NOT_VERIFIED', 'You need to verify your account');
  const started = await deps.db.asServiceFor(account.id, (tx) => start(tx, deps, account, form.name ?? null), signal);
  return {
    ...issueTokens(deps.sessionTokens, started.tokens, proof?.thumbprint, started.row.id),
    session: presentOther(started.row, started.row.id),
  };
}

async function credentialsOf(
  device: Device,
  { identifier = '', password = '', email = '', code }: z.output<typeof signIn>,
): Promise<AccountRow & { nonce?: string }> {
  const name = (code === undefined ? identifier : email).toLowerCase();
  if (code !== undefined) return checkCode(device, name, code, (tx) => tx.maybe(FIND_ACCOUNT_BY_EMAIL, [name]));
  return checkPassword(device, name, password, (tx) => tx.maybe(FIND_ACCOUNT, [name]));
}

async function start(tx: Transaction, deps: Deps, account: AccountRow & { nonce?: string }, name: string | null) {
  const { id: userId, password, nonce } = account;
  const holder = await tx.maybe(HOLD_ACCOUNT, [userId, nonce === undefined ? password : null]);
  const isEntitled = holder && (nonce === undefined || (await tx.maybe(USE_CODE, [userId, nonce])));
  if (!isEntitled) throw refused(); // password or code have changed meanwhile
  const row = await tx.one(START_OTHER_SESSION, [userId, name, deps.config.REFRESH_TOKEN_TTL_SEC]);
  await tx.rows(END_OLDEST, [userId, MOST_SESSIONS]);
  tx.afterCommit(() => deps.sockets.recheck(userId));
  return { row, tokens: { ...holder, token_version: row.token_version } };
}

/**
 * Mails a code to a verified account with this address, if there is one. For any other address the same rows are written, and
 * the mail is dropped when it is due: the time of the answer tells nothing.
 * @throws ApiError 429
 */
export async function mailCode({ deps, consume, address, transaction }: Device, email: string): Promise<void> {
  await consume(codeMailByAddress, { address });
  for (const limit of codeMail) await consume(limit, { address, subject: email });
  const askedFrom = networkMark(deps.config.secrets, address);
  await transaction(async (tx) => {
    const owner = await tx.maybe(FIND_MAILABLE, [email, deps.config.SYSTEM_USER_ID]);
    const userId = owner?.is_account ? owner.id : null;
    if (!(await isWithin(deps.limits, [codeMailOfAccount], userId ?? email))) return;
    await tx.rows(REPLACE_CODES, [email, askedFrom, MOST_CODES - 1]);
    const { nonce } = await tx.one(MAKE_CODE, [email, userId, askedFrom, CODE_LIFETIME]);
    const mail = { kind: CODE_MAIL, payload: { nonce }, lifetimeSeconds: CODE_LIFETIME };
    await deps.outbox.add(tx, { ...mail, userId: owner?.id ?? null });
  });
}

/**
 * Exchanges the refresh token of a session beside the phone, with the grace of the phone's (behaviour 0.7); held while the
 * database is away.
 * @throws ApiError 401, 429; DatabaseUnavailable
 */
export const refreshOtherSession = async (device: Device) =>
  (await refreshTokens(device, device.deps.sessionTokens.readOtherRefresh)).tokens;

/** The phone's session, if there is one, then the others, newest first. */
export async function listSessions(tx: Transaction, config: Config, caller: Caller) {
  const { otherId } = caller.session;
  const [phone, others] = await Promise.all([
    tx.maybe(FIND_PHONE_SESSION, [caller.id, config.REFRESH_TOKEN_TTL_SEC]),
    tx.rows(LIST_OTHER_SESSIONS, [caller.id]),
  ]);
  const phones: Array<z.output<typeof session>> = phone
    ? [
        {
          id: 'phone',
          kind: 'phone',
          name: null,
          createdAt: phone.since?.toISOString() ?? null,
          lastUsedOn: phone.used_on,
          current: otherId === undefined,
        },
      ]
    : [];
  return { items: [...phones, ...others.map((row) => presentOther(row, otherId))], nextCursor: null };
}

/** @throws ApiError 404 for a session that is not the caller's, or has ended */
export async function endSession(tx: Transaction, deps: Deps, caller: Caller, id: string): Promise<void> {
  if (id === 'phone') {
    if (!(await tx.maybe(FIND_PHONE_SESSION, [caller.id, deps.config.REFRESH_TOKEN_TTL_SEC]))) throw notFound();
    await tx.rows(END_PHONE_SESSION);
  } else {
    const { ended } = await tx.one(END_OTHER_SESSIONS, [id, null]);
    if (ended === 0) throw notFound();
  }
  tx.afterCommit(() => deps.sockets.recheck(caller.id));
}

/** Ends all of the caller's sessions but the one that asks. */
export async function endAllOthers(tx: Transaction, deps: Deps, caller: Caller): Promise<void> {
  const { otherId } = caller.session;
  if (otherId !== undefined) await tx.rows(END_PHONE_SESSION);
  await tx.rows(END_OTHER_SESSIONS, [null, otherId ?? null]);
  tx.afterCommit(() => deps.sockets.recheck(caller.id));
}

const refused = () => unauthorized('INVALID_CREDENTIALS', 'Invalid credentials');

const presentOther = (row: OtherSessionRow, current: string | undefined): z.output<typeof session> => ({
  id: row.id,
  kind: 'other',
  name: row.name,
  createdAt: row.created_at.toISOString(),
  lastUsedOn: row.last_used_on,
  current: row.id === current,
});
