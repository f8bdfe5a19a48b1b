import { ApiFailure } from '@strong-together/client';
import { useState } from 'preact/hooks';
import { moment } from '../format.ts';
import { go, inWords, type useKept, useShared } from '../hooks.ts';
import { type Document, type Draft, removeDraft, sendDraft } from './drafts.ts';
import { countSets, type LeftOut, leftOut, onlyDone, probableEnd, problemWithTimes, tickAll } from './finishing.ts';

interface Finishing {
  isBusy: boolean;
  error: string;
  /** The server has a newer version than the draft was made from. */
  isStale: boolean;
  /** Sets of which the person has to say what becomes of them. */
  asked?: { sets: LeftOut[]; stored: number };
}

const IDLE: Finishing = { isBusy: false, error: '', isStale: false };

/** What happens when a workout is finished, and what may stand in the way. */
export function useFinishing(kept: ReturnType<typeof useKept<Draft>>, onStale: () => void) {
  const { session } = useShared();
  const [state, setState] = useState<Finishing>(IDLE);
  const fail = (error: string, isStale = false) => setState({ ...IDLE, error, isStale });

  const finish = async (how?: 'tick' | 'drop') => {
    setState({ ...IDLE, isBusy: true });
    const { document: workout, changedAt } = await kept.change((now) => now);
    const { startedAt } = workout;
    const probable = workout.endedAt ? undefined : probableEnd(startedAt, changedAt, Date.now());
    if (probable) {
      await kept.change((now) => ({ ...now, document: { ...now.document, endedAt: probable } }));
      return fail(
        `This workout began ${moment(startedAt)} and has no end. Its end is set to ${moment(probable)}: correct it above if that is wrong, then finish again.`,
      );
    }
    const endedAt = workout.endedAt ?? new Date().toISOString();
    const problem = problemWithTimes(startedAt, endedAt);
    if (problem) return fail(problem);
    const chosen = (now: Document) => onlyDone(how === 'tick' ? tickAll(now) : now);
    const [sets, stored] = [leftOut(workout), countSets(chosen(workout))];
    if (how === undefined && sets.length > 0) return setState({ ...IDLE, asked: { sets, stored } });
    if (stored === 0)
      return fail('There is no set to store yet. Add an exercise, enter what you did, and tick the set.');
    const ready = await kept.change((now) => ({
      ...now,
      isReady: true,
      document: { ...chosen(now.document), endedAt: now.document.endedAt ?? endedAt },
    }));
    try {
      const isSent = await sendDraft(session, ready);
      kept.close();
      go(isSent ? `workouts/${ready.id}` : 'workouts', true);
    } catch (failure) {
      fail(inWords(failure), failure instanceof ApiFailure && failure.status === 412);
      await kept.change((now) => ({ ...now, isReady: false }));
    }
  };

  const withNewest = (work: (stored: { version: number }, draft: Draft) => Promise<void>) => async () => {
    try {
      const draft = await kept.change((now) => now);
      await work(await session.client.call('GET', '/api/v1/workouts/:id', { params: { id: draft.id } }), draft);
    } catch (failure) {
      fail(inWords(failure), true);
    }
  };
  return {
    ...state,
    finish,
    goBack: () => setState(IDLE),
    keepMine: withNewest(async ({ version }) => {
      await kept.change((now) => ({ ...now, version }));
      await finish();
    }),
    takeNewest: withNewest(async (_stored, draft) => {
      kept.close();
      await removeDraft(draft.owner, draft.id);
      onStale();
    }),
  };
}
