import type { Output } from '@strong-together/client';
import { useEffect, useState } from 'preact/hooks';
import { minutes, moment } from '../format.ts';
import { inWords, useClient, useLoaded } from '../hooks.ts';
import { Field, Link, Notice, Screen } from '../parts/basics.tsx';
import { type Draft, loadDrafts, removeDraft } from '../session/drafts.ts';

type Item = Output<'GET', '/api/v1/workouts'>['items'][number];

const PAUSE_MS = 250;

export function Workouts() {
  const client = useClient();
  const [q, setQ] = useState('');
  const [items, setItems] = useState<Item[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [isLoading, setLoading] = useState(true);
  const [drafts, again] = useLoaded<Draft[]>(loadDrafts, []);

  const read = async (after: string | null, before: Item[]) => {
    setLoading(true);
    try {
      const query = { limit: 30, ...(q ? { q } : {}), ...(after ? { cursor: after } : {}) };
      const page = await client.call('GET', '/api/v1/workouts', { query });
      setItems([...before, ...page.items]);
      setCursor(page.nextCursor);
      setError('');
    } catch (failure) {
      setError(inWords(failure));
    }
    setLoading(false);
  };
  useEffect(() => {
    const timer = setTimeout(() => void read(null, []), q ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [q]);

  return (
    <Screen
      title="Workouts"
      actions={
        <Link to="workouts/new" class="button">
          New workout
        </Link>
      }
    >
      {drafts.state === 'here' && drafts.value.length > 0 && (
        <section class="card">
          <h2>Not sent yet</h2>
          <ul class="list">
            {drafts.value.map((draft) => (
              <li key={draft.id}>
                <Link to={`workouts/${draft.id}/${draft.version === undefined ? 'new' : 'edit'}`} dir="auto">
                  {draft.document.title || 'Untitled'}
                </Link>
                <span>
                  <span class="hint">{draft.isReady ? 'waits for the line' : 'in progress'}</span>{' '}
                  <button type="button" class="plain" onClick={() => void removeDraft(draft.id).then(again)}>
                    Throw away
                  </button>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Field label="Search titles, notes and exercises" type="search" value={q} onText={setQ} />
      <Notice error={error} />
      <ul class="list card">
        {items.map((item) => (
          <li key={item.id}>
            <Link to={`workouts/${item.id}`} dir="auto">
              {item.title}
            </Link>
            <span class="hint">
              {moment(item.startedAt)}
              {item.endedAt ? `, ${minutes(item.startedAt, item.endedAt)} min` : ', open'},{' '}
              {item.blocks.reduce((sum, { sets }) => sum + sets.length, 0)} sets
            </span>
          </li>
        ))}
      </ul>
      {!isLoading && items.length === 0 && !error && (
        <p class="empty">
          {q ? 'Nothing has these words.' : 'No workouts yet. Import a file, or write down a new one.'}
        </p>
      )}
      <div role="status">{isLoading && 'Loading …'}</div>
      {cursor && !isLoading && (
        <button type="button" onClick={() => void read(cursor, items)}>
          More
        </button>
      )}
    </Screen>
  );
}
