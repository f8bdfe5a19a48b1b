const DIGITS_OF_OTHER_SCRIPTS = /[٠-٩۰-۹]/g;
/** At most one separator: two of them could mean anything. */
const DECIMAL = /^(?=.*\d)(\d*)(?:[.,٫](\d*))?$/;

/**
 * The number that a person typed, in any locale: a comma and a point are both the decimal separator, never one between
 * thousands.
 * @returns undefined for anything else
 */
export function readNumber(text: string): number | undefined {
  const plain = text
    .normalize('NFKC')
    .replace(DIGITS_OF_OTHER_SCRIPTS, (digit) => String(digit.charCodeAt(0) & 15))
    .trim();
  const [, whole = '', part = ''] = DECIMAL.exec(plain) ?? [];
  return whole + part === '' ? undefined : Number(`${whole || 0}.${part || 0}`);
}

interface Bounds {
  least?: number;
  most: number;
  /** Most decimals; 0 by default. */
  places?: number;
}

/** What is wrong with what was typed, for the person; empty where nothing is. */
export function problemWith(text: string, { least = 0, most, places = 0 }: Bounds): string {
  if (text.trim() === '') return '';
  const value = readNumber(text);
  if (value === undefined) return places === 0 ? 'Enter a whole number.' : 'Enter a number, such as 82.5 or 82,5.';
  if (value < least || value > most) return `Enter a number from ${least} to ${most}.`;
  if (Number(value.toFixed(places)) === value) return '';
  return places === 0 ? 'Enter a whole number.' : `Enter at most ${places} decimals.`;
}
