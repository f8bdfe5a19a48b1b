/** What a value should be. A function judges it and says what is wrong; it may also learn from it. */
export type Expected =
  | null
  | boolean
  | number
  | string
  | Judge
  | readonly Expected[]
  | { readonly [key: string]: Expected };
export type Judge = (actual: unknown) => string | undefined;

/** The first place where a value is not what it should be, as text; undefined when it is. */
export function difference(expected: Expected, actual: unknown, path = 'body'): string | undefined {
  if (typeof expected === 'function') {
    const wrong = expected(actual);
    return wrong && `${path}: ${wrong}`;
  }
  if (typeof expected !== 'object' || expected === null) {
    return Object.is(expected, actual) ? undefined : `${path}: ${show(actual)} instead of ${show(expected)}`;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path}: ${show(actual)} is no list`;
    if (actual.length !== expected.length) return `${path}: ${actual.length} elements instead of ${expected.length}`;
    return first(expected, (item: Expected, n) => difference(item, actual[n], `${path}.${n}`));
  }
  if (!isObject(actual)) return `${path}: ${show(actual)} is no object`;
  const fields = Object.entries(expected as Record<string, Expected>);
  const foreign = Object.keys(actual).find((key) => !Object.hasOwn(expected, key));
  if (foreign !== undefined) return `${path}: ${foreign} should not be there`;
  return first(fields, ([key, value]) =>
    Object.hasOwn(actual, key) ? difference(value, actual[key], `${path}.${key}`) : `${path}: ${key} is missing`,
  );
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 200);

function first<T>(items: readonly T[], wrong: (item: T, n: number) => string | undefined): string | undefined {
  for (const [n, item] of items.entries()) {
    const text = wrong(item, n);
    if (text) return text;
  }
  return undefined;
}

export const wholeNumber: Judge = (actual) => (Number.isInteger(actual) ? undefined : `${show(actual)} is no id`);

export const near =
  (expected: number): Judge =>
  (actual) =>
    typeof actual === 'number' && Math.abs(actual - expected) < 1e-9 * Math.max(1, Math.abs(expected))
      ? undefined
      : `${show(actual)} instead of ${expected}`;

/** A value that the server chose: whatever it is the first time, and the same ever after. */
export function learned<Key extends string, Value>(
  holder: { [K in Key]?: Value },
  key: Key,
  isValue: (actual: unknown) => actual is Value,
): Judge {
  return (actual) => {
    if (!isValue(actual)) return `${show(actual)} cannot be a ${key}`;
    const known = holder[key];
    if (known !== undefined) return known === actual ? undefined : `${show(actual)} instead of ${show(known)}`;
    holder[key] = actual;
    return undefined;
  };
}

export const isNumber = (value: unknown): value is number => typeof value === 'number';
export const isText = (value: unknown): value is string => typeof value === 'string';
