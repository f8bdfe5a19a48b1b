import type { z } from 'zod';
import { EMAIL_CHANGE_LINK } from '#identity/linkTokens.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { NOTICE_LIFETIME, type Outbox } from '#outbox/outbox.ts';
import { ApiError, badRequest } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  CHANGE_PROFILE,
  type ChangeableRow,
  CLEAR_MISSING_FIELDS,
  CONFIRM_EMAIL,
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
export interface PlannedChange {
  username: string | null;
  name: string | null;
  /** The address that waits for confirmation; null: no mail. */
  pendingEmail: string | null;
  completes: boolean;
}

export const nameOrEmailInUse = () => new ApiError(409, 'USERNAME_OR_EMAIL_IN_USE', 'Username or email already in use');

/** @throws ApiError 400 `EMAIL_REQUIRED` when a profile without address is to be completed without one */
export function planChange(current: ChangeableRow, form: ProfileChange): PlannedChange {
  const completes = form.setCompletedOnOAuth === true && current.missing.length > 0;
  const differs = form.email !== undefined && form.email !== current.email?.trim().toLowerCase();
  if (completes && current.missing.includes('email') && current.email === null && form.email === undefined) {
    throw badRequest('EMAIL_REQUIRED', 'Email is required');
  }
  // The completion form never asks for a name: the username serves.
  const needsName = completes && current.name === null;
  return {
    username: form.username ?? null,
    name: form.fullName ?? (needsName ? (form.username ?? current.username) : null),
    pendingEmail: differs ? (form.email ?? null) : null,
    completes,
  };
}

/** Looked at before a mail is counted. @throws ApiError 409 when the username or the address is somebody else's */
export async function assertNoConflict(tx: Transaction, userId: string, change: PlannedChange): Promise<void> {
  if (change.username === null && change.pendingEmail === null) return;
  const values = [userId, change.username, change.pendingEmail];
  if (await tx.asService(() => tx.maybe(FIND_CONFLICT, values))) throw nameOrEmailInUse();
}

/** Writes the planned change. A new address is not written: it waits until its link is opened. */
export async function changeProfile(
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

type Confirmation = 'changed' | 'unchanged' | 'gone' | 'outdated';

/** Makes the pending address the account's, once; every other confirmation and reset link dies with the old one. */
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
