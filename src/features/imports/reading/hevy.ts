import { kindOf, type Layout } from './layout.ts';
import { BadLine, NO_SET } from './training.ts';

export const hevy: Layout = {
  source: 'hevy',
  headers: {
    title: ['title'],
    start: ['start_time'],
    end: ['end_time'],
    description: ['description'],
    exercise: ['exercise_title'],
    superset: ['superset_id'],
    notes: ['exercise_notes'],
    index: ['set_index'],
    type: ['set_type'],
    weight: ['weight'],
    reps: ['reps'],
    distance: ['distance'],
    seconds: ['duration'],
    rpe: ['rpe'],
  },
  needs: ['title', 'start', 'exercise', 'index'],
  numbers: ['weight', 'reps', 'distance', 'seconds', 'rpe'],
  dates: ['start', 'end'],
  read(line, workouts) {
    const [title, startedAt, name] = [line.text('title'), line.date('start'), line.text('exercise')];
    const endedAt = line.text('end') === '' ? null : line.date('end');
    if (name === '') throw new BadLine('no-exercise');
    const set = {
      ...NO_SET,
      kind: kindOf(line.text('type')),
      ...line.load(),
      reps: line.whole('reps'),
      seconds: line.seconds('seconds'),
      distanceM: line.metres(),
      rpe: line.number('rpe'),
    };
    const [index, superset] = [line.number('index'), line.number('superset')];
    const workout = workouts.at(JSON.stringify([startedAt, title]), title, startedAt, endedAt);
    workout.note(line.text('description'));
    workout.add(name, [set], { index: index ?? undefined, superset, notes: line.text('notes') });
  },
};
