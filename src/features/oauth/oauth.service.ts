import { randomBytes } from 'node:crypto';
import type { ProvenIdentity } from '#identity/providerTokens.ts';
import { recordEvent } from '#identity/securityEvents.ts';
import { voidEverythingBegun } from '#identity/sessions.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import {
  ADD_LINK,
  CREATE_OWNER,
  FIND_BY_EMAIL,
  FIND_LINK,
  FIND_MISSING,
  LOCK_IDENTITY,
  type OwnerRow,
  REMOVE_LINKS,
  TAKE_OVER,
} from './oauth.queries.ts';

const MAX_USERNAME = 15;
const MAX_NAME = 200;
const CREATION_TRIES = 20;

type MissingField = 'email' | 'name';

/** Google's name counts only when the app can show it. */
export const usableName = (name: string | null): string | null =>
  name !== null && name.length <= MAX_NAME && /^[A-Za-z\s'-]+$/.test(name) ? name : null;

/** Apple's name, which the app sends once; only English letters, spaces, apostrophes and hyphens of it are used. */
export function joinedName(parts: Array<string | null | undefined>): string | null {
  const text = parts
    .map((part) =>
      (part ?? '')
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/[^A-Za-z '-]/g, '')
        .trim(),
    )
    .filter((part) => part !== '' && part !== 'null' && part !== 'undefined')
    .join(' ');
  return text.slice(0, MAX_NAME) || null;
}

/**
 * The account of a proven identity (behaviour 1.4): the linked one; else the one with this address,
 * linked if it is verified and taken over if it is not; else a new one.
 * @param givenName the name to use; null: missing for Google, the username for Apple
 */
export async function resolveAccount(
  tx: Transaction,
  identity: ProvenIdentity,
  givenName: string | null,
  requestId: string,
): Promise<string> {
  await tx.rows(LOCK_IDENTITY, [`${identity.provider} ${identity.subject}`]);
  if (identity.email) await tx.rows(LOCK_IDENTITY, [`email ${identity.email}`]);
  const linked = await tx.maybe(FIND_LINK, [identity.provider, identity.subject]);
  if (linked) return linked.user_id;

  for (let attempt = 0; attempt < CREATION_TRIES; attempt++) {
    const owner = identity.email ? await tx.maybe(FIND_BY_EMAIL, [identity.email]) : undefined;
    if (owner) return joinOwner(tx, owner, identity, givenName, requestId);
    const username = candidateUsername(identity.email, attempt);
    const name = givenName ?? (identity.provider === 'apple' ? username : null);
    const created = await tx.maybe(CREATE_OWNER, [username, identity.email, name, identity.provider]);
    if (created) {
      await addLink(tx, created.id, identity, { email: identity.email, name });
      return created.id;
    }
  }
  throw new Error('no free username was found');
}

async function joinOwner(
  tx: Transaction,
  owner: OwnerRow,
  identity: ProvenIdentity,
  givenName: string | null,
  requestId: string,
): Promise<string> {
  if (owner.is_verified) {
    await addLink(tx, owner.id, identity, owner);
    return owner.id;
  }
  const name = givenName ?? (identity.provider === 'apple' ? owner.username : null);
  await tx.rows(REMOVE_LINKS, [owner.id]);
  await tx.rows(TAKE_OVER, [owner.id, name, identity.provider]);
  await voidEverythingBegun(tx, owner.id);
  await addLink(tx, owner.id, identity, { email: owner.email, name });
  await recordEvent(tx, 'account-taken-over', owner.id, requestId);
  return owner.id;
}

async function addLink(
  tx: Transaction,
  userId: string,
  { provider, subject, email }: ProvenIdentity,
  profile: { email: string | null; name: string | null },
): Promise<void> {
  const missing = (['email', 'name'] as const).filter((field) => profile[field] === null);
  await tx.rows(ADD_LINK, [userId, provider, subject, email, missing.join(',') || null]);
}

/** The fields that are missing over all linked sign-ins of a user: null for none, undefined without a link. */
export async function readMissingFields(tx: Transaction, userId: string): Promise<MissingField[] | null | undefined> {
  const { links, missing } = await tx.one(FIND_MISSING, [userId]);
  if (links === 0) return undefined;
  const fields = (['email', 'name'] as const).filter((field) => missing.includes(field));
  return fields.length > 0 ? fields : null;
}

/** A user name made of the local part of the address, within the rules for user names; later attempts add a number. */
export function candidateUsername(email: string | null, attempt: number): string {
  const local = (email?.split('@')[0] ?? '').toLowerCase().replaceAll(/[^a-z0-9_]/g, '');
  if (local.length < 3) return `user_${randomBytes(3).toString('hex')}`;
  const base = local.slice(0, MAX_USERNAME);
  if (attempt === 0) return base;
  const number = attempt < 5 ? String(attempt) : String(randomBytes(4).readUInt32LE() % 100_000);
  return base.slice(0, MAX_USERNAME - number.length) + number;
}
