import { ApiFailure } from '@strong-together/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, useKept, useLoaded, useShared } from '../hooks.ts';
import { BlockForm, type Exercise } from '../parts/BlockForm.tsx';
import { Field, Notice, Ready, Screen, toNextField } from '../parts/basics.tsx';
import { ExercisePicker } from '../parts/ExercisePicker.tsx';
import { LeftOutDialog } from '../parts/LeftOutDialog.tsx';
import { RestTimer } from '../parts/RestTimer.tsx';
import { TimeField } from '../parts/TimeField.tsx';
import { newSet, openDraft } from '../session/beginning.ts';
import { load, save } from '../session/database.ts';
import {
  type Block,
  type Document,
  type Draft,
  keyOfDraft,
  newId,
  removeDraft,
  type SetDone,
} from '../session/drafts.ts';
import { probableEnd } from '../session/finishing.ts';
import type { Session } from '../session/session.ts';
import { useFinishing } from '../session/useFinishing.ts';

/** A new workout that gets this id, or a stored one that has it; what is written is kept in this browser at every change. */
export function Editor({ id, isNew }: { id: string; isNew: boolean }) {
  const { session } = useShared();
  const [loaded, again] = useLoaded(async () => {
    const [draft, exercises] = await Promise.all([openDraft(session, id, isNew), readExercises(session)]);
    return { draft, exercises };
  }, [id]);
  return (
    <Screen title={isNew ? 'New workout' : 'Edit workout'}>
      <Ready loaded={loaded} again={again}>
        {({ draft, exercises }) => <Form key={draft.version} draft={draft} exercises={exercises} onStale={again} />}
      </Ready>
    </Screen>
  );
}

/** The catalogue; without a line that of the last time, so that a workout can be written down. */
async function readExercises({ client }: Session): Promise<Exercise[]> {
  try {
    const { items } = await client.call('GET', '/api/v1/exercises');
    void save('choices', 'catalogue', items);
    return items;
  } catch (error) {
    const kept = await load<Exercise[]>('choices', 'catalogue');
    if (error instanceof ApiFailure || !kept) throw error;
    return kept;
  }
}

type Change = (part: (now: Document) => Partial<Document>) => void;

interface FormProps {
  draft: Draft;
  exercises: Exercise[];
  /** The draft was dropped for what the server has. */
  onStale: () => void;
}

function Form({ draft: begun, exercises, onStale }: FormProps) {
  const kept = useKept('drafts', keyOfDraft(begun.owner, begun.id), begun);
  const draft = kept.value ?? begun;
  const isNew = draft.version === undefined;
  const form = useRef<HTMLFormElement>(null);
  const finishing = useFinishing(kept, onStale);
  const isOpen = isNew || begun.document.endedAt === null;
  const isGone = kept.value === undefined;
  useEffect(() => {
    if (isGone) go(isNew ? 'workouts' : `workouts/${begun.id}`, true); // another tab has sent it or thrown it away
  }, [isGone]);
  const change: Change = (part) =>
    void kept.change((now) => ({
      ...now,
      isReady: false,
      changedAt: new Date().toISOString(),
      document: { ...now.document, ...part(now.document) },
    }));
  const finish = (how?: 'tick' | 'drop') => {
    if (form.current?.reportValidity()) void finishing.finish(how);
  };
  return (
    <form ref={form} onKeyDown={toNextField} onSubmit={(event) => event.preventDefault()}>
      <fieldset class="plain" disabled={finishing.isBusy} aria-label="Workout">
        <Head workout={draft.document} isOpen={isOpen} change={change} />
        <Blocks workout={draft.document} isNew={isNew} exercises={exercises} change={change} />
        <Notice error={finishing.error} />
        {finishing.isStale && (
          <div class="row">
            <button type="button" onClick={finishing.takeNewest}>
              Take the newest
            </button>
            <button type="button" onClick={finishing.keepMine}>
              Keep mine
            </button>
          </div>
        )}
        <div class="row">
          <button type="button" onClick={() => finish()}>
            {isNew ? 'Finish workout' : 'Save'}
          </button>
          <button
            type="button"
            class="plain"
            onClick={() => {
              if (!confirm('Throw away what you changed?')) return;
              kept.close();
              void removeDraft(draft.owner, draft.id).then(() => go(isNew ? 'workouts' : `workouts/${draft.id}`, true));
            }}
          >
            Throw away
          </button>
        </div>
        <p class="hint">Every change is kept in this browser. Sets are stored when they are ticked as done.</p>
      </fieldset>
      {finishing.asked && (
        <LeftOutDialog
          {...finishing.asked}
          nameOf={(exerciseId) => exercises.find(({ id }) => id === exerciseId)?.name ?? 'Exercise'}
          onTick={() => finish('tick')}
          onDrop={() => finish('drop')}
          onBack={finishing.goBack}
        />
      )}
    </form>
  );
}

/** Title, begin, end and notes. */
function Head({ workout, isOpen, change }: { workout: Document; isOpen: boolean; change: Change }) {
  /** The end that was entered for the person, who may still change the begin. */
  const proposed = useRef<string | null>(null);
  const propose = () => {
    if (!isOpen || workout.endedAt !== proposed.current) return;
    proposed.current = probableEnd(workout.startedAt, null, Date.now()) ?? null;
    if (proposed.current !== workout.endedAt) change(() => ({ endedAt: proposed.current }));
  };
  return (
    <div class="card">
      <Field
        label="Title"
        required
        maxLength={100}
        dir="auto"
        problem={workout.title.trim() === '' && workout.title !== '' ? 'Enter a title.' : ''}
        value={workout.title}
        onText={(title) => change(() => ({ title }))}
      />
      <div class="row top">
        <TimeField
          label="Begin"
          required
          instant={workout.startedAt}
          onChange={(startedAt) => startedAt && change(() => ({ startedAt }))}
          onBlur={propose}
        />
        <TimeField
          label="End"
          required={!isOpen}
          instant={workout.endedAt}
          onChange={(endedAt) => change(() => ({ endedAt }))}
          hint={isOpen && workout.endedAt === null ? 'Left empty: the time at which you finish.' : undefined}
        />
      </div>
      <Field
        label="Notes"
        maxLength={2000}
        dir="auto"
        value={workout.notes}
        onText={(notes) => change(() => ({ notes }))}
      />
    </div>
  );
}

interface BlocksProps {
  workout: Document;
  isNew: boolean;
  exercises: Exercise[];
  change: Change;
}

/** The exercises, with what adds another one, and the timer. */
function Blocks({ workout, isNew, exercises, change }: BlocksProps) {
  const { session, me } = useShared();
  const [restFrom, setRestFrom] = useState<number>();
  const focus = useRef('');
  useEffect(() => {
    const field = focus.current && document.querySelector<HTMLElement>(focus.current);
    if (!field) return;
    focus.current = '';
    field.focus();
  }, [workout]);
  const changeBlock = (id: string, part: (block: Block) => Partial<Block>) =>
    change(({ blocks }) => ({
      blocks: blocks.map((block) => (block.id === id ? { ...block, ...part(block) } : block)),
    }));
  const add = async ({ id: exerciseId }: Exercise) => {
    const { last } = await session.client
      .call('GET', '/api/v1/exercises/:id/last', { params: { id: exerciseId } })
      .catch(() => ({ last: null }));
    const sets = last?.sets.map((set) => newSet(me.unit, set as Partial<SetDone>)) ?? [];
    const block: Block = { id: newId(), exerciseId, superset: null, notes: '', sets };
    if (sets.length === 0) sets.push(newSet(me.unit));
    focus.current = `#block-${block.id} input`;
    change(({ blocks }) => ({ blocks: [...blocks, block] }));
  };
  return (
    <>
      {workout.blocks.map((block, place) => (
        <BlockForm
          key={block.id}
          block={block}
          exercise={exercises.find(({ id }) => id === block.exerciseId)}
          onChange={(part) => changeBlock(block.id, part)}
          onRemove={() => change(({ blocks }) => ({ blocks: blocks.filter(({ id }) => id !== block.id) }))}
          onUp={place === 0 ? undefined : () => change(({ blocks }) => ({ blocks: movedUp(blocks, block.id) }))}
          onSetDone={() => setRestFrom(Date.now())}
        />
      ))}
      <ExercisePicker exercises={exercises} onPick={(exercise) => void add(exercise)} />
      {isNew && <RestTimer from={restFrom} />}
    </>
  );
}

function movedUp(blocks: Block[], id: string): Block[] {
  const place = blocks.findIndex((block) => block.id === id);
  const [before, moving] = [blocks[place - 1], blocks[place]];
  return before && moving ? blocks.with(place - 1, moving).with(place, before) : blocks;
}
