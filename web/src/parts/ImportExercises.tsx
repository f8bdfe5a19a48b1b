import type { Output } from '@strong-together/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useClient, useLoaded } from '../hooks.ts';
import { Choice } from './basics.tsx';
import { ExercisePicker } from './ExercisePicker.tsx';

type Preview = Output<'GET', '/api/v1/imports/:id'>;
type InFile = Preview['exercises'][number];

const MUSCLES = ['Legs', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Glutes', 'Abs', 'Other'];
const MEASURES = [
  ['weight_reps', 'Weight and reps'],
  ['bodyweight_reps', 'Reps with body weight'],
  ['weighted_bodyweight', 'Body weight and more'],
  ['assisted_bodyweight', 'Body weight with help'],
  ['duration', 'Time'],
  ['weight_duration', 'Weight and time'],
  ['distance_duration', 'Distance and time'],
  ['weight_distance', 'Weight and distance'],
] as const;

/** What becomes of each exercise of a file. */
export function ImportExercises({ preview, change }: { preview: Preview; change: (body: object) => void }) {
  const client = useClient();
  const [catalogue] = useLoaded(() => client.call('GET', '/api/v1/exercises'), []);
  const all = catalogue.state === 'here' ? catalogue.value.items : [];
  const names = new Map(all.map(({ id, name }) => [id, name]));
  /** The name for which another exercise is looked for. */
  const [searched, setSearched] = useState('');
  const undecided = preview.exercises.filter(({ match }) => match === null).length;
  return (
    <>
      <section class="card">
        <h2>Exercises</h2>
        {undecided > 0 && <p class="hint">Still to be chosen: {undecided}.</p>}
        {preview.exercises.map((one) => (
          <OneExercise
            key={one.name}
            one={one}
            nameOf={(id) => names.get(id)}
            change={change}
            search={() => setSearched(one.name)}
            picker={
              searched === one.name && (
                <ExercisePicker
                  label={`What “${searched}” is`}
                  exercises={all}
                  onPick={({ id }) => {
                    setSearched('');
                    change({ mapping: { [searched]: id } });
                  }}
                />
              )
            }
          />
        ))}
      </section>
    </>
  );
}

interface OneProps {
  one: InFile;
  nameOf: (id: number) => string | undefined;
  change: (body: object) => void;
  search: () => void;
  /** Where another exercise is looked for. */
  picker: ComponentChildren;
}

function OneExercise({ one, nameOf, change, search, picker }: OneProps) {
  const { name, sets, match, candidates, muscle, measure } = one;
  const offered = new Map(candidates.map((candidate) => [candidate.id, candidate.name]));
  if (typeof match === 'number') offered.set(match, nameOf(match) ?? offered.get(match) ?? 'the same');
  const create = (more: object) => change({ mapping: { [name]: { create: { muscle, measure, ...more } } } });
  return (
    <>
      <Choice
        label={`${name} (${sets === 1 ? '1 set' : `${sets} sets`})`}
        value={match === null ? '' : String(match)}
        options={[
          ...(match === null ? [['', 'Choose …'] as const] : []),
          ...[...offered].map(([id, text]) => [String(id), text] as const),
          ['other', 'Another exercise …'],
          ['create', 'A new exercise of mine'],
          ['skip', 'Leave it out'],
        ]}
        onChoose={(chosen) => {
          if (chosen === 'other') return search();
          if (chosen === '') return;
          const target = chosen === 'create' || chosen === 'skip' ? chosen : Number(chosen);
          change({ mapping: { [name]: target } });
        }}
      />
      {picker}
      {match === 'create' && (
        <div class="row">
          <Choice
            label={`Muscle of ${name}`}
            value={muscle}
            options={MUSCLES.map((one) => [one, one] as const)}
            onChoose={(chosen) => create({ muscle: chosen })}
          />
          <Choice
            label={`What counts for ${name}`}
            value={measure}
            options={MEASURES}
            onChoose={(chosen) => create({ measure: chosen })}
          />
        </div>
      )}
    </>
  );
}
