import type { Output } from '@strong-together/client';
import { useId, useRef } from 'preact/hooks';
import { useShared } from '../hooks.ts';
import { newSet } from '../session/beginning.ts';
import type { Block, SetDone } from '../session/drafts.ts';
import { Choice, NumberField } from './basics.tsx';

export type Exercise = Output<'GET', '/api/v1/exercises'>['items'][number];

const KINDS = [
  ['normal', 'Normal'],
  ['warmup', 'Warm-up'],
  ['drop', 'Drop'],
  ['failure', 'Failure'],
] as const;

type Entered = 'weight' | 'reps' | 'seconds' | 'distanceM';

/** What is entered for each measure of an exercise. */
const FIELDS: Record<string, Entered[]> = {
  weight_reps: ['weight', 'reps'],
  bodyweight_reps: ['reps'],
  weighted_bodyweight: ['weight', 'reps'],
  assisted_bodyweight: ['weight', 'reps'],
  duration: ['seconds'],
  weight_duration: ['weight', 'seconds'],
  distance_duration: ['distanceM', 'seconds'],
  weight_distance: ['weight', 'distanceM'],
};
/** What the server takes of each. */
const BOUNDS: Record<Entered, { name: string; most: number; places?: number }> = {
  weight: { name: 'Weight', most: 9999.999, places: 3 },
  reps: { name: 'Reps', most: 10_000 },
  seconds: { name: 'Seconds', most: 1_000_000 },
  distanceM: { name: 'Metres', most: 1_000_000, places: 3 },
};

interface BlockProps {
  block: Block;
  exercise: Exercise | undefined;
  onChange: (part: (block: Block) => Partial<Block>) => void;
  onRemove: () => void;
  onUp: (() => void) | undefined;
  /** A set was ticked. */
  onSetDone: () => void;
}

/** An exercise of a workout that is written, with its sets. */
export function BlockForm({ block, exercise, onChange, onRemove, onUp, onSetDone }: BlockProps) {
  const { me } = useShared();
  const name = exercise?.name ?? 'Exercise';
  const addButton = useRef<HTMLButtonElement>(null);
  return (
    <fieldset class="card" id={`block-${block.id}`}>
      <legend dir="auto">{name}</legend>
      {block.sets.map((set, n) => (
        <SetRow
          key={set.key}
          set={set}
          place={n + 1}
          name={name}
          fields={FIELDS[exercise?.measure ?? 'weight_reps'] ?? ['weight', 'reps']}
          onChange={(part) => {
            onChange(({ sets }) => ({ sets: sets.map((one) => (one.key === set.key ? { ...one, ...part } : one)) }));
            if (part.isDone) onSetDone();
          }}
          onRemove={() => {
            onChange(({ sets }) => ({ sets: sets.filter(({ key }) => key !== set.key) }));
            addButton.current?.focus();
          }}
        />
      ))}
      <div class="row">
        <button
          ref={addButton}
          type="button"
          onClick={() => {
            const added = newSet(me.unit, block.sets.at(-1));
            onChange(({ sets }) => ({ sets: [...sets, added] }));
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

interface SetProps {
  set: SetDone;
  /** From 1. */
  place: number;
  name: string;
  fields: Entered[];
  onChange: (part: Partial<SetDone>) => void;
  onRemove: () => void;
}

function SetRow({ set, place, name, fields, onChange, onRemove }: SetProps) {
  const { me } = useShared();
  const id = useId();
  const unit = set.unit ?? me.unit;
  return (
    <fieldset class={set.isDone ? 'set done' : 'set'} aria-label={`${name}, set ${place}`}>
      <span aria-hidden="true">{place}</span>
      <Choice
        label={`Kind of set ${place}`}
        hideLabel
        value={set.kind}
        options={KINDS}
        onChoose={(kind) => onChange({ kind: kind as SetDone['kind'] })}
      />
      {fields.map((field) => {
        const { name: label, ...bounds } = BOUNDS[field];
        return (
          <NumberField
            key={field}
            label={field === 'weight' ? `${label}, ${unit}` : label}
            {...bounds}
            value={set[field]}
            onNumber={(value) => onChange(field === 'weight' ? { weight: value, unit } : { [field]: value })}
          />
        );
      })}
      <div class="tick">
        <label for={id}>Done</label>
        <input
          id={id}
          type="checkbox"
          checked={set.isDone === true}
          onChange={(event) => onChange({ isDone: event.currentTarget.checked })}
        />
      </div>
      <button type="button" class="plain" aria-label={`Remove set ${place} of ${name}`} onClick={onRemove}>
        ✕
      </button>
    </fieldset>
  );
}
