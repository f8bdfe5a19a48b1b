import { ApiFailure, type Output } from '@strong-together/client';
import { load, loadAll, remove, save, update } from './database.ts';
import type { Client, Session } from './session.ts';

export type Stored = Output<'GET', '/api/v1/workouts/:id'>;
type StoredBlock = Stored['blocks'][number];
/** A set as it is written: only what is ticked as done is stored. */
export type SetDone = StoredBlock['sets'][number] & { key?: string; isDone?: boolean };
export type Block = Omit<StoredBlock, 'sets'> & { sets: SetDone[] };
export type Document = Pick<Stored, 'title' | 'notes' | 'startedAt' | 'endedAt' | 'timeZone' | 'splitId'> & {
  blocks: Block[];
};

/** A workout that is being written, kept in this browser at every change until the server has it. */
export interface Draft {
  id: string;
  /** Whose it is: several people may use a browser. */
  owner: string;
  document: Document;
  /** Version that it was made from; undefined for a new one. */
  version?: number | undefined;
  /** When it was last written at; null for a new one that nothing was written into. */
  changedAt?: string | null;
  /** The person is done with it: it is sent as soon as there is a line. */
  isReady: boolean;
}

/** Told on `window` when a draft is gone: the server has it, or it was thrown away. */
export const DRAFTS_CHANGED = 'drafts-changed';

const DAY_MS = 86_400_000;
const isUntouched = ({ changedAt }: Draft) => changedAt === null;

export const keyOfDraft = (owner: string, id: string) => `${owner} ${id}`;
export const loadDraft = (owner: string, id: string) => load<Draft>('drafts', keyOfDraft(owner, id));
/** What somebody wrote and the server does not have yet. */
export const loadDrafts = async (owner: string) =>
  (await loadAll<Draft>('drafts')).filter((draft) => draft.owner === owner && !isUntouched(draft));
export const saveDraft = (draft: Draft) => save('drafts', keyOfDraft(draft.owner, draft.id), draft);
export async function removeDraft(owner: string, id: string): Promise<void> {
  await remove('drafts', keyOfDraft(owner, id));
  dispatchEvent(new Event(DRAFTS_CHANGED));
}

/** Removes new workouts of days before into which nothing was written. */
export async function removeUntouched(owner: string): Promise<void> {
  for (const draft of await loadAll<Draft>('drafts')) {
    const isOld = Date.now() - Date.parse(draft.document.startedAt) > DAY_MS;
    if (draft.owner === owner && isUntouched(draft) && isOld) await remove('drafts', keyOfDraft(owner, draft.id));
  }
}

/** Answers on which trying again later helps. */
const PASSING = [401, 408, 429];
const isPassing = (error: unknown) =>
  !(error instanceof ApiFailure) || error.status >= 500 || PASSING.includes(error.status);

/**
 * Sends a draft, one tab at a time. What was changed while it was on its way stays, as a change of what the server has now.
 * @returns whether the server has it now; false: it waits for the line
 * @throws ApiFailure when the server refuses it
 */
export function sendDraft({ client }: Session, { owner, id }: Draft): Promise<boolean> {
  return navigator.locks.request(`send ${id}`, async () => {
    const kept = await loadDraft(owner, id);
    if (!kept) return true; // another tab has sent it
    let version: number;
    try {
      version = await put(client, kept);
    } catch (error) {
      if (isPassing(error) && !(error instanceof ApiFailure && error.status === 401)) return false;
      throw error;
    }
    const now = await loadDraft(owner, id);
    if (JSON.stringify(now) === JSON.stringify(kept)) await removeDraft(owner, id);
    else await update<Draft>('drafts', keyOfDraft(owner, id), (newest) => ({ ...(newest ?? kept), version }));
    return true;
  });
}

/** @returns the version that the server has now */
async function put(client: Client, { id, version, document }: Draft): Promise<number> {
  const blocks = document.blocks.map((block) => ({ ...block, sets: block.sets.map(plainSet) }));
  const body = { ...document, blocks };
  const headers = version === undefined ? {} : { 'if-match': `"${version}"` };
  try {
    return (await client.call('PUT', '/api/v1/workouts/:id', { params: { id }, body, headers })).version;
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status !== 412) throw error;
    // The answer to an earlier try may have been lost: then the server has it already.
    const stored = await client.call('GET', '/api/v1/workouts/:id', { params: { id } });
    if (JSON.stringify(documentOf(stored)) !== JSON.stringify(body)) throw error;
    return stored.version;
  }
}

/** A set as the server takes it. */
const plainSet = ({ key: _key, isDone: _isDone, ...set }: SetDone) => ({
  ...set,
  unit: set.weight === null ? null : set.unit,
});

export const documentOf = ({ title, notes, startedAt, endedAt, timeZone, splitId, blocks }: Stored) => ({
  title,
  notes,
  startedAt,
  endedAt,
  timeZone,
  splitId,
  blocks,
});

/** Sends what waits. What the server refuses does not wait any more: the person looks at it. */
export async function sendWaiting(session: Session): Promise<void> {
  for (const draft of await loadDrafts(session.userId())) {
    if (!draft.isReady) continue;
    try {
      await sendDraft(session, draft);
    } catch (error) {
      if (isPassing(error)) continue;
      await update<Draft>('drafts', keyOfDraft(draft.owner, draft.id), (now) => ({
        ...(now ?? draft),
        isReady: false,
      }));
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
