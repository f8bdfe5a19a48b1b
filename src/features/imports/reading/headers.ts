import { LENGTH_UNITS, TIME_UNITS, WEIGHT_UNITS } from '#training/units.ts';

/** Field → how its header is written, in lower case and without its unit. */
export type Headers = Readonly<Record<string, readonly string[]>>;

export interface Column {
  /** Place in a row, from 0 on. */
  place: number;
  /** The unit that the header names, in lower case: `weight (lbs)`, `weight_kg`, `Duration(s)`, or just `km`. */
  unit: string | undefined;
}

export type Columns = ReadonlyMap<string, readonly Column[]>;

/** A header as the layouts write it. */
export const normalHeader = (name: string): string =>
  name
    .normalize('NFC')
    .replace(/^\uFEFF/, '')
    .trim()
    .toLowerCase()
    .replaceAll('×', 'x')
    .replaceAll(/\s+/g, ' ');

const isUnit = (text: string): boolean => WEIGHT_UNITS.has(text) || LENGTH_UNITS.has(text) || TIME_UNITS.has(text);

/** What a header that is nothing but a unit measures. */
const measured = (unit: string): string | undefined => {
  if (WEIGHT_UNITS.has(unit)) return 'weight';
  return LENGTH_UNITS.has(unit) ? 'distance' : undefined;
};

/** @returns the name without its unit, and the unit */
function parted(header: string): { name: string; unit: string | undefined } {
  const alone = measured(header);
  if (alone !== undefined) return { name: alone, unit: header };
  const [, name = '', inBrackets, behind] = /^(.*?)(?:\s*[([]\s*([^()[\]]+?)\s*[)\]]|[_ ]([a-z]+))$/.exec(header) ?? [];
  const unit = inBrackets ?? behind;
  return unit !== undefined && isUnit(unit) && name !== '' ? { name, unit } : { name: header, unit: undefined };
}

/** Finds the columns of the fields. A field may have several: the same weight in kilograms and in pounds. */
export function columnsOf(headers: readonly string[], fields: Headers): Columns {
  const columns = new Map<string, Column[]>();
  const known = headers.map((header) => ({ header, ...parted(header) }));
  for (const [field, names] of Object.entries(fields)) {
    const found = known.flatMap(({ header, name, unit }, place) => {
      if (names.includes(header)) return [{ place, unit: name === header ? undefined : unit }];
      return unit !== undefined && names.includes(name) ? [{ place, unit }] : [];
    });
    if (found.length > 0) columns.set(field, found);
  }
  return columns;
}
