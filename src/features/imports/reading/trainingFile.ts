import { ApiError, validationFailed } from '#platform/apiError.ts';
import { cut } from '#platform/cut.ts';
import { buildSlices } from '#platform/slices.ts';
import type { Unit } from '#training/units.ts';
import { decoded, joinSurplus, misfits, type Row, readTable, type Table } from './csv.ts';
import { type Columns, columnsOf, normalHeader } from './headers.ts';
import { hevy } from './hevy.ts';
import { isJefit, readJefit } from './jefit.ts';
import { type Layout, Workouts } from './layout.ts';
import { Line, type Reading } from './line.ts';
import { asEntered, unitEntered } from './loads.ts';
import { type Comma, commaIn, strongerComma } from './numbers.ts';
import { byColumns, type ColumnField, fitbod, fitnotes, liftlog } from './rows.ts';
import { strong } from './strong.ts';
import { stronglifts } from './stronglifts.ts';
import { type DateOrder, orderOf } from './times.ts';
import { BadLine, type FileWorkout, type Question, type SkippedLine } from './training.ts';

/** In the order in which they are tried. */
const LAYOUTS: readonly Layout[] = [hevy, stronglifts, strong, fitbod, liftlog, fitnotes];
const PROGRAMS = 'Strong, Hevy, FitNotes, StrongLifts, Fitbod, Jefit, LiftLog';
/** Fields that say how hard something was: a file without any of them tells nothing. */
const AMOUNTS = ['weight', 'reps', 'seconds', 'distance', 'reps 1'];
/** Rows that are looked at together. */
const ROWS_AT_ONCE = 200;

export interface TrainingFile {
  source: string;
  ambiguous: Question[];
  /** Headers of the columns that nothing reads. */
  ignoredColumns: string[];
  workouts: FileWorkout[];
  /** In the order of the lines. */
  skipped: SkippedLine[];
  /** Category of an exercise, where the file has one. */
  categories: ReadonlyMap<string, string>;
  /** Field → header, where the person named the columns. */
  columns?: NamedColumns | undefined;
}

/** What the person has said about a file. */
export interface Answers {
  unit?: Unit | undefined;
  distanceUnit?: string | undefined;
  dateOrder?: DateOrder | undefined;
  /** Field → header, for files of no known program. */
  columns?: NamedColumns | undefined;
  /** What was said of earlier files; the first that fits one of no known program is taken. */
  remembered?: readonly NamedColumns[];
}

export type NamedColumns = ReadonlyMap<ColumnField, string>;

/**
 * Reads the CSV file of another program. Other requests go on meanwhile.
 * @param answers what the person said about the file
 * @throws ApiError 400 for what is not a CSV, 422 for what is too large or comes from an unknown program
 */
export async function readTrainingFile(bytes: Buffer, answers: Answers = {}): Promise<TrainingFile> {
  const text = decoded(bytes);
  if (isJefit(text)) {
    const { workouts, skipped, open, ignored } = await readJefit(text, answers.unit);
    return finished({ source: 'jefit', workouts, skipped, ignored, questions: [], open }, answers);
  }
  const table = await readTable(text);
  const headers = table.header.map(normalHeader);
  const { layout, named } = layoutOf(headers, table.header, answers);
  const columns = columnsOf(headers, layout.headers);
  if (!AMOUNTS.some((field) => columns.has(field))) throw withoutAmounts(table.header);
  return { ...(await interpret(layout, columns, table, answers)), ...(named ? { columns: named } : {}) };
}

/** @throws ApiError 400 for columns that the file does not have, 422 for the file of an unknown program */
function layoutOf(
  headers: string[],
  written: string[],
  { columns, remembered = [] }: Answers,
): { layout: Layout; named?: NamedColumns } {
  const fits = ({ needs, headers: fields }: Layout) => {
    const found = columnsOf(headers, fields);
    return needs.every((field) => found.has(field));
  };
  const layoutOfNamed = (named: NamedColumns) =>
    byColumns(new Map([...named].map(([field, header]) => [field, normalHeader(header)])));
  if (columns) {
    const layout = layoutOfNamed(columns);
    if (fits(layout)) return { layout, named: columns };
    const missing = [...columns.values()].find((header) => !headers.includes(normalHeader(header))) ?? '';
    throw validationFailed([{ path: 'columns', message: `The file has no column "${missing.slice(0, 100)}"` }]);
  }
  const known = LAYOUTS.find(fits);
  if (known) return { layout: known };
  for (const named of remembered) {
    const layout = layoutOfNamed(named);
    if (fits(layout)) return { layout, named };
  }
  throw new ApiError(
    422,
    'IMPORT_UNKNOWN_FILE',
    `This file comes from a program that is not known. Its columns are: ${shown(written)}. ` +
      `Files of ${PROGRAMS} and the own export are understood; for another one, say which column is what.`,
    columnsFound(written),
  );
}

const withoutAmounts = (headers: string[]) =>
  new ApiError(
    422,
    'IMPORT_UNKNOWN_FILE',
    `The file has no column for weight, reps, time or distance that is known. Its columns are: ${shown(headers)}.`,
    columnsFound(headers),
  );

const columnsFound = (headers: string[]) => ({
  errors: namesOf(headers).map((name, place) => ({ path: `columns.${place}`, message: name })),
});

/** What was found, so that a person sees what was uploaded and can say what it is. */
const namesOf = (headers: string[]): string[] =>
  headers
    .slice(0, 60)
    .map((name) => cut(name.trim(), 100))
    .filter(Boolean);
const shown = (headers: string[]): string => namesOf(headers).join(', ').slice(0, 1_000) || 'none';

async function interpret(layout: Layout, columns: Columns, table: Table, answers: Answers): Promise<TrainingFile> {
  const { rows, separator, header } = table;
  const surplusAt = layout.mayHoldCommas === undefined ? undefined : columns.get(layout.mayHoldCommas)?.[0]?.place;
  for (const row of rows) joinSurplus(row, header.length, surplusAt, separator);
  const { comma, order } = await conventionsOf(layout, columns, rows, separator);
  const reading: Reading = {
    columns,
    comma,
    dateOrder: answers.dateOrder ?? (order === 'mdy' ? 'mdy' : 'dmy'),
    dates: new Map(),
    unit: answers.unit,
    distanceUnit: answers.distanceUnit ?? 'km',
    open: { unit: false, distanceUnit: false },
  };
  const [workouts, skipped, pause] = [new Workouts(), table.broken, buildSlices()];
  const inOrder = layout.isNewestFirst ? byDate(rows, reading) : rows;
  const isMisfit = misfits(table);
  for (const row of inOrder) {
    const { line, cells } = row;
    await pause();
    try {
      if (isMisfit(row)) throw new BadLine('columns');
      layout.read(new Line(cells, reading), workouts);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      skipped.push({ line, reason: error.reason });
    }
  }
  const read = new Set([...columns.values()].flat().map(({ place }) => place));
  const ignored = header.filter((name, place) => !read.has(place) && name.trim() !== '').map((name) => name.trim());
  const questions: Question[] = [
    ...(order === undefined && answers.dateOrder === undefined ? (['date-order'] as const) : []),
    ...(comma === 'undecided' ? (['decimal-comma'] as const) : []),
  ];
  return finished({ source: layout.source, workouts, skipped, ignored, questions, open: reading.open }, answers);
}

/** Rows in the order of their dates; those without one come first, and are named. */
function byDate(rows: Row[], reading: Reading): Row[] {
  const dated = rows.map((row) => ({ row, date: dateOf(new Line(row.cells, reading)) }));
  return dated.toSorted((a, b) => (a.date < b.date ? -1 : Number(a.date > b.date))).map(({ row }) => row);
}

function dateOf(line: Line): string {
  try {
    return line.date('date');
  } catch {
    return '';
  }
}

/** What commas in numbers are, and whether the day or the month stands first: what the whole file shows. */
async function conventionsOf(layout: Layout, columns: Columns, rows: Row[], separator: string) {
  const pause = buildSlices();
  let [comma, order]: [Comma, ReturnType<typeof orderOf>] = ['none', 'none'];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE);
    comma = strongerComma(comma, commaIn(cellsOf(some, columns, layout.numbers), separator));
    const found = orderOf(cellsOf(some, columns, layout.dates));
    if (order === 'none' || order === undefined) order = found === 'none' ? order : found;
    await pause();
  }
  return { comma, order };
}

interface Interpreted {
  source: string;
  workouts: Workouts;
  skipped: SkippedLine[];
  ignored: string[];
  questions: Question[];
  open: Reading['open'];
}

/** What can be said only when every line was read. */
async function finished(file: Interpreted, answers: Answers): Promise<TrainingFile> {
  const { source, workouts, skipped, ignored, questions, open } = file;
  const entered = await unitEntered(workouts);
  if (entered !== undefined && entered === answers.unit) await asEntered(workouts, entered);
  const units: Question[] = [
    ...(open.unit && answers.unit === undefined ? (['unit'] as const) : []),
    ...(open.distanceUnit && answers.distanceUnit === undefined ? (['distance-unit'] as const) : []),
    ...(entered !== undefined && answers.unit === undefined
      ? [entered === 'lb' ? ('unit-pounds' as const) : ('unit-kilograms' as const)]
      : []),
  ];
  return {
    source,
    ambiguous: [...units, ...questions],
    ignoredColumns: ignored,
    workouts: [...workouts].flatMap((workout) => workout.closed() ?? []),
    skipped: skipped.toSorted((a, b) => a.line - b.line),
    categories: workouts.categories,
  };
}

/** The trimmed cells of some fields. */
function* cellsOf(rows: Row[], columns: Columns, fields: readonly string[]): Generator<string> {
  const places = fields.flatMap((field) => columns.get(field) ?? []).map(({ place }) => place);
  for (const { cells } of rows) for (const place of places) yield (cells[place] ?? '').trim();
}
