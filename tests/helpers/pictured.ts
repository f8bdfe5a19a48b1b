/** Target muscle → the specific muscles that the released app has pictures for (behaviour 3.2). */
export const PICTURES: Readonly<Record<string, readonly string[]>> = {
  Legs: ['Quads', 'Hamstrings', 'Calves', 'Adductors'],
  Chest: ['Upper', 'Major'],
  Back: ['Traps', 'Lats', 'Lower'],
  Shoulders: ['Delts', 'Front', 'Rear'],
  Triceps: ['Long', 'Medial', 'Lateral'],
  Biceps: ['Long', 'Short'],
};

/** The words of the catalogue that are none of these → the nearest that is. */
const NEAREST: Readonly<Record<string, string>> = {
  'Legs, Cardio': 'Quads',
  'Legs, Full Body': 'Quads',
  'Chest, Lower': 'Major',
  'Back, Lower Back': 'Lower',
  'Back, Upper Back': 'Traps',
  'Shoulders, Front Delts': 'Front',
  'Shoulders, Side Delts': 'Delts',
  'Shoulders, Rear Delts': 'Rear',
  'Triceps, Lateral Head': 'Lateral',
  'Triceps, Long Head': 'Long',
  'Biceps, Long Head': 'Long',
  'Biceps, Short Head': 'Short',
  'Biceps, Brachialis': 'Short',
  'Biceps, Forearms': 'Short',
};

/** What the app's answers say for a specific muscle of the catalogue. */
export const pictured = (muscle: string, specific: string): string => NEAREST[`${muscle}, ${specific}`] ?? specific;
