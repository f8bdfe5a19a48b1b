import { useState } from 'preact/hooks';
import { day as dayText, fromKg, localDay, number, type Unit } from '../format.ts';
import { Rows } from './basics.tsx';

interface Day {
  day: string;
  workouts: number;
  sets: number;
  minutes: number;
  volumeKg: number;
}

/** A square a day, a column a week, darker for more sets. @param from the first day of a week */
export function YearCalendar({ days, from, unit }: { days: Day[]; from: string; unit: Unit }) {
  const byDay = new Map(days.map((entry) => [entry.day, entry]));
  const most = Math.max(1, ...days.map(({ sets }) => sets));
  const [shown, setShown] = useState('');
  const text = (key: string) => {
    const entry = byDay.get(key);
    const date = dayText(`${key}T12:00`);
    if (!entry) return `${date}: no training`;
    const volume = `${number(fromKg(entry.volumeKg, unit), 0)} ${unit}`;
    return `${date}: ${entry.sets} sets, ${number(entry.minutes, 0)} minutes, ${volume}`;
  };
  const weeks: string[][] = [];
  const date = new Date(`${from}T12:00`);
  const today = localDay(new Date());
  while (localDay(date) <= today) {
    const week: string[] = [];
    for (let n = 0; n < 7; n++) {
      if (localDay(date) <= today) week.push(localDay(date));
      date.setDate(date.getDate() + 1);
    }
    weeks.push(week);
  }
  const trained = days.length;
  return (
    <section class="card">
      <h2>The year</h2>
      {trained === 0 ? (
        <p class="empty">No training yet. Import a file, or write down a workout.</p>
      ) : (
        <>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the same */}
          <div
            class="calendar"
            role="img"
            aria-label={`Calendar of the year: training on ${trained} days`}
            onPointerOver={({ target }) => setShown((target as HTMLElement).dataset.day ?? '')}
            onClick={({ target }) => setShown((target as HTMLElement).dataset.day ?? '')}
          >
            {weeks.map((week) => (
              <div key={week[0]}>
                {week.map((key) => (
                  <i key={key} data-day={key} data-level={Math.ceil(((byDay.get(key)?.sets ?? 0) / most) * 4)} />
                ))}
              </div>
            ))}
          </div>
          <p class="hint">
            {shown ? text(shown) : `Training on ${trained} days. Point at a day or tap it to see more.`}
          </p>
          <Rows
            caption="Days with training"
            head={['Day', 'Workouts', 'Sets', 'Minutes', `Volume, ${unit}`]}
            rows={days
              .toReversed()
              .map((entry) => [
                dayText(`${entry.day}T12:00`),
                entry.workouts,
                entry.sets,
                number(entry.minutes, 0),
                number(fromKg(entry.volumeKg, unit), 0),
              ])}
          />
        </>
      )}
    </section>
  );
}
