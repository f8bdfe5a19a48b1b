import { MOST_NOTES_BYTES, MOST_SETS_IN_ALL, MOST_WORKOUTS } from './bounds.ts';
import type { LogSize } from './logSize.queries.ts';

interface Bound {
  code: string;
  /** For a person, without a full stop. */
  message: string;
}

/** The bound that a log goes beyond, if it does. */
export function boundPassed({ workouts, sets, note_bytes }: LogSize): Bound | undefined {
  if (workouts > MOST_WORKOUTS) {
    return { code: 'WORKOUT_LIMIT_REACHED', message: `At most ${MOST_WORKOUTS} workouts can be stored` };
  }
  if (sets > MOST_SETS_IN_ALL) {
    return { code: 'SET_LIMIT_REACHED', message: `At most ${MOST_SETS_IN_ALL} sets can be stored` };
  }
  if (note_bytes > MOST_NOTES_BYTES) {
    return { code: 'NOTES_LIMIT_REACHED', message: `At most ${MOST_NOTES_BYTES / 1e6} MB of notes can be stored` };
  }
  return undefined;
}
