// The drafts of workouts: of a new one, of one that is done again, of a stored one that is changed.
import { ApiFailure } from '@strong-together/client';
import { inUnit, type Unit, zone } from '../format.ts';
import { update } from './database.ts';
import {
  type Block,
  type Document,
  type Draft,
  documentOf,
  keyOfDraft,
  loadDraft,
  newId,
  removeUntouched,
  type SetDone,
  type Stored,
  saveDraft,
} from './drafts.ts';
import type { Session } from './session.ts';

/** A weight that was entered in another unit becomes what a plate or a scale shows. */
const PLACES = 10;
const converted = (weight: number, from: Unit, to: Unit): number =>
  from === to ? weight : Math.round(inUnit(weight, from, to) * PLACES) / PLACES;

/** A set that is not done yet. @param like values that it begins with, such as those of last time */
export function newSet(unit: Unit, like: Partial<SetDone> = {}): SetDone {
  const weight = like.weight ?? null;
  return {
    key: newId(),
    isDone: false,
    kind: like.kind ?? 'normal',
    side: like.side ?? null,
    weight: weight === null ? null : converted(weight, like.unit ?? unit, unit),
    unit: weight === null ? null : unit,
    reps: like.reps ?? null,
    seconds: like.seconds ?? null,
    distanceM: like.distanceM ?? null,
    rpe: null,
    restSec: null,
    doneAt: null,
  };
}

const newDraft = (owner: string, id: string, like: Partial<Document> = {}): Draft => ({
  id,
  owner,
  document: {
    title: like.title ?? 'Workout',
    notes: like.notes ?? '',
    startedAt: new Date().toISOString(),
    endedAt: null,
    timeZone: zone(),
    splitId: like.splitId ?? null,
    blocks: like.blocks ?? [],
  },
  changedAt: null,
  isReady: false,
});

/** Begins a new workout in this browser; the server has not heard of it. @returns its id */
export async function beginWorkout(session: Session): Promise<string> {
  const draft = newDraft(session.userId(), newId());
  await removeUntouched(draft.owner);
  await saveDraft(draft);
  return draft.id;
}

/** Begins a workout with the exercises and values of another one, of which nothing is done yet. @returns its id */
export async function beginAgain(session: Session, { title, splitId, blocks }: Stored, unit: Unit): Promise<string> {
  const copies = blocks.map(
    (block): Block => ({ ...block, id: newId(), sets: block.sets.map((set) => newSet(unit, set)) }),
  );
  const draft = newDraft(session.userId(), newId(), { title, splitId, blocks: copies });
  await saveDraft({ ...draft, changedAt: new Date().toISOString() });
  return draft.id;
}

/** What is stored of a workout as a draft: the sets of a finished one were done. */
function draftOf(owner: string, stored: Stored): Draft {
  const isFinished = stored.endedAt !== null;
  const document: Document = documentOf(stored);
  const blocks = document.blocks.map((block) => ({
    ...block,
    sets: block.sets.map((set) => ({ ...set, isDone: isFinished || set.doneAt !== null })),
  }));
  return withKeys({
    id: stored.id,
    owner,
    version: stored.version,
    document: { ...document, blocks },
    isReady: false,
  });
}

/** Each set has a key, by which its changes find it; one without a weight takes the unit of the person. */
function withKeys(draft: Draft): Draft {
  const keyed = (set: SetDone): SetDone => ({
    ...set,
    key: set.key ?? newId(),
    unit: set.weight === null ? null : set.unit,
  });
  const blocks = draft.document.blocks.map((block) => ({ ...block, sets: block.sets.map(keyed) }));
  return { ...draft, document: { ...draft.document, blocks } };
}

/**
 * The draft that an address of the editor shows: the one that is kept here, or of what the server has.
 * @param isNew it may be at no place at all: then it begins
 */
export async function openDraft({ client, userId }: Session, id: string, isNew: boolean): Promise<Draft> {
  const owner = userId();
  const kept = await loadDraft(owner, id);
  if (kept) return update<Draft>('drafts', keyOfDraft(owner, id), (now) => withKeys(now ?? kept));
  try {
    return draftOf(owner, await client.call('GET', '/api/v1/workouts/:id', { params: { id } }));
  } catch (error) {
    const isNowhere = !(error instanceof ApiFailure) || error.status === 404;
    if (!isNew || !isNowhere) throw error;
  }
  return newDraft(owner, id);
}
