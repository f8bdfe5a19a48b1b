import { useEffect, useMemo } from 'preact/hooks';
import { day, daysAgo, fromKg, inUnit, localDay, number, setText, WEEKDAYS, weekOf, zone } from '../format.ts';
import { type Me, useLoaded, useShared } from '../hooks.ts';
import { Link, Ready, Screen } from '../parts/basics.tsx';
import { LineChart } from '../parts/LineChart.tsx';
import { MuscleWeek } from '../parts/MuscleWeek.tsx';
import { YearCalendar } from '../parts/YearCalendar.tsx';

const YEAR = 364;
const NEWEST = 6;

export function Home() {
  const { session, me, setMe } = useShared();
  const from = weekOf(daysAgo(YEAR), WEEKDAYS.indexOf(me.weekStart));
  const query = { from, to: localDay(new Date()), tz: zone(), weekStart: me.weekStart };
  const [loaded, again] = useLoaded(
    () => session.client.call('GET', '/api/v1/overview', { query }),
    [from, me.weekStart],
  );
  // Another device may have chosen otherwise.
  const chosen = loaded.state === 'here' ? loaded.value.me : undefined;
  useEffect(() => {
    if (!chosen || (chosen.unit === me.unit && chosen.weekStart === me.weekStart)) return;
    setMe({ unit: chosen.unit, weekStart: chosen.weekStart } as Me);
  }, [chosen, me, setMe]);
  return (
    <Screen
      title="This week"
      actions={
        <Link to="workouts/new" class="button">
          New workout
        </Link>
      }
    >
      <Ready loaded={loaded} again={again}>
        {({ summary, calendar, muscles, bodyWeight, records }) => (
          <>
            {summary && summary.all.workouts === 0 && (
              <p class="card">
                Nothing is here yet. <Link to="import">Import your history</Link> from another program, or{' '}
                <Link to="workouts/new">write down a workout</Link>.
              </p>
            )}
            {summary && <Tiles week={summary.week} average={summary.average} />}
            {calendar && <YearCalendar days={calendar.days} from={from} unit={me.unit} />}
            {muscles && <MuscleWeek hardSets={muscles.weeks.at(-1)?.hardSets ?? {}} />}
            {bodyWeight && <BodyWeight items={bodyWeight.items} />}
            {records && <NewestRecords items={records.items} />}
          </>
        )}
      </Ready>
    </Screen>
  );
}

interface Tile {
  workouts: number;
  sets: number;
  minutes: number;
  volumeKg: number;
}

function Tiles({ week, average }: { week: Tile; average: Tile }) {
  const { me } = useShared();
  const tiles: Array<[string, number, number]> = [
    ['Workouts', week.workouts, average.workouts],
    ['Sets', week.sets, average.sets],
    ['Minutes', week.minutes, average.minutes],
    [`Volume, ${me.unit}`, fromKg(week.volumeKg, me.unit), fromKg(average.volumeKg, me.unit)],
  ];
  return (
    <dl class="tiles">
      {tiles.map(([name, value, mean]) => (
        <div key={name} class="card">
          <dt>{name}</dt>
          <dd>
            <strong>{number(value, 0)}</strong>{' '}
            <span class="hint">mean of four weeks {number(mean, mean < 10 ? 1 : 0)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const DAY_MS = 86_400_000;

/** Each day's weight, and the mean of the seven days that end there. */
export function BodyWeight({ items }: { items: Array<{ value: number; unit: string; measuredAt: string }> }) {
  const { me } = useShared();
  const [at, values, means] = useMemo(() => {
    const sorted = items.toReversed().map(({ value, unit, measuredAt }) => ({
      at: Date.parse(measuredAt),
      value: inUnit(value, unit, me.unit),
    }));
    const mean = (until: number) => {
      const near = sorted.filter((one) => one.at <= until && one.at > until - 7 * DAY_MS);
      return near.reduce((sum, one) => sum + one.value, 0) / near.length;
    };
    return [sorted.map((one) => one.at), sorted.map((one) => one.value), sorted.map((one) => mean(one.at))];
  }, [items, me.unit]);
  const series = useMemo(
    () => [
      { label: 'Weight', values, kind: 'points' as const },
      { label: 'Mean of seven days', values: means, kind: 'line' as const },
    ],
    [values, means],
  );
  return (
    <LineChart
      title="Body weight"
      unit={me.unit}
      at={at}
      series={series}
      empty="No body weight yet. Add one under Measurements."
    />
  );
}

interface Best {
  exerciseId: number;
  exercise: string;
  heaviest: { weight: number | null; unit: string | null; reps: number | null; firstDay: string } | null;
}

/** An equalled record is not a new one: the day counts on which it was first reached. */
function NewestRecords({ items }: { items: Best[] }) {
  const newest = items
    .flatMap(({ exerciseId, exercise, heaviest }) => (heaviest ? [{ exerciseId, exercise, heaviest }] : []))
    .toSorted((a, b) => b.heaviest.firstDay.localeCompare(a.heaviest.firstDay))
    .slice(0, NEWEST);
  return (
    <section class="card">
      <h2>Last records</h2>
      {newest.length === 0 ? (
        <p class="empty">Records appear with the first workout that has weight and reps.</p>
      ) : (
        <ul class="list">
          {newest.map(({ exerciseId, exercise, heaviest }) => (
            <li key={exerciseId}>
              <Link to={`exercises/${exerciseId}`} dir="auto">
                {exercise}
              </Link>
              <span>
                {setText(heaviest)} <span class="hint">{day(`${heaviest.firstDay}T12:00`)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
