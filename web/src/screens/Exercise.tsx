import type { Output } from '@strong-together/client';
import { useMemo, useState } from 'preact/hooks';
import { day, fromKg, moment, number, setText } from '../format.ts';
import { go, useAction, useClient, useLoaded, useShared } from '../hooks.ts';
import { Link, Notice, Ready, Screen } from '../parts/basics.tsx';
import { LineChart } from '../parts/LineChart.tsx';

type Done = Output<'GET', '/api/v1/exercises/:id/history'>['items'][number];
type Best = Output<'GET', '/api/v1/records'>['items'][number];

const PAGE = 200;
const SHOWN = 15;

export function Exercise({ id }: { id: number }) {
  const client = useClient();
  const [loaded, again] = useLoaded(
    () =>
      Promise.all([
        client.call('GET', '/api/v1/exercises'),
        readHistory(client, id),
        client.call('GET', '/api/v1/records'),
      ]),
    [id],
  );
  const exercise = loaded.state === 'here' ? loaded.value[0].items.find((one) => one.id === id) : undefined;
  const { isBusy, error, run } = useAction();
  const [shown, setShown] = useState(SHOWN);
  return (
    <Screen title={exercise?.name ?? 'Exercise'}>
      <Ready loaded={loaded} again={again}>
        {([, items, records]) => (
          <>
            <Curves items={items} />
            <Bests best={records.items.find(({ exerciseId }) => exerciseId === id)} />
            <section class="card">
              <h2>History</h2>
              {items.length === 0 && <p class="empty">Not done yet.</p>}
              <ul class="list">
                {items.slice(0, shown).map((item) => (
                  <li key={item.workoutId}>
                    <Link to={`workouts/${item.workoutId}`}>{moment(item.startedAt)}</Link>
                    <span>{item.sets.map(setText).join(', ')}</span>
                  </li>
                ))}
              </ul>
              {items.length > shown && (
                <button type="button" onClick={() => setShown(shown + 5 * SHOWN)}>
                  More
                </button>
              )}
            </section>
          </>
        )}
      </Ready>
      {exercise?.isOwn && (
        <>
          <Notice error={error} />
          <button
            type="button"
            class="danger"
            disabled={isBusy}
            onClick={() => {
              if (!confirm('Remove this exercise? Where history needs it, it stays there.')) return;
              run(async () => {
                await client.call('DELETE', '/api/v1/exercises/:id', { params: { id } });
                go('exercises');
                return undefined;
              });
            }}
          >
            Remove exercise
          </button>
        </>
      )}
    </Screen>
  );
}

/** All of it: a curve that begins in the middle would mark records that are none. */
async function readHistory(client: ReturnType<typeof useClient>, id: number): Promise<Done[]> {
  const items: Done[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor && { cursor }) };
    const page = await client.call('GET', '/api/v1/exercises/:id/history', { params: { id }, query });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** Values where each is greater than all before, else null. */
function recordsIn(values: Array<number | null>): Array<number | null> {
  let best = 0;
  return values.map((value) => {
    if (value === null || value <= best) return null;
    best = value;
    return value;
  });
}

function Curves({ items }: { items: Done[] }) {
  const { me } = useShared();
  const { at, strength, volume } = useMemo(() => {
    const sorted = items.toReversed();
    const curve = (label: string, values: Array<number | null>) => [
      { label, values, kind: 'line' as const },
      { label: 'Record', values: recordsIn(values), kind: 'points' as const },
    ];
    return {
      at: sorted.map(({ startedAt }) => Date.parse(startedAt)),
      strength: curve(
        'Estimated 1RM',
        sorted.map(({ oneRepMax }) => (oneRepMax ? fromKg(oneRepMax.kg, me.unit) : null)),
      ),
      volume: curve(
        'Volume',
        sorted.map(({ volumeKg }) => fromKg(volumeKg, me.unit)),
      ),
    };
  }, [items, me.unit]);
  const [hasMaxima, hasVolume] = [items.some(({ oneRepMax }) => oneRepMax), items.some(({ volumeKg }) => volumeKg > 0)];
  const empty = 'Do this exercise with weight and up to twelve reps, and its curve begins here.';
  return (
    <>
      <LineChart
        title="Estimated one-rep max"
        unit={me.unit}
        at={hasMaxima ? at : []}
        series={strength}
        empty={empty}
      />
      <LineChart title="Volume of each workout" unit={me.unit} at={hasVolume ? at : []} series={volume} empty={empty} />
    </>
  );
}

function Bests({ best }: { best: Best | undefined }) {
  const { me } = useShared();
  if (!best) return null;
  const { heaviest, bestOneRepMax: strongest, mostReps, mostVolumeInWorkout: volume, longest, farthest } = best;
  const rows: Array<[string, string, string]> = [];
  const add = (name: string, found: { firstDay: string } | null, text: () => string) =>
    found && rows.push([name, text(), day(`${found.firstDay}T12:00`)]);
  add('Heaviest', heaviest, () => setText(heaviest as NonNullable<typeof heaviest>));
  add('Estimated 1RM', strongest, () => `${number(fromKg(strongest?.kg ?? 0, me.unit))} ${me.unit}`);
  add('Most reps', mostReps, () => setText(mostReps as NonNullable<typeof mostReps>));
  add('Most volume', volume, () => `${number(fromKg(volume?.value ?? 0, me.unit), 0)} ${me.unit}`);
  add('Longest', longest, () => setText({ weight: null, unit: null, reps: null, seconds: longest?.value ?? 0 }));
  add('Farthest', farthest, () => setText({ weight: null, unit: null, reps: null, distanceM: farthest?.value ?? 0 }));
  if (rows.length === 0) return null;
  return (
    <section class="card">
      <h2>Records</h2>
      <table>
        <tbody>
          {rows.map(([name, value, on]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
              <td class="hint">{on}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
