import type { Output } from '@strong-together/client';
import { workoutsIn } from '../format.ts';
import { Choice } from './basics.tsx';
import { ImportColumns } from './ImportColumns.tsx';
import { ImportExercises } from './ImportExercises.tsx';

type Preview = Output<'GET', '/api/v1/imports/:id'>;

const QUESTIONS: Record<string, string> = {
  unit: 'The file does not say whether weights are kilograms or pounds. Choose the unit.',
  'unit-pounds': 'The weights look as if they were entered in pounds. Choose pounds to have them as you entered them.',
  'unit-kilograms':
    'The weights look as if they were entered in kilograms. Choose kilograms to have them as you entered them.',
  'distance-unit': 'The file does not say what its distances are in. Choose the unit.',
  'date-order': 'The file does not say whether the day or the month comes first. Choose the order.',
  'decimal-comma': 'A comma may be a decimal comma here. Look at some weights before you import.',
};
const REASONS: Record<string, string> = {
  date: 'the date cannot be read',
  number: 'a number cannot be read',
  columns: 'cells are missing',
  quote: 'a quotation mark is opened and not closed',
  'no-exercise': 'there is no exercise',
  unit: 'the unit is not known',
  weight: 'the weight is higher than anybody lifts',
  reps: 'there are too many reps',
  seconds: 'the time is too long',
  distance: 'the distance is too long',
  rpe: 'the RPE is not on the scale from 1 to 10 in halves',
  rest: 'the rest is longer than a day',
  superset: 'the number of the superset cannot be read',
  blocks: 'the workout has more exercises than can be stored',
};

interface QuestionsProps {
  preview: Preview;
  isBusy: boolean;
  change: (body: object) => void;
  commit: () => void;
}

/** What only the person knows about a file, and what becomes of its exercises. */
export function ImportQuestions({ preview, isBusy, change, commit }: QuestionsProps) {
  const { ambiguous, exercises } = preview;
  const undecided = exercises.filter(({ match }) => match === null);
  const { new: added, changed, edited, equal, duplicates } = preview;
  const written =
    added + (duplicates === 'replace' ? changed - edited.length : duplicates === 'import' ? equal + changed : 0);
  const isOpen =
    (ambiguous.includes('unit') && preview.unit === null) ||
    (ambiguous.includes('distance-unit') && preview.distanceUnit === null) ||
    (ambiguous.includes('date-order') && preview.dateOrder === null);
  return (
    <>
      <UnitsAndDates preview={preview} change={change} />
      {preview.columns && (
        <details>
          <summary>Which column is what</summary>
          <ImportColumns
            headers={[...new Set([...Object.values(preview.columns), ...preview.ignoredColumns])]}
            known={preview.columns}
            isBusy={isBusy}
            onSay={(columns) => change({ columns })}
          />
        </details>
      )}
      <KnownWorkouts preview={preview} change={change} />
      {preview.ignoredColumns.length > 0 && (
        <p class="notice">Nothing is taken from these columns: {preview.ignoredColumns.join(', ')}.</p>
      )}
      {preview.skipped.lines > 0 && (
        <details>
          <summary>{preview.skipped.lines} lines are left out</summary>
          <ul>
            {preview.skipped.first.map(({ line, reason }) => (
              <li key={line}>
                Line {line}: {REASONS[reason] ?? reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      <ImportExercises preview={preview} change={change} />
      <div class="row">
        {undecided.length > 0 && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => change({ mapping: Object.fromEntries(undecided.map(({ name }) => [name, 'create'])) })}
          >
            Make the undecided my own exercises
          </button>
        )}
        <button type="button" disabled={isBusy || undecided.length > 0 || isOpen} onClick={commit}>
          Import {workoutsIn(written)}
        </button>
      </div>
    </>
  );
}

type PartProps = Pick<QuestionsProps, 'preview' | 'change'>;

function UnitsAndDates({ preview, change }: PartProps) {
  const { ambiguous } = preview;
  return (
    <>
      {ambiguous.map((question) => (
        <p key={question} class="notice">
          {QUESTIONS[question] ?? question}
        </p>
      ))}
      {(preview.unit !== null || ambiguous.some((question) => question.startsWith('unit'))) && (
        <Choice
          label="Unit of weights"
          value={preview.unit ?? ''}
          options={[
            ['', 'Choose …'],
            ['kg', 'Kilograms'],
            ['lb', 'Pounds'],
          ]}
          onChoose={(unit) => unit && change({ unit })}
        />
      )}
      {(preview.distanceUnit !== null || ambiguous.includes('distance-unit')) && (
        <Choice
          label="Unit of distances"
          value={preview.distanceUnit ?? ''}
          options={[
            ['', 'Choose …'],
            ['km', 'Kilometres'],
            ['mi', 'Miles'],
            ['m', 'Metres'],
          ]}
          onChoose={(distanceUnit) => distanceUnit && change({ distanceUnit })}
        />
      )}
      {(preview.dateOrder !== null || ambiguous.includes('date-order')) && (
        <Choice
          label="Order of dates"
          value={preview.dateOrder ?? ''}
          options={[
            ['', 'Choose …'],
            ['dmy', 'Day first: 3/4 is in April'],
            ['mdy', 'Month first: 3/4 is in March'],
          ]}
          onChoose={(dateOrder) => dateOrder && change({ dateOrder })}
        />
      )}
    </>
  );
}

function KnownWorkouts({ preview, change }: PartProps) {
  const { new: added, equal, changed, edited } = preview;
  if (equal + changed === 0) return null;
  return (
    <>
      <p>
        New: {workoutsIn(added)}. In your log already: {workoutsIn(equal)}. There with other content:{' '}
        {workoutsIn(changed)}.
        {edited.length > 0 && ` You have edited ${edited.length} of these here; they stay as they are.`}
      </p>
      <Choice
        label="Workouts that are in your log already"
        value={preview.duplicates}
        options={[
          ['skip', 'Leave them as they are'],
          ['replace', 'Take the content of the file (this cannot be undone)'],
          ['import', 'Add those that begin at the same time once more'],
        ]}
        onChoose={(duplicates) => change({ duplicates })}
      />
    </>
  );
}
