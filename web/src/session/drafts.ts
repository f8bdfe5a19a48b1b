import { ApiFailure, type Output } from '@strong-together/client';
import { load, loadAll, remove, save } from './database.ts';
import type { Client, Session } from './session.ts';

type Stored = Output<'GET', '/api/v1/workouts/:id'>;
export type Block = Stored['blocks'][number];
export type SetDone = Block['sets'][number];
export type Document = Pick<Stored, 'title' | 'notes' | 'startedAt' | 'endedAt' | 'timeZone' | 'splitId' | 'blocks'>;

/** A workout that is being written, kept in this browser at every change until the server has it. */
export interface Draft {
  id: string;
  /** Whose it is: several people may use a browser. */
  owner: string;
  document: Document;
  /** Version that it was made from; undefined for a new one. */
  version?: number | undefined;
  /** The person is done with it: it is sent as soon as there is a line. */
  isReady: boolean;
}

/** Told on `window` when a draft is gone: the server has it, or it was thrown away. */
export const DRAFTS_CHANGED = 'drafts-changed';

const keyOf = (owner: string, id: string) => `${owner} ${id}`;
export const loadDraft = (owner: string, id: string) => load<Draft>('drafts', keyOf(owner, id));
export const loadDrafts = async (owner: string) =>
  (await loadAll<Draft>('drafts')).filter((draft) => draft.owner === owner);
export const saveDraft = (draft: Draft) => save('drafts', keyOf(draft.owner, draft.id), draft);
export async function removeDraft(owner: string, id: string): Promise<void> {
  await remove('drafts', keyOf(owner, id));
  dispatchEvent(new Event(DRAFTS_CHANGED));
}

/** Answers on which trying again later helps. */
const PASSING = [401, 408, 429];
const isPassing = (error: unknown) =>
  !(error instanceof ApiFailure) || error.status >= 500 || PASSING.includes(error.status);

/**
 * Sends a draft, one tab at a time. What was changed while it was on its way stays.
 * @returns whether the server has it now; false: it waits for the line
 * @throws ApiFailure when the server refuses it
 */
export function sendDraft({ client }: Session, draft: Draft): Promise<boolean> {
  return navigator.locks.request(`send ${draft.id}`, async () => {
    const kept = await loadDraft(draft.owner, draft.id);
    if (!kept) return true; // another tab has sent it
    try {
      await put(client, kept);
    } catch (error) {
      if (isPassing(error) && !(error instanceof ApiFailure && error.status === 401)) return false;
      throw error;
    }
    const now = await loadDraft(draft.owner, draft.id);
    if (JSON.stringify(now) === JSON.stringify(kept)) await removeDraft(draft.owner, draft.id);
    return true;
  });
}

async function put(client: Client, { id, version, document }: Draft): Promise<void> {
  const blocks = document.blocks.map((block) => ({
    ...block,
    sets: block.sets.map((set) => ({ ...set, unit: set.weight === null ? null : set.unit })),
  }));
  const body = { ...document, blocks };
  const headers = version === undefined ? {} : { 'if-match': `"${version}"` };
  try {
    await client.call('PUT', '/api/v1/workouts/:id', { params: { id }, body, headers });
  } catch (error) {
    // The answer to an earlier try may have been lost: then the server has it already.
    if (!(error instanceof ApiFailure) || error.status !== 412 || !(await isStored(client, id, body))) throw error;
  }
}

async function isStored(client: Client, id: string, body: Document): Promise<boolean> {
  const { title, notes, startedAt, endedAt, timeZone, splitId, blocks } = await client.call(
    'GET',
    '/api/v1/workouts/:id',
    { params: { id } },
  );
  const stored = { title, notes, startedAt, endedAt, timeZone, splitId, blocks };
  return JSON.stringify(stored) === JSON.stringify(body);
}

/** Sends what waits. What the server refuses does not wait any more: the person looks at it. */
export async function sendWaiting(session: Session): Promise<void> {
  for (const draft of await loadDrafts(session.userId())) {
    if (!draft.isReady) continue;
    try {
      await sendDraft(session, draft);
    } catch (error) {
      if (!isPassing(error)) await saveDraft({ ...draft, isReady: false });
    }
  }
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
