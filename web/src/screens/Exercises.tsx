import type { Input, Output } from '@strong-together/client';
import { useState } from 'preact/hooks';
import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Choice, Field, Link, Notice, Ready, Screen } from '../parts/basics.tsx';

type Form = Input<'POST', '/api/v1/exercises'>['body'];
type Exercise = Output<'GET', '/api/v1/exercises'>['items'][number];

const MUSCLES = ['Legs', 'Glutes', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Abs'] as const;
const MEASURES = [
  ['weight_reps', 'Weight and reps'],
  ['bodyweight_reps', 'Reps with the body'],
  ['weighted_bodyweight', 'Body and added weight'],
  ['assisted_bodyweight', 'Body with assistance'],
  ['duration', 'Time'],
  ['weight_duration', 'Weight and time'],
  ['distance_duration', 'Distance and time'],
  ['weight_distance', 'Weight and distance'],
] as const;
const MOST = 60;

export function Exercises() {
  const client = useClient();
  const [loaded, again] = useLoaded(() => client.call('GET', '/api/v1/exercises'), []);
  const [text, setText] = useState('');
  const [muscle, setMuscle] = useState('');
  return (
    <Screen title="Exercises">
      <div class="row">
        <Field label="Search" type="search" value={text} onText={setText} />
        <Choice
          label="Muscle"
          value={muscle}
          options={[['', 'All'], ...MUSCLES.map((name) => [name, name] as const)]}
          onChoose={setMuscle}
        />
      </div>
      <Ready loaded={loaded} again={again}>
        {({ items }) => <Found items={items} text={text} muscle={muscle} />}
      </Ready>
      <NewExercise onMade={again} />
    </Screen>
  );
}

function Found({ items, text, muscle }: { items: Exercise[]; text: string; muscle: string }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter(
    ({ name, muscle: of, isArchived }) =>
      !isArchived && (muscle === '' || of === muscle) && words.every((word) => name.toLowerCase().includes(word)),
  );
  // One's own first.
  const sorted = found.toSorted((a, b) => Number(b.isOwn) - Number(a.isOwn));
  return (
    <>
      <p role="status" class="hint">
        {found.length} exercises{found.length > MOST && `, the first ${MOST} are shown`}
      </p>
      <ul class="list card">
        {sorted.slice(0, MOST).map(({ id, name, muscle: of, isOwn }) => (
          <li key={id}>
            <Link to={`exercises/${id}`} dir="auto">
              {name}
            </Link>
            <span class="hint">
              {of}
              {isOwn && ', your own'}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function NewExercise({ onMade }: { onMade: () => void }) {
  const client = useClient();
  const [form, setForm] = useState<Form>({ name: '', muscle: 'Legs', measure: 'weight_reps' });
  const { isBusy, error, done, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          await client.call('POST', '/api/v1/exercises', { body: form });
          setForm({ ...form, name: '' });
          onMade();
          return `${form.name} is among your exercises now.`;
        });
      }}
    >
      <h2>An exercise of your own</h2>
      <Field
        label="Name"
        required
        maxLength={100}
        dir="auto"
        value={form.name}
        onText={(name) => setForm({ ...form, name })}
      />
      <div class="row">
        <Choice
          label="Main muscle"
          value={form.muscle}
          options={MUSCLES.map((name) => [name, name] as const)}
          onChoose={(muscle) => setForm({ ...form, muscle: muscle as Form['muscle'] })}
        />
        <Choice
          label="Measured by"
          value={form.measure ?? 'weight_reps'}
          options={MEASURES}
          onChoose={(measure) => setForm({ ...form, measure: measure as NonNullable<Form['measure']> })}
        />
      </div>
      <Notice error={error} done={done} />
      <button type="submit" disabled={isBusy}>
        Add exercise
      </button>
    </form>
  );
}
