import type { Output } from '@strong-together/client';
import { useEffect, useState } from 'preact/hooks';
import { moment, zone } from '../format.ts';
import { go, useAction, useClient, useLoaded } from '../hooks.ts';
import { Choice, Link, Notice, Ready, Screen } from '../parts/basics.tsx';
import { ExercisePicker } from '../parts/ExercisePicker.tsx';

type Preview = Output<'GET', '/api/v1/imports/:id'>;

const POLL_MS = 500;
const QUESTIONS: Record<string, string> = {
  unit: 'The file does not say whether weights are kilograms or pounds. Choose the unit.',
  'unit-pounds': 'The weights look as if they were entered in pounds. Choose the unit if that is wrong.',
  'decimal-comma': 'A comma may be a decimal comma here. Look at some weights before you import.',
};
const REASONS: Record<string, string> = {
  date: 'the date cannot be read',
  number: 'a number cannot be read',
  columns: 'the columns do not fit',
  'no-exercise': 'there is no exercise',
};

export function Import({ id }: { id: string | undefined }) {
  return id ? <OneImport id={id} /> : <NewImport />;
}

function NewImport() {
  const client = useClient();
  const [file, setFile] = useState<File>();
  const { isBusy, error, run } = useAction();
  const [past, again] = useLoaded(() => client.call('GET', '/api/v1/imports'), []);
  return (
    <Screen title="Import">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (!file) return;
          run(async () => {
            const { id } = await client.call('POST', '/api/v1/imports', { body: { file, timeZone: zone() } });
            go(`import/${id}`);
            return undefined;
          });
        }}
      >
        <p>
          A file that Strong, Hevy, FitNotes or StrongLifts exported, or your own <code>logbook.json</code>. You see
          what it would become before anything is stored.
        </p>
        <div class="field">
          <label for="file">File, at most 10 MB</label>
          <input
            id="file"
            type="file"
            accept=".csv,.json,.txt,text/csv,application/json"
            required
            onChange={(event) => setFile(event.currentTarget.files?.[0])}
          />
        </div>
        <Notice error={error} />
        <button type="submit" disabled={isBusy || !file}>
          {isBusy ? 'Reading …' : 'Look at it'}
        </button>
      </form>
      <Ready loaded={past} again={again}>
        {({ items }) =>
          items.length > 0 && (
            <section class="card">
              <h2>Earlier imports</h2>
              <ul class="list">
                {items.map((item) => (
                  <li key={item.id}>
                    <Link to={`import/${item.id}`}>
                      {item.source}, {moment(item.createdAt)}
                    </Link>
                    <span class="hint">{item.state}</span>
                  </li>
                ))}
              </ul>
            </section>
          )
        }
      </Ready>
    </Screen>
  );
}

function OneImport({ id }: { id: string }) {
  const client = useClient();
  const [loaded, again] = useLoaded(() => client.call('GET', '/api/v1/imports/:id', { params: { id } }), [id]);
  const isRunning = loaded.state === 'here' && loaded.value.state === 'committing';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(again, POLL_MS);
    return () => clearTimeout(timer);
  }, [isRunning, loaded, again]);
  return (
    <Screen title="Import">
      <Ready loaded={loaded} again={again}>
        {(preview) => <Shown preview={preview} onChange={again} />}
      </Ready>
    </Screen>
  );
}

function Shown({ preview, onChange }: { preview: Preview; onChange: () => void }) {
  const client = useClient();
  const { isBusy, error, done, run } = useAction();
  const [kept, setKept] = useState(0);
  const params = { id: preview.id };
  const change = (body: object) =>
    run(async () => {
      await client.call('PATCH', '/api/v1/imports/:id', { params, body });
      onChange();
      return undefined;
    });
  const undo = (force: boolean) =>
    run(async () => {
      const answer = await client.call('DELETE', '/api/v1/imports/:id', {
        params,
        query: { force: force ? 'true' : 'false' },
      });
      setKept(answer.kept.length);
      onChange();
      return answer.kept.length > 0 ? 'It is undone, but for what you have edited since.' : 'It is undone.';
    });
  const { progress } = preview;
  return (
    <>
      <p>
        {preview.source}: {preview.workouts} workouts with {preview.sets} sets
        {preview.firstDay && `, from ${preview.firstDay} to ${preview.lastDay}`}.
      </p>
      <Notice error={error} done={done} />
      {preview.state === 'committing' && (
        <p role="status">
          <label>
            Importing, {progress.done} of {progress.total} workouts
            <progress value={progress.done} max={progress.total} />
          </label>
        </p>
      )}
      {preview.state === 'committed' && (
        <>
          <p role="status">
            {progress.added} workouts are in your log. <Link to="">Look at your week</Link>, or at{' '}
            <Link to="exercises">your exercises</Link>.
          </p>
          <div class="row">
            <button type="button" class="danger" disabled={isBusy} onClick={() => undo(false)}>
              {isBusy ? 'Undoing …' : 'Undo this import'}
            </button>
          </div>
        </>
      )}
      {preview.state === 'undone' && <p role="status">This import was undone.</p>}
      {kept > 0 && (
        <button type="button" class="danger" disabled={isBusy} onClick={() => undo(true)}>
          Take the {kept} edited workouts back, too
        </button>
      )}
      {preview.state === 'preview' && (
        <Questions
          preview={preview}
          isBusy={isBusy}
          change={change}
          commit={() =>
            run(async () => {
              await client.call('POST', '/api/v1/imports/:id/commit', { params });
              onChange();
              return undefined;
            })
          }
        />
      )}
    </>
  );
}

interface QuestionsProps {
  preview: Preview;
  isBusy: boolean;
  change: (body: object) => void;
  commit: () => void;
}

function Questions({ preview, isBusy, change, commit }: QuestionsProps) {
  const client = useClient();
  const [catalogue] = useLoaded(() => client.call('GET', '/api/v1/exercises'), []);
  const all = catalogue.state === 'here' ? catalogue.value.items : [];
  const names = new Map(all.map(({ id, name }) => [id, name]));
  /** The name for which another exercise is looked for. */
  const [searched, setSearched] = useState('');
  const undecided = preview.exercises.filter(({ match }) => match === null).length;
  const needsUnit = preview.ambiguous.some((question) => question.startsWith('unit'));
  return (
    <>
      {preview.ambiguous.map((question) => (
        <p key={question} class="notice">
          {QUESTIONS[question] ?? question}
        </p>
      ))}
      {needsUnit && (
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
      {preview.probableDuplicates > 0 && (
        <Choice
          label={`${preview.probableDuplicates} workouts are probably in your log already`}
          value={preview.duplicates}
          options={[
            ['skip', 'Leave them out'],
            ['import', 'Import them all the same'],
          ]}
          onChoose={(duplicates) => change({ duplicates })}
        />
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
      <section class="card">
        <h2>Exercises</h2>
        {undecided > 0 && <p class="hint">{undecided} are not decided yet.</p>}
        {preview.exercises.map(({ name, sets, match, candidates }) => {
          const offered = new Map(candidates.map((candidate) => [candidate.id, candidate.name]));
          if (typeof match === 'number') offered.set(match, names.get(match) ?? offered.get(match) ?? 'the same');
          return (
            <Choice
              key={name}
              label={`${name} (${sets} sets)`}
              value={match === null ? '' : String(match)}
              options={[
                ...(match === null ? [['', 'Choose …'] as const] : []),
                ...[...offered].map(([id, text]) => [String(id), text] as const),
                ['other', 'Another exercise …'],
                ['create', 'A new exercise of mine'],
                ['skip', 'Leave it out'],
              ]}
              onChoose={(chosen) => {
                if (chosen === 'other') return setSearched(name);
                if (chosen === '') return;
                const target = chosen === 'create' || chosen === 'skip' ? chosen : Number(chosen);
                change({ mapping: { [name]: target } });
              }}
            />
          );
        })}
      </section>
      {searched !== '' && (
        <ExercisePicker
          label={`What “${searched}” is`}
          exercises={all}
          onPick={({ id }) => {
            setSearched('');
            change({ mapping: { [searched]: id } });
          }}
        />
      )}
      <div class="row">
        {undecided > 0 && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => {
              const open = preview.exercises.filter(({ match }) => match === null);
              change({ mapping: Object.fromEntries(open.map(({ name }) => [name, 'create'])) });
            }}
          >
            Make the undecided my own exercises
          </button>
        )}
        <button
          type="button"
          disabled={isBusy || undecided > 0 || (needsUnit && preview.unit === null)}
          onClick={commit}
        >
          Import {preview.workouts} workouts
        </button>
      </div>
    </>
  );
}
