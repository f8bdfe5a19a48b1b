// Cells of a CSV that a spreadsheet would run as a formula. A program may split a line at another separator than the one
// that it was written with, so a cell can begin anywhere behind one; and it may drop blanks before a formula.

/** Where a cell could begin, what may stand before a formula, and its first character. */
const FORMULA = /(^|[;,\t\r\n])([\s']*)([=+\-@])/g;
const DEFUSED = /(^|[;,\t\r\n])([\s']*)'([=+\-@])/g;
/** A defused formula behind blanks at the very beginning. */
const BLANK_FIRST = /^'*\s['\s]*'[=+\-@]/;
const MARKED_BLANK = /^'+\s['\s]*'[=+\-@]/;

/**
 * The text with an apostrophe before each formula, and one more before blanks that lead to a formula.
 * See OWASP, "CSV Injection". `undefused` gives exactly the same text back.
 */
export function defused(text: string): string {
  const marked = text.replaceAll(FORMULA, "$1$2'$3");
  return BLANK_FIRST.test(marked) ? `'${marked}` : marked;
}

/** What `defused` was given. */
export function undefused(text: string): string {
  if (!text.includes("'")) return text;
  const unmarked = MARKED_BLANK.test(text) ? text.slice(1) : text;
  return unmarked.replaceAll(DEFUSED, '$1$2$3');
}
