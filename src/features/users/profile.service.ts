import type { z } from 'zod';
import { EMAIL_CHANGE_LINK } from '#identity/linkTokens.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { NOTICE_LIFETIME, type Outbox } from '#outbox/outbox.ts';
import { ApiError, badRequest } from '#platform/apiError.ts';
import type { Limit, LimitKey } from '#platform/limits.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from '#transport/deps.ts';
import { emailChange, profileConflicts } from './users.limits.ts';
import {
  CHANGE_PROFILE,
  type ChangeableRow,
  CLEAR_MISSING_FIELDS,
  CONFIRM_EMAIL,
  FIND_CHANGEABLE,
  FIND_CONFLICT,
  FIND_EMAIL,
} from './users.queries.ts';
import type { profileChange } from './users.schemas.ts';
import { presentProfile } from './users.service.ts';

/** Kinds of messages in the outbox. */
export const EMAIL_CHANGE_MAIL = 'mail.email-change';
export const EMAIL_CHANGED_MAIL = 'mail.email-changed';

type ProfileChange = z.output<typeof profileChange>;

/** What an update will write; computed first, because a mail must be counted before anything is written. */
interface PlannedChange {
  username: string | null;
  name: string | null;
  /** The address that waits for confirmation; null: no mail. */
  pendingEmail: string | null;
  completes: boolean;
}

export const nameOrEmailInUse = () => new ApiError(409, 'USERNAME_OR_EMAIL_IN_USE', 'Username or email already in use');

/** @throws ApiError 400 `EMAIL_REQUIRED` when a profile without address is to be completed without one */
function planChange(current: ChangeableRow, form: ProfileChange): PlannedChange {
  const completes = form.setCompletedOnOAuth === true && current.missing.length > 0;
  const differs = form.email !== undefined && form.email !== current.email?.trim().toLowerCase();
  if (completes && current.missing.includes('email') && current.email === null && form.email === undefined) {
    throw badRequest('EMAIL_REQUIRED', 'Email is required');
  }
  // The completion form never asks for a name, so the username is used.
  const needsName = completes && current.name === null;
  return {
    username: form.username ?? null,
    name: form.fullName ?? (needsName ? (form.username ?? current.username) : null),
    pendingEmail: differs ? (form.email ?? null) : null,
    completes,
  };
}

/** Checked before a mail is counted. @throws ApiError 409 when the username or the address is somebody else's */
async function assertNoConflict(tx: Transaction, userId: string, change: PlannedChange): Promise<void> {
  if (change.username === null && change.pendingEmail === null) return;
  const values = [userId, change.username, change.pendingEmail];
  if (await tx.asService(() => tx.maybe(FIND_CONFLICT, values))) throw nameOrEmailInUse();
}

/** Writes the planned change. A new address is not written: it waits until its link is opened. */
async function changeProfile(
  tx: Transaction,
  outbox: Outbox,
  userId: string,
  requestId: string,
  change: PlannedChange,
) {
  const { username, name, pendingEmail, completes } = change;
  const row = await tx.one(CHANGE_PROFILE, [userId, username, name, pendingEmail]);
  if (completes) await tx.asService(() => tx.rows(CLEAR_MISSING_FIELDS, [userId]));
  if (pendingEmail !== null) {
    await recordEvent(tx, 'email-change-requested', userId, requestId);
    await outbox.add(tx, {
      kind: EMAIL_CHANGE_MAIL,
      userId,
      payload: { newEmail: pendingEmail },
      lifetimeSeconds: EMAIL_CHANGE_LINK.lifetimeSeconds,
    });
  }
  return presentProfile(row);
}

interface Changing {
  caller: { id: string };
  deps: Deps;
  requestId: string;
  consume(limit: Limit, key: LimitKey): Promise<void>;
  peek(limit: Limit, key: LimitKey): Promise<void>;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/**
 * Changes the caller's profile. Limits count conflicts with names and addresses that are taken, so that nobody can
 * search for those, and the mails that are sent.
 * @throws ApiError 400 `EMAIL_REQUIRED`, 409 `USERNAME_OR_EMAIL_IN_USE`, 429
 */
export async function updateProfile(changing: Changing, form: ProfileChange) {
  const { caller, consume, deps, peek, requestId, transaction } = changing;
  await peek(profileConflicts, caller.id);
  try {
    const change = await transaction(async (tx) => {
      const planned = planChange(await tx.one(FIND_CHANGEABLE, [caller.id]), form);
      await assertNoConflict(tx, caller.id, planned);
      return planned;
    });
    const targets = change.pendingEmail === null ? [] : [`user ${caller.id}`, `address ${change.pendingEmail}`];
    for (const target of targets) {
      for (const limit of emailChange) await consume(limit, target);
    }
    const user = await transaction((tx) => changeProfile(tx, deps.outbox, caller.id, requestId, change));
    return { emailChanged: change.pendingEmail !== null, user };
  } catch (error) {
    if (isConflict(error)) await consume(profileConflicts, caller.id);
    throw error;
  }
}

function isConflict(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === 'USERNAME_OR_EMAIL_IN_USE' || constraint === 'users_username_key';
}

type Confirmation = 'changed' | 'unchanged' | 'gone' | 'outdated';

/** Makes the pending address the account's, once; links that were made for the old address stop working. */
export async function confirmEmail(
  tx: Transaction,
  outbox: Outbox,
  requestId: string,
  claims: { sub: string; newEmail: string; oldEmail: string | null },
): Promise<Confirmation> {
  const [newEmail, oldEmail] = [claims.newEmail.toLowerCase(), claims.oldEmail?.toLowerCase() ?? null];
  const confirmed = await tx.maybe(CONFIRM_EMAIL, [claims.sub, newEmail, oldEmail]);
  if (!confirmed) {
    const user = await tx.maybe(FIND_EMAIL, [claims.sub]);
    if (!user) return 'gone';
    return user.email === newEmail ? 'unchanged' : 'outdated';
  }
  await recordEvent(tx, 'email-changed', claims.sub, requestId);
  if (oldEmail) {
    const payload = { to: oldEmail };
    await outbox.add(tx, { kind: EMAIL_CHANGED_MAIL, userId: claims.sub, payload, lifetimeSeconds: NOTICE_LIFETIME });
  }
  return 'changed';
}
