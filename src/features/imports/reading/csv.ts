import { once } from 'node:events';
import { CsvError, parse } from 'csv-parse';
import { ApiError, validationFailed } from '#platform/apiError.ts';
import { buildSlices } from '#platform/slices.ts';
import type { SkippedLine } from './training.ts';

const MOST_ROWS = 100_000;
const MOST_COLUMNS = 1_000;
/** Quotes that never end: each costs the reading of a record of the greatest size. */
const MOST_BROKEN = 100;
const MOST_RECORD = 200_000;
/** Characters that are parsed at once. */
const PIECE = 8 * 1024;

export interface Row {
  /** Where it begins in the file; 1 is the first line. */
  line: number;
  cells: string[];
}

export interface Table {
  separator: string;
  header: string[];
  rows: Row[];
  /** Rows whose quotes never end. */
  broken: SkippedLine[];
}

/**
 * The text of a file: UTF-8, UTF-16 as spreadsheets write it, or else Windows-1252; lines end in `\n`.
 * @throws ApiError 400 for bytes that are not text
 */
export function decoded(bytes: Buffer): string {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  if (text.includes('\u0000')) {
    throw validationFailed([
      { path: 'file', message: 'This file is not text. Export it as CSV or JSON and try again.' },
    ]);
  }
  return text.replaceAll(/\r\n?/g, '\n');
}

function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const beginning = bytes.subarray(0, 400);
  const zeros = (parity: number) => beginning.filter((byte, n) => n % 2 === parity && byte === 0).length;
  if (zeros(1) > beginning.length / 4) return 'utf-16le';
  if (zeros(0) > beginning.length / 4) return 'utf-16be';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

/**
 * Reads a CSV, whatever it is separated by. A quoted cell that never ends costs the row on which it begins and no other.
 * Other requests go on meanwhile.
 * @param firstLine number of the line that the text begins with
 * @throws ApiError 400 for what is not a CSV, 422 `IMPORT_TOO_LARGE`
 */
export async function readTable(text: string, firstLine = 1): Promise<Table> {
  const told = /^sep=(.)\n/i.exec(text);
  const content = told ? text.slice(told[0].length) : text;
  const separator = told?.[1] ?? separatorOf(content);
  const [rows, broken]: [Row[], SkippedLine[]] = [[], []];
  let next = { from: 0, line: firstLine + (told ? 1 : 0) };
  for (;;) {
    const brokenAt = await rowsFrom(content, next, separator, rows);
    if (brokenAt === undefined) break;
    broken.push({ line: brokenAt, reason: 'quote' });
    if (broken.length > MOST_BROKEN) throw unreadable(brokenAt);
    next = { from: startOfLine(content, next, brokenAt + 1), line: brokenAt + 1 };
  }
  const [header, ...others] = rows;
  return { separator, header: header?.cells ?? [], rows: others, broken };
}

const unreadable = (line: number) =>
  validationFailed([
    { path: 'file', message: `Line ${line} cannot be read: a quotation mark is opened and not closed` },
  ]);

const tooLarge = (why: string) => new ApiError(422, 'IMPORT_TOO_LARGE', `The file has ${why}`);

/** The character that stands most often outside of quotes in the first line that is not empty. */
function separatorOf(text: string): string {
  const line =
    text
      .slice(0, 50_000)
      .split('\n')
      .find((one) => one.trim() !== '') ?? '';
  const bare = line.replaceAll(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((separator) => [separator, bare.split(separator).length] as const);
  return counts.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ',';
}

function startOfLine(text: string, known: { from: number; line: number }, wanted: number): number {
  let at = known.from;
  for (let line = known.line; line < wanted && at < text.length; line++) {
    const end = text.indexOf('\n', at);
    at = end === -1 ? text.length : end + 1;
  }
  return at;
}

/** Stops the parser: a cell runs over lines that it does not belong to. */
class QuoteNotClosed extends Error {}

/** Adds the rows from a place on. @returns the line of a row whose quote never ends; undefined: all were read */
async function rowsFrom(
  text: string,
  { from, line: firstLine }: { from: number; line: number },
  delimiter: string,
  rows: Row[],
): Promise<number | undefined> {
  let [line, failure]: [number, unknown] = [firstLine, undefined];
  const parser = parse({
    bom: true,
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: MOST_RECORD,
    raw: true,
    on_record: (row: unknown, { lines }) => {
      const { record: cells, raw } = row as { record: string[]; raw: string };
      const end = firstLine + lines;
      if (end > line + 1 && isTorn(cells, raw)) throw new QuoteNotClosed();
      if (cells.length > MOST_COLUMNS) throw tooLarge(`more than ${MOST_COLUMNS} columns`);
      // Lines of nothing but separators are empty, too.
      if (cells.some((cell) => cell.trim() !== '')) rows.push({ line, cells });
      if (rows.length > MOST_ROWS + 1) throw tooLarge(`more than ${MOST_ROWS} rows`);
      line = end;
      return undefined; // it is kept above
    },
  });
  parser.on('error', (error) => {
    failure = error;
  });
  parser.resume();
  const pause = buildSlices();
  for (const piece of piecesOf(text, from)) {
    parser.write(piece);
    await pause();
    if (failure !== undefined) break;
  }
  if (failure === undefined) {
    const closed = once(parser, 'close');
    parser.end();
    await closed.catch(() => undefined); // the failure is kept above
  }
  if (failure === undefined) return undefined;
  if (failure instanceof ApiError) throw failure;
  const isOpenQuote =
    failure instanceof QuoteNotClosed ||
    (failure instanceof CsvError && ['CSV_QUOTE_NOT_CLOSED', 'CSV_MAX_RECORD_SIZE'].includes(failure.code));
  if (isOpenQuote) return line;
  throw unreadable(line);
}

/** Whether a cell that runs over several lines is not in quotes: a quote that was opened met that of another cell. */
const isTorn = (cells: string[], raw: string): boolean =>
  cells.some((cell) => cell.includes('\n') && !raw.includes(`"${cell.replaceAll('"', '""')}"`));

/** Piece by piece, because a parser that gets everything at once does everything at once; no emoji is cut in two. */
function* piecesOf(text: string, from: number): Generator<string> {
  for (let at = from; at < text.length; ) {
    const isInPair = /[\uD800-\uDBFF]/.test(text[at + PIECE - 1] ?? '');
    const end = at + PIECE - (isInPair ? 1 : 0);
    yield text.slice(at, end);
    at = end;
  }
}

/**
 * Finds rows with other cells than the header: a comma more than was meant moves what follows into other columns. A file
 * may end all its lines with a separator.
 */
export function misfits({ header, rows }: Pick<Table, 'header' | 'rows'>): (row: Row) => boolean {
  const narrowest = rows.reduce((least, { cells }) => Math.min(least, cells.length), Number.POSITIVE_INFINITY);
  const width = Number.isFinite(narrowest) ? Math.max(header.length, narrowest) : header.length;
  return ({ cells }) =>
    cells.length < header.length ||
    cells.length > width ||
    cells.slice(header.length).some((cell) => cell.trim() !== '');
}

/** An unquoted name with commas made cells too many: they belong to its column. */
export function joinSurplus(row: Row, width: number, column: number | undefined, separator: string): void {
  const surplus = row.cells.length - width;
  if (surplus <= 0 || column === undefined) return;
  const joined = row.cells.slice(column, column + surplus + 1).join(separator);
  row.cells.splice(column, surplus + 1, joined);
}
