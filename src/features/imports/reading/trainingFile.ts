import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'csv-parse';
import { ApiError, validationFailed } from '#platform/apiError.ts';
import { type FileFacts, LAYOUTS, type Layout } from './layouts.ts';
import {
  BadLine,
  type FileWorkout,
  type Line,
  type OpenWorkout,
  type Question,
  type SkippedLine,
  type Unit,
} from './training.ts';

export interface TrainingFile {
  source: string;
  ambiguous: Question[];
  workouts: FileWorkout[];
  skipped: SkippedLine[];
}

const MOST_ROWS = 100_000;
const MOST_COLUMNS = 1_000;
/** Characters that are parsed without letting others work. */
const PIECE = 32 * 1024;
/** Rows that are interpreted without letting others work. */
const ROWS_AT_ONCE = 500;

interface Row {
  /** Where it begins in the file. */
  line: number;
  cells: string[];
}

/**
 * Reads the CSV file of another program. Other requests go on meanwhile.
 * @param answers what the person said about the file before
 * @throws ApiError 422 for what is no CSV, is too large, or comes from no program that is known
 */
export async function readTrainingFile(
  bytes: Buffer,
  answers: { unit?: Unit | undefined } = {},
): Promise<TrainingFile> {
  const text = decoded(bytes);
  const separator = separatorOf(text);
  const [header, ...rows] = await rowsOf(text, separator);
  const headers = header?.cells.map(normal) ?? [];
  const layout = LAYOUTS.find(({ needs, headers: names }) =>
    needs.every((field) => names[field]?.some((name) => headers.includes(name))),
  );
  if (!layout) throw unknownFile(header?.cells ?? []);
  return interpret(layout, headers, rows, separator, answers.unit);
}

/** @throws ApiError 422 for bytes that are no text */
function decoded(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // One kind of line end, so that lines can be counted.
    if (!text.includes('\u0000')) return text.replaceAll(/\r\n?/g, '\n');
  } catch {
    // Told below.
  }
  throw validationFailed([{ path: 'file', message: 'The file is no text in UTF-8' }]);
}

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

async function rowsOf(text: string, delimiter: string): Promise<Row[]> {
  const rows: Row[] = [];
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: 200_000,
  });
  Readable.from(piecesOf(text)).pipe(parser);
  let line = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (record.length > MOST_COLUMNS) throw tooLarge(`more than ${MOST_COLUMNS} columns`);
      // Lines of nothing but separators are empty, too.
      if (record.some((cell) => cell.trim() !== '')) rows.push({ line, cells: record });
      if (rows.length > MOST_ROWS + 1) throw tooLarge(`more than ${MOST_ROWS} rows`);
      line = info.lines + 1;
      if (rows.length % ROWS_AT_ONCE === 0) await nextTurn();
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw validationFailed([{ path: 'file', message: `The file is no CSV: line ${line} cannot be read` }]);
  }
  return rows;
}

/** Piece by piece, because a parser that gets everything at once does everything at once. */
function* piecesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; from += PIECE) yield text.slice(from, from + PIECE);
}

const tooLarge = (why: string) => new ApiError(422, 'IMPORT_TOO_LARGE', `The file has ${why}`);

/** Names what was found, so that a person sees what was uploaded. */
function unknownFile(headers: string[]): ApiError {
  const found = headers
    .slice(0, 12)
    .map((name) => name.trim().slice(0, 30))
    .filter(Boolean)
    .join(', ');
  const known = 'Strong, Hevy, FitNotes, StrongLifts';
  return new ApiError(
    422,
    'IMPORT_UNKNOWN_FILE',
    `These columns are of no program that is understood: ${found || 'none'}. Understood are ${known} and the own export.`,
  );
}

/** A header as the layouts write it. */
const normal = (name: string): string =>
  name.normalize('NFC').trim().toLowerCase().replaceAll('×', 'x').replaceAll(/\s+/g, ' ');

async function interpret(
  layout: Layout,
  headers: string[],
  rows: Row[],
  separator: string,
  unit: Unit | undefined,
): Promise<TrainingFile> {
  const columns = new Map(
    Object.entries(layout.headers).flatMap(([field, names]) => {
      const name = names.find((one) => headers.includes(one));
      return name === undefined ? [] : [[field, headers.indexOf(name)] as const];
    }),
  );
  const facts: FileFacts = { headers, unit };
  const interpreter = layout.begin(facts);
  const surplusAt = layout.mayHoldCommas === undefined ? undefined : columns.get(layout.mayHoldCommas);
  for (const row of rows) joinSurplus(row, headers.length, surplusAt, separator);
  const comma = await commaIn(layout, columns, rows, separator);
  const [open, skipped]: [Map<string, OpenWorkout>, SkippedLine[]] = [new Map(), []];
  const workouts = {
    at: (key: string, make: () => OpenWorkout) => {
      const known = open.get(key) ?? make();
      open.set(key, known);
      return known;
    },
  };
  for (const [n, { line, cells }] of rows.entries()) {
    if (n % ROWS_AT_ONCE === 0) await nextTurn();
    try {
      if (cells.length < headers.length) throw new BadLine('columns');
      interpreter.read(lineOf(cells, columns, comma), workouts);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      skipped.push({ line, reason: error.reason });
    }
  }
  if (unit === 'lb' && interpreter.looksLikePounds?.()) {
    for (const workout of open.values()) workout.becomePounds();
  }
  return {
    source: layout.source,
    ambiguous: [...interpreter.questions(), ...(comma === 'undecided' ? (['decimal-comma'] as const) : [])],
    workouts: [...open.values()].flatMap((workout) => workout.closed() ?? []),
    skipped,
  };
}

/** An unquoted name with commas made cells too many: they belong to its column. */
function joinSurplus(row: Row, width: number, column: number | undefined, separator: string): void {
  const surplus = row.cells.length - width;
  if (surplus <= 0 || column === undefined) return;
  const joined = row.cells.slice(column, column + surplus + 1).join(separator);
  row.cells.splice(column, surplus + 1, joined);
}

/** What a comma in a number is. */
type Comma = 'none' | 'decimal' | 'thousands' | 'undecided';

async function commaIn(layout: Layout, columns: Map<string, number>, rows: Row[], separator: string): Promise<Comma> {
  const places = layout.numbers.flatMap((field) => columns.get(field) ?? []);
  let found: Comma = 'none';
  for (const [n, { cells }] of rows.entries()) {
    if (n % (10 * ROWS_AT_ONCE) === 0) await nextTurn();
    for (const place of places) {
      const cell = cells[place]?.trim() ?? '';
      if (!cell.includes(',') || !/^[\d.]*,[\d.,]*$/.test(cell)) continue;
      if (cell.includes('.')) return 'thousands';
      if (separator === ';' || !/,\d{3}$/.test(cell)) found = 'decimal';
      else if (found === 'none') found = 'undecided';
    }
  }
  return found;
}

/** An export puts an apostrophe before what a spreadsheet would run. */
const undefused = (text: string): string => text.replace(/^'(?=[=+\-@])/, '');

function lineOf(cells: string[], columns: Map<string, number>, comma: Comma): Line<string> {
  const cell = (field: string): string => {
    const place = columns.get(field);
    return place === undefined ? '' : (cells[place] ?? '').trim();
  };
  const decimal = (field: string): string | null => {
    const written = cell(field);
    if (written === '') return null;
    const dotted = comma === 'thousands' ? written.replaceAll(',', '') : written.replace(',', '.');
    const [, whole, fraction = ''] = /^(\d{1,9})(?:\.(\d{0,9}))?$/.exec(dotted) ?? [];
    if (whole === undefined) throw new BadLine('number');
    const kept = fraction.replace(/0+$/, '');
    return String(Number(whole)) + (kept === '' ? '' : `.${kept}`);
  };
  return {
    has: (field) => columns.has(field),
    text: (field) => undefused(cell(field)),
    decimal,
    number: (field) => {
      const text = decimal(field);
      return text === null ? null : Number(text);
    },
  };
}
