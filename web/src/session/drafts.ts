import { ApiFailure, type Output } from '@strong-together/client';
import { load, loadAll, remove, save } from './database.ts';
import type { Client } from './session.ts';

type Stored = Output<'GET', '/api/v1/workouts/:id'>;
export type Block = Stored['blocks'][number];
export type SetDone = Block['sets'][number];
export type Document = Pick<Stored, 'title' | 'notes' | 'startedAt' | 'endedAt' | 'timeZone' | 'splitId' | 'blocks'>;

/** A workout that is being written, kept in this browser at every change until the server has it. */
export interface Draft {
  id: string;
  document: Document;
  /** Version that it was made from; undefined for a new one. */
  version?: number | undefined;
  /** The person is done with it: it is sent as soon as there is a line. */
  isReady: boolean;
}

export const loadDraft = (id: string) => load<Draft>('drafts', id);
export const loadDrafts = () => loadAll<Draft>('drafts');
export const saveDraft = (draft: Draft) => save('drafts', draft.id, draft);
export const removeDraft = (id: string) => remove('drafts', id);

/** Sends a draft. @returns whether the server has it now; false: there is no line */
export async function sendDraft(client: Client, draft: Draft): Promise<boolean> {
  const headers = draft.version === undefined ? {} : { 'if-match': `"${draft.version}"` };
  try {
    await client.call('PUT', '/api/v1/workouts/:id', { params: { id: draft.id }, body: draft.document, headers });
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    return false;
  }
  await removeDraft(draft.id);
  return true;
}

/** Sends what waits, and leaves what the server refuses for the person to look at. @returns how many were sent */
export async function sendWaiting(client: Client): Promise<number> {
  let sent = 0;
  for (const draft of await loadDrafts()) {
    if (!draft.isReady) continue;
    if (await sendDraft(client, draft).catch(() => false)) sent++;
  }
  return sent;
}

/** UUIDv7 (RFC 9562, section 5.7): ids of one person sort by time. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let n = 0; n < 6; n++) bytes[n] = Math.floor(now / 256 ** (5 - n)) % 256;
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
