import { useState } from 'preact/hooks';
import { Choice } from './basics.tsx';

/** What a column can be, in the words of a person. Date and exercise must be named. */
const FIELDS = [
  ['date', 'Date'],
  ['time', 'Time'],
  ['title', 'Name of the workout'],
  ['exercise', 'Exercise'],
  ['weight', 'Weight'],
  ['unit', 'Unit of the weight'],
  ['reps', 'Reps'],
  ['seconds', 'Time of a set'],
  ['distance', 'Distance'],
  ['distanceUnit', 'Unit of the distance'],
  ['notes', 'Notes'],
  ['kind', 'Kind of set, such as warm-up'],
  ['rpe', 'RPE'],
] as const;

/** Asks which column of a file is what. */
export function ImportColumns({
  headers,
  known = {},
  isBusy,
  onSay,
}: {
  headers: string[];
  /** What was said before. */
  known?: Record<string, string>;
  isBusy: boolean;
  onSay: (columns: Record<string, string>) => void;
}) {
  const [columns, setColumns] = useState<Record<string, string>>(known);
  const options = [['', 'None'] as const, ...headers.map((header) => [header, header] as const)];
  const isEnough = columns.date && columns.exercise;
  return (
    <section class="card">
      <h2>Which column is what?</h2>
      <p class="hint">Each row of the file is a set. What you say is remembered for files with the same columns.</p>
      {FIELDS.map(([field, label]) => (
        <Choice
          key={field}
          label={label}
          value={columns[field] ?? ''}
          options={options}
          onChoose={(header) => setColumns({ ...columns, [field]: header })}
        />
      ))}
      <button
        type="button"
        disabled={isBusy || !isEnough}
        onClick={() => onSay(Object.fromEntries(Object.entries(columns).filter(([, header]) => header !== '')))}
      >
        {isBusy ? 'Reading …' : 'Read the file'}
      </button>
    </section>
  );
}
