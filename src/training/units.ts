export type Unit = 'kg' | 'lb';

/** The international pound of 1959, exactly. */
export const KG_PER_LB = 0.45359237;
/** The international mile of 1959, exactly. */
export const METRES_PER_MILE = 1609.344;

/** How files write units of weights, in lower case. */
export const WEIGHT_UNITS: ReadonlyMap<string, Unit> = new Map([
  ...['kg', 'kgs', 'kilo', 'kilos', 'kilogram', 'kilograms'].map((name) => [name, 'kg'] as const),
  ...['lb', 'lbs', 'pound', 'pounds'].map((name) => [name, 'lb'] as const),
]);

/** How files write units of lengths, in lower case → metres. */
export const LENGTH_UNITS: ReadonlyMap<string, number> = new Map([
  ...['m', 'meter', 'meters', 'metre', 'metres'].map((name) => [name, 1] as const),
  ...['km', 'kms', 'kilometer', 'kilometers', 'kilometre', 'kilometres'].map((name) => [name, 1000] as const),
  ...['mi', 'mile', 'miles'].map((name) => [name, METRES_PER_MILE] as const),
  ...['ft', 'foot', 'feet'].map((name) => [name, 0.3048] as const),
  ...['yd', 'yard', 'yards'].map((name) => [name, 0.9144] as const),
  ['cm', 0.01] as const,
]);

/** How files write units of time, in lower case → seconds. */
export const TIME_UNITS: ReadonlyMap<string, number> = new Map([
  ...['s', 'sec', 'secs', 'second', 'seconds'].map((name) => [name, 1] as const),
  ...['min', 'mins', 'minute', 'minutes'].map((name) => [name, 60] as const),
  ...['h', 'hour', 'hours'].map((name) => [name, 3600] as const),
]);
