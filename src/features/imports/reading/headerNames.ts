/**
 * How headers of Strong are written, in lower case, in the languages of which files are known. A unit in a header
 * (`kg`, `lbs`, `weight (lbs)`, `miles`) says what weights and distances without a unit of their own are in.
 */
export const STRONG_HEADERS = {
  number: ['workout #'],
  date: ['date', 'datum'],
  title: ['workout name', 'workout-name', "nom de l'entraînement"],
  duration: ['duration', 'dauer', 'durée', 'workout duration', 'duration (sec)'],
  exercise: ['exercise name', 'name der übung', "nom de l'exercice"],
  order: ['set order', 'reihenfolge festlegen', 'ordre de la série'],
  weight: [
    'weight',
    'gewicht',
    'poids',
    'weight (kg)',
    'weight (kgs)',
    'weight (lb)',
    'weight (lbs)',
    'kg',
    'lb',
    'lbs',
  ],
  unit: ['weight unit'],
  reps: ['reps', 'wiederh.', 'réps'],
  distance: [
    ...['distance', 'entfernung', 'distance (meters)', 'distance (km)', 'distance (mi)', 'distance (miles)'],
    ...['km', 'mi', 'miles'],
  ],
  distanceUnit: ['distance unit'],
  seconds: ['seconds', 'sekunden', 'secondes'],
  notes: ['notes', 'notizen'],
  workoutNotes: ['workout notes', 'workout-notizen', "notes d'entraînement"],
  rpe: ['rpe'],
} as const satisfies Record<string, readonly string[]>;

/** What stands in Strong's column of the order of sets where a row is no set. */
export const STRONG_REST_ROWS: readonly string[] = ['rest timer', 'ruhezeit'];
export const STRONG_NOTE_ROWS: readonly string[] = ['note', 'notiz'];

/** Hevy's headers are English in every language of its app; only months and names of exercises change. */
export const HEVY_HEADERS = {
  title: ['title'],
  start: ['start_time'],
  end: ['end_time'],
  description: ['description'],
  exercise: ['exercise_title'],
  superset: ['superset_id'],
  notes: ['exercise_notes'],
  index: ['set_index'],
  type: ['set_type'],
  weight: ['weight_kg', 'weight_lbs'],
  reps: ['reps'],
  distance: ['distance_km', 'distance_miles', 'distance_meters'],
  seconds: ['duration_seconds'],
  rpe: ['rpe'],
} as const satisfies Record<string, readonly string[]>;
