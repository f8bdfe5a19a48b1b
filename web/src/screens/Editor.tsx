import { ApiFailure, type Output } from '@strong-together/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { localTime, zone } from '../format.ts';
import { go, inWords, useLoaded, useShared } from '../hooks.ts';
import { Choice, Field, Notice, Ready, Screen } from '../parts/basics.tsx';
import { ExercisePicker } from '../parts/ExercisePicker.tsx';
import { RestTimer } from '../parts/RestTimer.tsx';
import { load, save } from '../session/database.ts';
import {
  type Block,
  type Document,
  type Draft,
  loadDraft,
  newId,
  removeDraft,
  type SetDone,
  saveDraft,
  sendDraft,
} from '../session/drafts.ts';
import type { Session } from '../session/session.ts';

type Exercise = Output<'GET', '/api/v1/exercises'>['items'][number];

const KINDS = [
  ['normal', 'Normal'],
  ['warmup', 'Warm-up'],
  ['drop', 'Drop'],
  ['failure', 'Failure'],
] as const;

/** What is entered for each measure of an exercise. */
const FIELDS: Record<string, Array<'weight' | 'reps' | 'seconds' | 'distanceM'>> = {
  weight_reps: ['weight', 'reps'],
  bodyweight_reps: ['reps'],
  weighted_bodyweight: ['weight', 'reps'],
  assisted_bodyweight: ['weight', 'reps'],
  duration: ['seconds'],
  weight_duration: ['weight', 'seconds'],
  distance_duration: ['distanceM', 'seconds'],
  weight_distance: ['weight', 'distanceM'],
};
const NAMES = { weight: 'Weight', reps: 'Reps', seconds: 'Seconds', distanceM: 'Metres' };

/** A new workout that gets this id, or a stored one that has it; what is written is kept in this browser at every change. */
export function Editor({ id, isNew }: { id: string; isNew: boolean }) {
  const { session } = useShared();
  const [loaded, again] = useLoaded(async () => {
    const [draft, exercises] = await Promise.all([beginDraft(session, id, isNew), readExercises(session)]);
    return { draft, exercises };
  }, [id]);
  return (
    <Screen title={isNew ? 'New workout' : 'Edit workout'}>
      <Ready loaded={loaded} again={again}>
        {({ draft, exercises }) => <Form draft={draft} exercises={exercises} />}
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

type Stored = Output<'GET', '/api/v1/workouts/:id'>;

const draftOf = (owner: string, { id, version, ...stored }: Stored): Draft => {
  const { title, notes, startedAt, endedAt, timeZone, splitId, blocks } = stored;
  return {
    id,
    owner,
    version,
    document: { title, notes, startedAt, endedAt, timeZone, splitId, blocks },
    isReady: false,
  };
};

async function beginDraft({ client, userId }: Session, id: string, isNew: boolean): Promise<Draft> {
  const owner = userId();
  const kept = await loadDraft(owner, id);
  if (kept) return kept;
  try {
    return draftOf(owner, await client.call('GET', '/api/v1/workouts/:id', { params: { id } }));
  } catch (error) {
    const isNowhere = !(error instanceof ApiFailure) || error.status === 404;
    if (!isNew || !isNowhere) throw error;
  }
  const document: Document = {
    title: 'Workout',
    notes: '',
    startedAt: new Date().toISOString(),
    endedAt: null,
    timeZone: zone(),
    splitId: null,
    blocks: [],
  };
  return { id, owner, document, isReady: false };
}

function Form({ draft: begun, exercises }: { draft: Draft; exercises: Exercise[] }) {
  const { session, me } = useShared();
  const [draft, setDraft] = useState(begun);
  const [error, setError] = useState('');
  const [isStale, setStale] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [restFrom, setRestFrom] = useState<number>();
  /** The newest draft, also for answers that come later; undefined when it is closed. */
  const latest = useRef<Draft | undefined>(begun);
  useEffect(
    () => () => {
      latest.current = undefined;
    },
    [],
  );
  const { document: workout } = draft;
  const isNew = draft.version === undefined;
  const focus = useRef('');
  useEffect(() => {
    if (focus.current === '') return;
    document.querySelector<HTMLElement>(focus.current)?.focus();
    focus.current = '';
  }, [draft]);

  const keep = (next: Draft) => {
    latest.current = next;
    setDraft(next);
    return saveDraft(next);
  };
  const change = (part: (now: Document) => Partial<Document>) => {
    const now = latest.current;
    if (now) void keep({ ...now, isReady: false, document: { ...now.document, ...part(now.document) } });
  };
  const changeBlock = (id: string, part: (block: Block) => Partial<Block>) =>
    change(({ blocks }) => ({
      blocks: blocks.map((block) => (block.id === id ? { ...block, ...part(block) } : block)),
    }));

  const add = async (exercise: Exercise) => {
    const last = await session.client
      .call('GET', '/api/v1/exercises/:id/last', { params: { id: exercise.id } })
      .catch(() => ({ last: null }));
    const sets = last.last?.sets.map((set) => emptySet(me.unit, set as Partial<SetDone>)) ?? [emptySet(me.unit)];
    const block = { id: newId(), exerciseId: exercise.id, superset: null, notes: '', sets };
    focus.current = `#block-${block.id} input`;
    change(({ blocks }) => ({ blocks: [...blocks, block] }));
  };

  const finish = async (version = draft.version) => {
    setBusy(true);
    setError('');
    setStale(false);
    const endedAt = workout.endedAt ?? new Date().toISOString();
    const ready = { ...draft, version, isReady: true, document: { ...workout, endedAt } };
    await keep(ready);
    try {
      const isSent = await sendDraft(session, ready);
      latest.current = undefined;
      go(isSent ? `workouts/${draft.id}` : 'workouts', true);
    } catch (failure) {
      setError(inWords(failure));
      setStale(failure instanceof ApiFailure && failure.status === 412);
      await keep({ ...ready, isReady: false });
    }
    setBusy(false);
  };
  const newest = () => session.client.call('GET', '/api/v1/workouts/:id', { params: { id: draft.id } });

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void finish();
      }}
    >
      <fieldset class="plain" disabled={isBusy} aria-label="Workout">
        <div class="card">
          <Field
            label="Title"
            required
            maxLength={100}
            dir="auto"
            value={workout.title}
            onText={(title) => change(() => ({ title }))}
          />
          <div class="row">
            <TimeField
              label="Begin"
              instant={workout.startedAt}
              onChange={(startedAt) => change(() => ({ startedAt }))}
            />
            {workout.endedAt && (
              <TimeField label="End" instant={workout.endedAt} onChange={(endedAt) => change(() => ({ endedAt }))} />
            )}
          </div>
          <Field
            label="Notes"
            maxLength={2000}
            dir="auto"
            value={workout.notes}
            onText={(notes) => change(() => ({ notes }))}
          />
        </div>
        {workout.blocks.map((block, place) => (
          <BlockForm
            key={block.id}
            block={block}
            exercise={exercises.find(({ id }) => id === block.exerciseId)}
            onChange={(part) => changeBlock(block.id, part)}
            onRemove={() => change(({ blocks }) => ({ blocks: blocks.filter(({ id }) => id !== block.id) }))}
            onUp={place === 0 ? undefined : () => change(({ blocks }) => ({ blocks: moved(blocks, place) }))}
            onSetDone={() => setRestFrom(Date.now())}
          />
        ))}
        <ExercisePicker exercises={exercises} onPick={(exercise) => void add(exercise)} />
        {isNew && <RestTimer from={restFrom} />}
        <Notice error={error} />
        {isStale && (
          <div class="row">
            <button
              type="button"
              onClick={() =>
                void newest().then(
                  (stored) =>
                    removeDraft(draft.owner, draft.id).then(() => {
                      setStale(false);
                      setError('');
                      latest.current = draftOf(draft.owner, stored);
                      setDraft(latest.current);
                    }),
                  (failure) => setError(inWords(failure)),
                )
              }
            >
              Take the newest
            </button>
            <button
              type="button"
              onClick={() =>
                void newest().then(
                  ({ version }) => finish(version),
                  (failure) => setError(inWords(failure)),
                )
              }
            >
              Keep mine
            </button>
          </div>
        )}
        <div class="row">
          <button type="submit" disabled={isBusy}>
            {isNew ? 'Finish workout' : 'Save'}
          </button>
          <button
            type="button"
            class="plain"
            onClick={() => {
              if (!confirm('Throw away what you changed?')) return;
              latest.current = undefined;
              void removeDraft(draft.owner, draft.id).then(() => go(isNew ? 'workouts' : `workouts/${draft.id}`, true));
            }}
          >
            Throw away
          </button>
        </div>
        <p class="hint">Every change is kept in this browser.</p>
      </fieldset>
    </form>
  );
}

function TimeField({
  label,
  instant,
  onChange,
}: {
  label: string;
  instant: string;
  onChange: (instant: string) => void;
}) {
  const [text, setText] = useState(localTime(instant));
  return (
    <Field
      label={label}
      type="datetime-local"
      required
      value={text}
      onText={(next) => {
        setText(next);
        if (/^[1-9]\d{3}-/.test(next)) onChange(new Date(next).toISOString()); // not while the year is being typed
      }}
    />
  );
}

const emptySet = (unit: 'kg' | 'lb', like: Partial<SetDone> = {}): SetDone => ({
  kind: like.kind ?? 'normal',
  side: null,
  weight: like.weight ?? null,
  unit: like.weight == null ? null : (like.unit ?? unit),
  reps: like.reps ?? null,
  seconds: like.seconds ?? null,
  distanceM: like.distanceM ?? null,
  rpe: null,
  restSec: null,
  doneAt: null,
});

function moved<T>(list: T[], place: number): T[] {
  const next = [...list];
  const [taken] = next.splice(place, 1);
  if (taken !== undefined) next.splice(place - 1, 0, taken);
  return next;
}

interface BlockProps {
  block: Block;
  exercise: Exercise | undefined;
  onChange: (part: (block: Block) => Partial<Block>) => void;
  onRemove: () => void;
  onUp: (() => void) | undefined;
  onSetDone: () => void;
}

function BlockForm({ block, exercise, onChange, onRemove, onUp, onSetDone }: BlockProps) {
  const { me } = useShared();
  const name = exercise?.name ?? 'Exercise';
  const fields = FIELDS[exercise?.measure ?? 'weight_reps'] ?? ['weight', 'reps'];
  const changeSet = (place: number, part: Partial<SetDone>) =>
    onChange(({ sets }) => ({ sets: sets.map((set, n) => (n === place ? { ...set, ...part } : set)) }));
  const addButton = useRef<HTMLButtonElement>(null);
  return (
    <fieldset class="card" id={`block-${block.id}`}>
      <legend dir="auto">{name}</legend>
      {block.sets.map((set, place) => (
        <fieldset key={place} class="set" aria-label={`${name}, set ${place + 1}`}>
          <span aria-hidden="true">{place + 1}</span>
          <Choice
            label={`Kind of set ${place + 1}`}
            hideLabel
            value={set.kind}
            options={KINDS}
            onChoose={(kind) => changeSet(place, { kind: kind as SetDone['kind'] })}
          />
          {fields.map((field) => (
            <Field
              key={field}
              label={field === 'weight' ? `${NAMES.weight}, ${set.unit ?? me.unit}` : NAMES[field]}
              type="number"
              inputMode="decimal"
              min={0}
              step={field === 'weight' ? 'any' : field === 'distanceM' ? 'any' : 1}
              value={set[field] ?? ''}
              onText={(text) => {
                const value = text === '' ? null : Number(text);
                changeSet(
                  place,
                  field === 'weight' ? { weight: value, unit: set.unit ?? me.unit } : { [field]: value },
                );
              }}
            />
          ))}
          <button
            type="button"
            class="plain"
            aria-label={`Remove set ${place + 1} of ${name}`}
            onClick={() => {
              onChange(({ sets }) => ({ sets: sets.filter((_, n) => n !== place) }));
              addButton.current?.focus();
            }}
          >
            ✕
          </button>
        </fieldset>
      ))}
      <div class="row">
        <button
          ref={addButton}
          type="button"
          onClick={() => {
            onChange(({ sets }) => ({ sets: [...sets, emptySet(me.unit, sets.at(-1) ?? {})] }));
            onSetDone();
          }}
        >
          Add set
        </button>
        {onUp && (
          <button type="button" class="plain" onClick={onUp}>
            Move up<span class="unseen"> {name}</span>
          </button>
        )}
        <button type="button" class="plain" onClick={onRemove}>
          Remove<span class="unseen"> {name}</span>
        </button>
      </div>
    </fieldset>
  );
}
