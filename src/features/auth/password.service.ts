import type { z } from 'zod';
import type { Caller } from '#identity/authenticate.ts';
import { type Asking, notThePassword, reauthenticate } from '#identity/credentials.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { voidEverythingBegun } from '#identity/sessions.ts';
import { loginRequired } from '#identity/unauthorized.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import { CHANGE_PASSWORD, IS_GOING_ON } from './auth.queries.ts';
import type { passwordChange } from './auth.schemas.ts';
import { requestPasswordChangedMail } from './auth.service.ts';

interface Changing extends Asking {
  deps: Deps;
  caller: Caller;
  /** With the rights of the caller, if the session has not ended. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/**
 * Sets a new password for who shows the old one or a mailed code again. All sessions but the one that asks
 * end, and so does what was begun.
 * @throws ApiError 403 `INVALID_CREDENTIALS`, 401 `LOGIN_REQUIRED`, 429
 */
export async function changePassword(asking: Changing, form: z.output<typeof passwordChange>): Promise<void> {
  const { address, caller, deps, requestId, signal } = asking;
  const service = { ...asking, transaction: <T>(work: (tx: Transaction) => Promise<T>) => deps.db.asService(work) };
  const checkSession = () => asking.transaction(async () => undefined);
  const account = await reauthenticate(service, caller.id, checkSession, form);
  const passwordHash = await deps.passwords.inTurn(address.network, ({ hash }) => hash(form.newPassword), signal);
  const { epoch, otherId } = caller.session;
  await deps.db.asServiceFor(
    caller.id,
    async (tx) => {
      const isOther = otherId !== undefined;
      const session = await tx.maybe(IS_GOING_ON, [caller.id, isOther ? null : epoch, otherId ?? null]);
      if (!session?.is_going_on) throw loginRequired();
      const changed = await tx.maybe(CHANGE_PASSWORD, [caller.id, passwordHash, account.password, isOther]);
      if (!changed) throw notThePassword(); // it was changed meanwhile
      await voidEverythingBegun(tx, caller.id, caller.session);
      await recordEvent(tx, 'password-changed', caller.id, requestId);
      await requestPasswordChangedMail(tx, deps.outbox, caller.id);
      tx.afterCommit(() => deps.sockets.recheck(caller.id));
    },
    signal,
  );
}
