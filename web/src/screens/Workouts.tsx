import type { Output } from '@strong-together/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { minutes, moment } from '../format.ts';
import { inWords, useLoaded, useShared } from '../hooks.ts';
import { Field, Link, Notice, Screen } from '../parts/basics.tsx';
import { onStoredElsewhere } from '../session/database.ts';
import { DRAFTS_CHANGED, type Draft, loadDrafts, removeDraft } from '../session/drafts.ts';

type Item = Output<'GET', '/api/v1/workouts'>['items'][number];

const PAUSE_MS = 250;

export function Workouts() {
  const { session } = useShared();
  const { client } = session;
  const [q, setQ] = useState('');
  const [items, setItems] = useState<Item[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [isLoading, setLoading] = useState(true);
  const [drafts, again] = useLoaded<Draft[]>(() => loadDrafts(session.userId()), []);

  const turn = useRef(0);
  const read = async (after: string | null, before: Item[]) => {
    const mine = ++turn.current; // an answer that comes after a newer question is dropped
    setLoading(true);
    try {
      const query = { limit: 30, ...(q ? { q } : {}), ...(after ? { cursor: after } : {}) };
      const page = await client.call('GET', '/api/v1/workouts', { query });
      if (mine !== turn.current) return;
      setItems([...before, ...page.items]);
      setCursor(page.nextCursor);
      setError('');
    } catch (failure) {
      if (mine !== turn.current) return;
      setError(inWords(failure));
    }
    setLoading(false);
  };
  useEffect(() => {
    const timer = setTimeout(() => void read(null, []), q ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [q]);

  useEffect(() => {
    const look = () => {
      again();
      void read(null, []);
    };
    addEventListener(DRAFTS_CHANGED, look);
    const stop = onStoredElsewhere('drafts', again);
    return () => {
      removeEventListener(DRAFTS_CHANGED, look);
      stop();
    };
  });

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
                  <button
                    type="button"
                    class="plain"
                    onClick={() => {
                      if (confirm('Throw this workout away?')) void removeDraft(draft.owner, draft.id);
                    }}
                  >
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
