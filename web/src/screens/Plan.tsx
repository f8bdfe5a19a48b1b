import type { Output } from '@strong-together/client';
import { useEffect } from 'preact/hooks';
import { useAction, useClient, useKept, useLoaded } from '../hooks.ts';
import { Field, Notice, Ready, Screen, toNextField } from '../parts/basics.tsx';
import { ExercisePicker } from '../parts/ExercisePicker.tsx';
import { load, remove } from '../session/database.ts';
import { newId } from '../session/drafts.ts';

type Stored = Output<'GET', '/api/v1/plan'>;
type Exercise = Output<'GET', '/api/v1/exercises'>['items'][number];

interface Split {
  key: string;
  name: string;
  exercises: Array<{ exerciseId: number; name: string; sets: string }>;
}

/** What was written and not saved yet, kept in this browser. */
interface Written {
  /** Version of the plan that it was made from. */
  version: number;
  name: string;
  splits: Split[];
}

export function Plan() {
  const client = useClient();
  const [loaded, again] = useLoaded(
    () =>
      Promise.all([
        client.call('GET', '/api/v1/plan'),
        client.call('GET', '/api/v1/exercises'),
        load<Written>('choices', 'plan'),
      ]),
    [],
  );
  const saving = useAction();
  return (
    <Screen title="Plan">
      <Ready loaded={loaded} again={again}>
        {([plan, { items }, written]) => (
          <Form
            key={`${plan.version} ${written === undefined}`}
            plan={plan}
            written={written}
            exercises={items}
            action={saving}
            onSaved={again}
          />
        )}
      </Ready>
    </Screen>
  );
}

interface FormProps {
  plan: Stored;
  written: Written | undefined;
  exercises: Exercise[];
  action: ReturnType<typeof useAction>;
  onSaved: () => void;
}

function Form({ plan, written, exercises, action, onSaved }: FormProps) {
  const client = useClient();
  const kept = useKept('choices', 'plan', written ?? writtenOf(plan));
  const form = kept.value ?? writtenOf(plan);
  const { name, splits } = form;
  const isGone = kept.value === undefined;
  useEffect(() => {
    if (isGone) onSaved(); // in another tab
  }, [isGone]);
  const setName = (text: string) => void kept.change((now) => ({ ...now, name: text }));
  const setSplits = (part: (now: Split[]) => Split[]) =>
    void kept.change((now) => ({ ...now, splits: part(now.splits) }));
  const { isBusy, error, done, run } = action;
  const change = (key: string, part: (now: Split) => Partial<Split>) =>
    setSplits((now) => now.map((split) => (split.key === key ? { ...split, ...part(split) } : split)));
  const send = async () => {
    const body = {
      name,
      splits: splits.map((split) => ({
        name: split.name,
        exercises: split.exercises.map(({ exerciseId, sets }) => ({
          exerciseId,
          sets: sets
            .split(/[\s,]+/)
            .filter(Boolean)
            .map(Number),
        })),
      })),
    };
    await client.call('PUT', '/api/v1/plan', { body, headers: { 'if-match': `"${form.version}"` } });
    await remove('choices', 'plan');
    onSaved();
    return 'The plan is saved; the phone shows it, too.';
  };
  return (
    <form
      onKeyDown={toNextField}
      onSubmit={(event) => {
        event.preventDefault();
        run(send);
      }}
    >
      <Field label="Name of the plan" required maxLength={100} dir="auto" value={name} onText={setName} />
      {splits.length === 0 && <p class="empty">No split yet. Add one, such as “Push”, and put exercises into it.</p>}
      {splits.map((split) => (
        <fieldset key={split.key} class="card">
          <legend dir="auto">{split.name || 'Split'}</legend>
          <Field
            label="Name of the split"
            required
            maxLength={50}
            dir="auto"
            value={split.name}
            onText={(text) => change(split.key, () => ({ name: text }))}
          />
          {split.exercises.map((one) => (
            <div key={one.exerciseId} class="row">
              <Field
                label={`Reps of each set of ${one.name}`}
                required
                pattern="\s*\d+([\s,]+\d+)*\s*"
                value={one.sets}
                onText={(sets) =>
                  change(split.key, ({ exercises: all }) => ({
                    exercises: all.map((other) => (isSame(other, one) ? { ...other, sets } : other)),
                  }))
                }
              />
              <button
                type="button"
                class="plain"
                onClick={() =>
                  change(split.key, ({ exercises: all }) => ({ exercises: all.filter((other) => !isSame(other, one)) }))
                }
              >
                Remove<span class="unseen"> {one.name}</span>
              </button>
            </div>
          ))}
          <ExercisePicker
            label={`Add an exercise to ${split.name || 'this split'}`}
            exercises={exercises.filter(({ id }) => !split.exercises.some(({ exerciseId }) => exerciseId === id))}
            onPick={(exercise) =>
              change(split.key, ({ exercises: all }) => ({
                exercises: [...all, { exerciseId: exercise.id, name: exercise.name, sets: '8 8 8' }],
              }))
            }
          />
          <button
            type="button"
            class="plain"
            onClick={() => setSplits((now) => now.filter(({ key }) => key !== split.key))}
          >
            Remove split<span class="unseen"> {split.name}</span>
          </button>
        </fieldset>
      ))}
      <Notice error={error} done={done} />
      <div class="row">
        <button
          type="button"
          onClick={() => {
            const added = { key: newId(), name: '', exercises: [] };
            setSplits((now) => [...now, added]);
          }}
        >
          Add split
        </button>
        <button type="submit" disabled={isBusy || splits.length === 0}>
          Save plan
        </button>
        {form.version !== plan.version && (
          <button
            type="button"
            class="plain"
            onClick={() => void kept.change(() => writtenOf(plan)).then(() => remove('choices', 'plan'))}
          >
            Throw away what I wrote, and take the newest
          </button>
        )}
      </div>
    </form>
  );
}

/** An exercise is in a split once. */
const isSame = (a: { exerciseId: number }, b: { exerciseId: number }) => a.exerciseId === b.exerciseId;

const writtenOf = (plan: Stored): Written => ({
  version: plan.version,
  name: plan.name ?? 'My plan',
  splits: plan.splits.map((split) => ({
    key: String(split.id),
    name: split.name,
    exercises: split.exercises.map((one) => ({ exerciseId: one.exerciseId, name: one.name, sets: one.sets.join(' ') })),
  })),
});
