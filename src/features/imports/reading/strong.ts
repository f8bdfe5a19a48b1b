import { kindOf, type Layout, some } from './layout.ts';
import { duration, later } from './times.ts';
import { BadLine, NO_SET } from './training.ts';

const REST_ROWS = ['rest timer', 'ruhezeit', 'minuteur de repos', 'temps de repos'];
const NOTE_ROWS = ['note', 'notiz', 'remarque'];

export const strong: Layout = {
  source: 'strong',
  headers: {
    number: ['workout #'],
    date: ['date', 'datum'],
    title: ['workout name', 'workout-name', "nom de l'entraînement"],
    duration: ['duration', 'dauer', 'durée', 'workout duration'],
    exercise: ['exercise name', 'name der übung', "nom de l'exercice"],
    order: ['set order', 'reihenfolge festlegen', 'ordre de la série'],
    weight: ['weight', 'gewicht', 'poids'],
    unit: ['weight unit'],
    reps: ['reps', 'wiederh.', 'réps'],
    distance: ['distance', 'entfernung'],
    distanceUnit: ['distance unit'],
    seconds: ['seconds', 'sekunden', 'secondes'],
    notes: ['notes', 'notizen'],
    workoutNotes: ['workout notes', 'workout-notizen', "notes d'entraînement"],
    rpe: ['rpe'],
  },
  needs: ['date', 'title', 'exercise', 'order'],
  numbers: ['weight', 'reps', 'distance', 'seconds', 'rpe'],
  dates: ['date'],
  read(line, workouts) {
    const [startedAt, title, name] = [line.date('date'), line.text('title'), line.text('exercise')];
    if (name === '') throw new BadLine('no-exercise');
    const order = line.text('order').toLowerCase();
    // The app for iOS writes 0 for an empty cell; that for Android numbers the workouts, and leaves cells empty.
    const reps = line.whole('reps');
    const set = {
      ...NO_SET,
      kind: kindOf(order),
      ...line.load(line.has('unit') ? 'kg' : undefined),
      reps: line.has('number') ? reps : some(reps),
      seconds: some(line.seconds('seconds')),
      distanceM: line.metres(line.has('distanceUnit') ? 'm' : undefined),
      rpe: some(line.number('rpe')),
    };
    const seconds = duration(line.text('duration'));
    const endedAt = seconds === undefined ? null : later(startedAt, seconds);
    const key = JSON.stringify([line.text('number'), startedAt, title]);
    const workout = workouts.at(key, title, startedAt, endedAt);
    if (seconds !== undefined) workout.last(seconds);
    workout.note(line.text('workoutNotes'));
    if (REST_ROWS.includes(order)) return workout.rest(set.seconds);
    if (NOTE_ROWS.includes(order)) return workout.noteOnExercise(name, line.text('notes'));
    const index = /^\d+$/.test(order) ? Number(order) : undefined;
    workout.add(name, [set], { index, notes: line.text('notes') });
  },
};
