// Cells of a CSV that a spreadsheet would run as a formula. A program may split a line at another separator than the one
// that it was written with, so a cell can begin anywhere behind one; and it may drop blanks before a formula.

/** First characters of a formula. */
const FORMULA = /[=+\-@]/g;
/** A defused formula behind blanks at the very beginning. */
const BLANK_FIRST = /^'*\s['\s]*'[=+\-@]/;
const MARKED_BLANK = /^'+\s['\s]*'[=+\-@]/;

/** Whether a cell could begin before a place, with nothing but blanks and apostrophes between. */
function mayBegin(text: string, place: number): boolean {
  for (let n = place - 1; n >= 0; n--) {
    const character = text[n] ?? '';
    if (/[;,\t\r\n]/.test(character)) return true;
    if (!/[\s']/.test(character)) return false;
  }
  return true;
}

/**
 * The text with an apostrophe before each formula, and one more before blanks that lead to a formula.
 * See OWASP, "CSV Injection". `undefused` gives exactly the same text back.
 */
export function defused(text: string): string {
  const marked = text.replaceAll(FORMULA, (first, place: number) => (mayBegin(text, place) ? `'${first}` : first));
  return BLANK_FIRST.test(marked) ? `'${marked}` : marked;
}

/** What `defused` was given. */
export function undefused(text: string): string {
  if (!text.includes("'")) return text;
  const unmarked = MARKED_BLANK.test(text) ? text.slice(1) : text;
  return unmarked.replaceAll(/'([=+\-@])/g, (both, first: string, place: number) =>
    mayBegin(unmarked, place) ? first : both,
  );
}
