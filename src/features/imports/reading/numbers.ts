import { DISTANCE_PLACES, WEIGHT_PLACES } from '#training/bounds.ts';

/** What a comma in the numbers of a file is. */
export type Comma = 'none' | 'decimal' | 'thousands' | 'undecided';

const WITH_COMMA = /^[\d.]*,[\d.,]*$/;

/** What the commas in some numbers are. @param separator of the file: one that has `;` writes commas in numbers */
export function commaIn(cells: Iterable<string>, separator: string): Comma {
  let found: Comma = 'none';
  for (const cell of cells) {
    if (!cell.includes(',') || !WITH_COMMA.test(cell)) continue;
    if (cell.includes('.')) return 'thousands';
    if (separator === ';' || !/,\d{3}$/.test(cell)) found = 'decimal';
    else if (found === 'none') found = 'undecided';
  }
  return found;
}

const STRENGTH: readonly Comma[] = ['none', 'undecided', 'decimal', 'thousands'];

/** What two parts of a file show together. */
export const strongerComma = (a: Comma, b: Comma): Comma => (STRENGTH.indexOf(b) > STRENGTH.indexOf(a) ? b : a);

/** Digits before the point, digits behind it, and an exponent, as programs print floating point. */
const NUMBER = /^(?:\d{1,9}(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,2})?$/i;

/**
 * A number without a sign, as the shortest decimal text, rounded to what the logbook keeps: 74.99999999999999 is 75.
 * Floating point is exact to 15 digits and printed with 17.
 * @returns undefined for what is not a number
 */
export function decimalText(written: string, comma: Comma): string | undefined {
  const dotted = comma === 'thousands' ? written.replaceAll(',', '') : written.replace(',', '.');
  if (!NUMBER.test(dotted)) return undefined;
  const [whole = '', fraction = ''] = Number(dotted).toFixed(WEIGHT_PLACES).split('.');
  const kept = fraction.replace(/0+$/, '');
  return kept === '' ? whole : `${whole}.${kept}`;
}

/** To the millimetre. */
export const roundedMetres = (metres: number): number => Number(metres.toFixed(DISTANCE_PLACES));
