import { useId, useState } from 'preact/hooks';

interface Named {
  id: number;
  name: string;
  muscle: string;
  isArchived: boolean;
}

const MOST = 8;

/** Finds an exercise by a part of its name. */
export function ExercisePicker<T extends Named>({
  exercises,
  onPick,
  label = 'Add an exercise',
}: {
  exercises: T[];
  onPick: (exercise: T) => void;
  label?: string;
}) {
  const id = useId();
  const [text, setText] = useState('');
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found =
    words.length === 0
      ? []
      : exercises
          .filter(({ name, isArchived }) => !isArchived && words.every((word) => name.toLowerCase().includes(word)))
          .slice(0, MOST);
  const pick = (exercise: T) => {
    setText('');
    onPick(exercise);
  };
  return (
    <div class="card picker">
      <div class="field">
        <label for={id}>{label}</label>
        <input
          id={id}
          type="search"
          autocomplete="off"
          value={text}
          aria-describedby={`${id}-found`}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            if (found[0]) pick(found[0]);
          }}
        />
      </div>
      <p id={`${id}-found`} class="unseen" role="status">
        {words.length > 0 && `${found.length} exercises found`}
      </p>
      {found.length > 0 && (
        <ul class="list">
          {found.map((exercise) => (
            <li key={exercise.id}>
              <button type="button" class="plain" dir="auto" onClick={() => pick(exercise)}>
                {exercise.name}
              </button>
              <span class="hint">{exercise.muscle}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
