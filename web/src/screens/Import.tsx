import { ApiFailure, type Output } from '@strong-together/client';
import { useEffect, useState } from 'preact/hooks';
import { moment, workoutsIn, zone } from '../format.ts';
import { go, useAction, useClient, useLoaded } from '../hooks.ts';
import { Link, Notice, Ready, Screen } from '../parts/basics.tsx';
import { ImportColumns } from '../parts/ImportColumns.tsx';
import { ImportQuestions } from '../parts/ImportQuestions.tsx';

type Preview = Output<'GET', '/api/v1/imports/:id'>;

const POLL_MS = 500;
const SOURCES: Record<string, string> = {
  strong: 'Strong',
  hevy: 'Hevy',
  fitnotes: 'FitNotes',
  stronglifts: 'StrongLifts',
  fitbod: 'Fitbod',
  jefit: 'Jefit',
  liftlog: 'LiftLog',
  columns: 'Another CSV',
  logbook: 'Your own export',
};
const STATES: Record<string, string> = {
  preview: 'not imported yet',
  committing: 'being imported',
  committed: 'imported',
  failed: 'failed',
  undone: 'undone',
};

export function Import({ id }: { id: string | undefined }) {
  return id ? <OneImport id={id} /> : <NewImport />;
}

function NewImport() {
  const client = useClient();
  const [file, setFile] = useState<File>();
  /** Headers of a file of no known program: the person says which is what. */
  const [headers, setHeaders] = useState<string[]>([]);
  const { isBusy, error, run } = useAction();
  const [past, again] = useLoaded(() => client.call('GET', '/api/v1/imports'), []);
  const upload = (columns?: Record<string, string>) =>
    run(async () => {
      if (!file) return undefined;
      const more = columns ? { columns: JSON.stringify(columns) } : {};
      try {
        const { id } = await client.call('POST', '/api/v1/imports', { body: { file, timeZone: zone(), ...more } });
        go(`import/${id}`);
      } catch (failure) {
        if (!(failure instanceof ApiFailure) || failure.code !== 'IMPORT_UNKNOWN_FILE' || columns) throw failure;
        setHeaders(failure.errors?.map(({ message }) => message) ?? []);
        if (!failure.errors?.length) throw failure;
      }
      return undefined;
    });
  return (
    <Screen title="Import">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          upload();
        }}
      >
        <p>
          A file that Strong, Hevy, FitNotes, StrongLifts, Fitbod, Jefit or LiftLog exported, any other CSV with a row
          for each set, or your own <code>logbook.json</code>. You see what it would become before anything is stored.
        </p>
        <div class="field">
          <label for="file">File, at most 10 MB</label>
          <input
            id="file"
            type="file"
            accept=".csv,.tsv,.json,.txt,text/csv,application/json"
            required
            onChange={(event) => {
              setFile(event.currentTarget.files?.[0]);
              setHeaders([]);
            }}
          />
        </div>
        <Notice error={error} />
        <button type="submit" disabled={isBusy || !file}>
          {isBusy ? 'Reading …' : 'Read the file'}
        </button>
      </form>
      {headers.length > 0 && <ImportColumns headers={headers} isBusy={isBusy} onSay={upload} />}
      <Ready loaded={past} again={again}>
        {({ items }) =>
          items.length > 0 && (
            <section class="card">
              <h2>Earlier imports</h2>
              <ul class="list">
                {items.map((item) => (
                  <li key={item.id}>
                    <Link to={`import/${item.id}`}>
                      {SOURCES[item.source] ?? item.source}, {moment(item.createdAt)}
                    </Link>
                    <span class="hint">{STATES[item.state] ?? item.state}</span>
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
      return answer.kept.length > 0 ? 'It is undone, except what you have edited since.' : 'It is undone.';
    });
  const commit = () =>
    run(async () => {
      await client.call('POST', '/api/v1/imports/:id/commit', { params });
      onChange();
      return undefined;
    });
  const { progress } = preview;
  return (
    <>
      <p>
        {SOURCES[preview.source] ?? preview.source}: {workoutsIn(preview.workouts)}, sets: {preview.sets}
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
            Added or replaced: {workoutsIn(progress.added)}. <Link to="">Look at your week</Link>, or at{' '}
            <Link to="exercises">your exercises</Link>.
          </p>
          <div class="row">
            <button type="button" class="danger" disabled={isBusy} onClick={() => undo(false)}>
              {isBusy ? 'Undoing …' : 'Undo this import'}
            </button>
          </div>
        </>
      )}
      {preview.state === 'failed' && (
        <>
          <p role="alert" class="notice error">
            {preview.failure} Added or replaced before: {workoutsIn(progress.added)}.
          </p>
          <div class="row">
            <button type="button" disabled={isBusy} onClick={commit}>
              Try again
            </button>
            <button type="button" class="danger" disabled={isBusy} onClick={() => undo(false)}>
              Take it back
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
        <ImportQuestions preview={preview} isBusy={isBusy} change={change} commit={commit} />
      )}
    </>
  );
}
