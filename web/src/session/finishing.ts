// What becomes of a workout when its writer is done with it: what is stored, what is left out, when it ended.
import type { Block, Document, SetDone } from './drafts.ts';

const MINUTE_MS = 60_000;
const LONGEST_MS = 24 * 60 * MINUTE_MS;
/** A workout that began longer ago than this has probably ended before now. */
const LONGEST_OPEN_MS = 4 * 60 * MINUTE_MS;
const USUAL_MS = 60 * MINUTE_MS;

export const hasValue = ({ weight, reps, seconds, distanceM }: SetDone): boolean =>
  [weight, reps, seconds, distanceM].some((value) => value !== null);

const isStored = (set: SetDone): boolean => set.isDone === true && hasValue(set);

/** A set that somebody entered or ticked, and that would not be stored. */
export interface LeftOut {
  exerciseId: number;
  /** Place in its block, from 1. */
  place: number;
  set: SetDone;
}

/** What finishing would drop without a trace if nobody were asked. */
export const leftOut = ({ blocks }: Document): LeftOut[] =>
  blocks.flatMap(({ exerciseId, sets }) =>
    sets.flatMap((set, n) =>
      isStored(set) || !(hasValue(set) || set.isDone) ? [] : { exerciseId, place: n + 1, set },
    ),
  );

/** The workout with the sets that were done. An exercise of which nothing is left stays for its notes only. */
export function onlyDone(workout: Document): Document {
  const blocks = workout.blocks
    .map((block) => ({ ...block, sets: block.sets.filter(isStored) }))
    .filter(({ sets, notes }) => sets.length > 0 || notes !== '');
  return { ...workout, blocks };
}

export const countSets = ({ blocks }: Document): number => blocks.reduce((sum, { sets }) => sum + sets.length, 0);

/** Every set with a value becomes one that was done. */
export function tickAll(workout: Document): Document {
  const ticked = (block: Block): Block => ({
    ...block,
    sets: block.sets.map((set) => ({ ...set, isDone: set.isDone || hasValue(set) })),
  });
  return { ...workout, blocks: workout.blocks.map(ticked) };
}

/** @returns what is wrong with begin and end, for the person; empty where nothing is */
export function problemWithTimes(startedAt: string, endedAt: string): string {
  const lasted = Date.parse(endedAt) - Date.parse(startedAt);
  if (lasted < 0) return 'The end must be after the beginning.';
  return lasted > LONGEST_MS ? 'A workout lasts 24 hours at most: look at its begin and end.' : '';
}

const later = (instant: string, ms: number): string => new Date(Date.parse(instant) + ms).toISOString();

/**
 * The end that a workout without one probably had.
 * @param changedAt when it was last written at
 * @returns undefined: it may well be under way
 */
export function probableEnd(startedAt: string, changedAt: string | null | undefined, now: number): string | undefined {
  const began = Date.parse(startedAt);
  if (now - began <= LONGEST_OPEN_MS) return undefined;
  const changed = changedAt ? Date.parse(changedAt) : Number.NaN;
  const isWithin = changed > began && changed - began <= LONGEST_OPEN_MS;
  return isWithin ? new Date(changed).toISOString() : later(startedAt, USUAL_MS);
}
