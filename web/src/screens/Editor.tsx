import { ApiFailure, type Output } from '@strong-together/client';
import { useState } from 'preact/hooks';
import { localTime, zone } from '../format.ts';
import { go, inWords, useClient, useLoaded, useShared } from '../hooks.ts';
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
  const client = useClient();
  const [loaded, again] = useLoaded(async () => {
    const [draft, exercises] = await Promise.all([beginDraft(client, id, isNew), readExercises(client)]);
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
async function readExercises(client: ReturnType<typeof useClient>): Promise<Exercise[]> {
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

async function beginDraft(client: ReturnType<typeof useClient>, id: string, isNew: boolean): Promise<Draft> {
  const kept = await loadDraft(id);
  if (kept) return kept;
  if (isNew) {
    const document: Document = {
      title: 'Workout',
      notes: '',
      startedAt: new Date().toISOString(),
      endedAt: null,
      timeZone: zone(),
      splitId: null,
      blocks: [],
    };
    return { id, document, isReady: false };
  }
  const { version, title, notes, startedAt, endedAt, timeZone, splitId, blocks } = await client.call(
    'GET',
    '/api/v1/workouts/:id',
    { params: { id } },
  );
  return { id, version, document: { title, notes, startedAt, endedAt, timeZone, splitId, blocks }, isReady: false };
}

function Form({ draft: begun, exercises }: { draft: Draft; exercises: Exercise[] }) {
  const { session, me } = useShared();
  const [draft, setDraft] = useState(begun);
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [restFrom, setRestFrom] = useState<number>();
  const { document: workout } = draft;
  const isNew = draft.version === undefined;

  const change = (part: Partial<Document>) => {
    const next = { ...draft, isReady: false, document: { ...workout, ...part } };
    setDraft(next);
    void saveDraft(next);
  };
  const changeBlock = (id: string, part: Partial<Block>) =>
    change({ blocks: workout.blocks.map((block) => (block.id === id ? { ...block, ...part } : block)) });

  const add = async (exercise: Exercise) => {
    const last = await session.client
      .call('GET', '/api/v1/exercises/:id/last', { params: { id: exercise.id } })
      .catch(() => ({ last: null }));
    const sets = last.last?.sets.map((set) => emptySet(me.unit, set as Partial<SetDone>)) ?? [emptySet(me.unit)];
    change({ blocks: [...workout.blocks, { id: newId(), exerciseId: exercise.id, superset: null, notes: '', sets }] });
  };

  const finish = async () => {
    setBusy(true);
    setError('');
    const endedAt = workout.endedAt ?? new Date().toISOString();
    const ready = { ...draft, isReady: true, document: { ...workout, endedAt } };
    await saveDraft(ready);
    setDraft(ready);
    try {
      const isSent = await sendDraft(session.client, ready);
      go(isSent ? `workouts/${draft.id}` : 'workouts', true);
    } catch (failure) {
      setError(inWords(failure));
      await saveDraft({ ...ready, isReady: false });
    }
    setBusy(false);
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void finish();
      }}
    >
      <div class="card">
        <Field
          label="Title"
          required
          maxLength={100}
          dir="auto"
          value={workout.title}
          onText={(title) => change({ title })}
        />
        <div class="row">
          <Field
            label="Begin"
            type="datetime-local"
            required
            value={localTime(workout.startedAt)}
            onText={(text) => text && change({ startedAt: new Date(text).toISOString() })}
          />
          {workout.endedAt && (
            <Field
              label="End"
              type="datetime-local"
              required
              value={localTime(workout.endedAt)}
              onText={(text) => text && change({ endedAt: new Date(text).toISOString() })}
            />
          )}
        </div>
        <Field label="Notes" maxLength={2000} dir="auto" value={workout.notes} onText={(notes) => change({ notes })} />
      </div>
      {workout.blocks.map((block, place) => (
        <BlockForm
          key={block.id}
          block={block}
          exercise={exercises.find(({ id }) => id === block.exerciseId)}
          onChange={(part) => changeBlock(block.id, part)}
          onRemove={() => change({ blocks: workout.blocks.filter(({ id }) => id !== block.id) })}
          onUp={place === 0 ? undefined : () => change({ blocks: moved(workout.blocks, place) })}
          onSetDone={() => setRestFrom(Date.now())}
        />
      ))}
      <ExercisePicker exercises={exercises} onPick={(exercise) => void add(exercise)} />
      {isNew && <RestTimer from={restFrom} />}
      <Notice error={error} />
      <div class="row">
        <button type="submit" disabled={isBusy}>
          {isNew ? 'Finish workout' : 'Save'}
        </button>
        <button
          type="button"
          class="plain"
          onClick={() => {
            if (!confirm('Throw away what you changed?')) return;
            void removeDraft(draft.id).then(() => go(isNew ? 'workouts' : `workouts/${draft.id}`, true));
          }}
        >
          Throw away
        </button>
      </div>
      <p class="hint">Every change is kept in this browser.</p>
    </form>
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
  onChange: (part: Partial<Block>) => void;
  onRemove: () => void;
  onUp: (() => void) | undefined;
  onSetDone: () => void;
}

function BlockForm({ block, exercise, onChange, onRemove, onUp, onSetDone }: BlockProps) {
  const { me } = useShared();
  const name = exercise?.name ?? 'Exercise';
  const fields = FIELDS[exercise?.measure ?? 'weight_reps'] ?? ['weight', 'reps'];
  const changeSet = (place: number, part: Partial<SetDone>) =>
    onChange({ sets: block.sets.map((set, n) => (n === place ? { ...set, ...part } : set)) });
  return (
    <fieldset class="card">
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
                  field === 'weight'
                    ? { weight: value, unit: value === null ? null : (set.unit ?? me.unit) }
                    : { [field]: value },
                );
              }}
            />
          ))}
          <button
            type="button"
            class="plain"
            aria-label={`Remove set ${place + 1} of ${name}`}
            onClick={() => onChange({ sets: block.sets.filter((_, n) => n !== place) })}
          >
            ✕
          </button>
        </fieldset>
      ))}
      <div class="row">
        <button
          type="button"
          onClick={() => {
            onChange({ sets: [...block.sets, emptySet(me.unit, block.sets.at(-1) ?? {})] });
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
