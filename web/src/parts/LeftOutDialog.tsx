import { useEffect, useRef } from 'preact/hooks';
import { setText } from '../format.ts';
import { hasValue, type LeftOut } from '../session/finishing.ts';

interface Props {
  sets: LeftOut[];
  /** How many sets are ticked and will be stored. */
  stored: number;
  nameOf: (exerciseId: number) => string;
  onTick: () => void;
  onDrop: () => void;
  onBack: () => void;
}

/** Names the sets that would not be stored, and asks what becomes of them. */
export function LeftOutDialog({ sets, stored, nameOf, onTick, onDrop, onBack }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const canTick = sets.some(({ set }) => hasValue(set));
  return (
    <dialog ref={dialog} class="card" aria-labelledby="left-out" onClose={onBack}>
      <h2 id="left-out">{sets.length === 1 ? 'One set is' : `${sets.length} sets are`} not done</h2>
      <p>Only sets that are ticked as done, with a value, are stored.</p>
      <ul>
        {sets.map(({ exerciseId, place, set }) => (
          <li key={set.key} dir="auto">
            {nameOf(exerciseId)}, set {place}: {hasValue(set) ? setText(set) : 'ticked, but nothing is entered'}
          </li>
        ))}
      </ul>
      <div class="row">
        {canTick && (
          <button type="button" onClick={onTick}>
            Tick them and finish
          </button>
        )}
        {stored > 0 && (
          <button type="button" onClick={onDrop}>
            Finish without them
          </button>
        )}
        <button type="button" class="plain" onClick={onBack}>
          Back to the workout
        </button>
      </div>
    </dialog>
  );
}
