import { WEIGHT_UNITS } from '#training/units.ts';
import type { Layout } from './layout.ts';
import { later, timeOn } from './times.ts';
import { BadLine, NO_SET } from './training.ts';

const MOST_SETS = 30;
const setNumbers = Array.from({ length: MOST_SETS }, (_, n) => n + 1);

/** A row is an exercise, with a pair of columns for each set. */
export const stronglifts: Layout = {
  source: 'stronglifts',
  headers: {
    date: ['date (yyyy/mm/dd)'],
    number: ['workout'],
    name: ['workout name'],
    exercise: ['exercise'],
    duration: ['duration'],
    start: ['start time (h:mm)'],
    end: ['end time (h:mm)'],
    notes: ['notes'],
    ...Object.fromEntries(
      setNumbers.flatMap((n) => [
        [`reps ${n}`, [`set ${n} (reps)`]],
        [`weight ${n}`, [`set ${n}`]],
      ]),
    ),
  },
  needs: ['date', 'number', 'exercise', 'reps 1', 'weight 1'],
  numbers: ['duration', ...setNumbers.flatMap((n) => [`reps ${n}`, `weight ${n}`])],
  dates: ['date'],
  read(line, workouts) {
    const day = line.date('date');
    const name = line.text('exercise');
    if (name === '') throw new BadLine('no-exercise');
    const sets = setNumbers.flatMap((n) => {
      const [reps, weight] = [line.whole(`reps ${n}`), line.number(`weight ${n}`)];
      const unit = WEIGHT_UNITS.get(line.unitOf(`weight ${n}`) ?? '') ?? 'kg';
      if (reps === null || (reps === 0 && !weight)) return [];
      return [{ ...NO_SET, ...(weight ? { weight: String(weight), unit } : {}), reps }];
    });
    const title = line.text('name') || line.text('number');
    const [start, end] = [line.text('start'), line.text('end')];
    const startedAt = start === '' ? day : timeOn(day, start);
    const key = JSON.stringify([day, line.text('number'), title]);
    const workout = workouts.at(
      key,
      title,
      startedAt,
      start === '' ? null : endOf(day, startedAt, end, line.seconds('duration')),
    );
    workout.note(line.text('notes'));
    workout.add(name, sets, { notes: '', isEntry: true });
  },
};

/** @throws BadLine */
function endOf(day: string, startedAt: string, end: string, seconds: number | null): string | null {
  if (end === '') return seconds === null ? null : later(startedAt, seconds);
  const endedAt = timeOn(day, end);
  return endedAt < startedAt ? later(endedAt, 86_400) : endedAt;
}
