import { stringify } from 'csv-stringify/sync';
import { defused } from '#platform/formulaCells.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { MOST_PAGE_BYTES, WEIGHT_PLACES } from '#training/bounds.ts';
import { METRES_PER_MILE, type Unit } from '#training/units.ts';
import {
  type ExportedBlock,
  type ExportedRow,
  LIFTS_POUNDS,
  LIST_ASCENDING,
  LIST_EXERCISES,
  LIST_MEASUREMENTS,
  type NamedExerciseRow,
} from './exports.queries.ts';

type Transactions = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

const PAGE = 100;
/** A pound is 0.45359237 kg, exactly: whole numbers, because floating point has no 0.1. */
const KG_PER_LB = 45_359_237n;
const KG_PER_LB_PLACES = 8;
/** Decimals of a converted weight. */
const PLACES = WEIGHT_PLACES + KG_PER_LB_PLACES;

/** Everything of the logbook, in the form that an import gives back as it was. */
export async function* ownJson(transaction: Transactions, userId: string): AsyncGenerator<string> {
  const exercises = await transaction((tx) => tx.rows(LIST_EXERCISES));
  const own = exercises.filter(({ is_own }) => is_own);
  yield `{"format":"strong-together-logbook","formatVersion":1,\n"exercises":[${own.map(ownExercise).join(',\n')}],\n"workouts":[`;
  const byId = new Map(exercises.map((exercise) => [exercise.id, exercise]));
  let isFirst = true;
  for await (const rows of pagesOf(transaction, userId)) {
    const texts = rows.map((row) => JSON.stringify(ownWorkout(row, byId)));
    yield `${isFirst ? '' : ',\n'}${texts.join(',\n')}`;
    isFirst = false;
  }
  yield '],\n"measurements":[';
  isFirst = true;
  for (let after: [string | null, string | null] = [null, null]; ; ) {
    const rows = await transaction((tx) => tx.rows(LIST_MEASUREMENTS, [userId, ...after, PAGE]));
    const texts = rows.map(({ id, kind, value, unit, measured_at }) =>
      JSON.stringify({ id, kind, value: Number(value), unit, measuredAt: measured_at.toISOString() }),
    );
    const last = rows.at(-1);
    if (!last) break;
    yield `${isFirst ? '' : ',\n'}${texts.join(',\n')}`;
    isFirst = false;
    after = [last.position, last.id];
  }
  yield ']}\n';
}

async function* pagesOf(transaction: Transactions, userId: string): AsyncGenerator<ExportedRow[]> {
  for (let after: [string | null, string | null] = [null, null]; ; ) {
    const rows = await transaction((tx) => tx.rows(LIST_ASCENDING, [userId, ...after, PAGE, MOST_PAGE_BYTES]));
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = [last.position, last.id];
  }
}

const ownExercise = (row: NamedExerciseRow): string =>
  JSON.stringify({
    name: row.name,
    muscle: row.targetmuscle,
    specificMuscle: row.specifictargetmuscle,
    measure: row.measure,
    equipment: row.equipment,
    secondaryMuscles: row.secondary_muscles,
    description: row.description,
    isArchived: row.is_archived,
  });

function ownWorkout(row: ExportedRow, exercises: Map<number, NamedExerciseRow>) {
  return {
    id: row.id,
    title: row.title,
    notes: row.notes,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    timeZone: row.time_zone,
    blocks: row.blocks.map(({ id, exerciseId, superset, notes, sets }) => {
      const { name = '', is_own: isOwn = false } = exercises.get(exerciseId) ?? {};
      return { id, exercise: name, isOwn, superset, notes, sets };
    }),
  };
}

// ---------------------------------------------------------------------------
// Columns of other programs
// ---------------------------------------------------------------------------

/** A weight in another unit, exactly. */
function inUnit(weight: number, from: Unit, to: Unit): string {
  if (from === to) return String(weight);
  const entered = BigInt(weight.toFixed(WEIGHT_PLACES).replace('.', ''));
  if (to === 'kg') return decimalText(entered * KG_PER_LB, PLACES);
  // A kilogram has no end in pounds.
  return decimalText((entered * 10n ** BigInt(2 * KG_PER_LB_PLACES)) / KG_PER_LB, PLACES);
}

function decimalText(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `15 Sep 2025, 07:48` */
function hevyTime(local: string | null): string {
  if (local === null) return '';
  const [year, month, day] = local.slice(0, 10).split('-').map(Number);
  return `${day} ${MONTHS[(month ?? 1) - 1]} ${year}, ${local.slice(11, 16)}`;
}

const STRONG_KINDS = new Map([
  ['warmup', 'W'],
  ['drop', 'D'],
  ['failure', 'F'],
]);

/** Nearly all sets have a line; Strong has lines for what is between sets, too. */
type Cells = Array<string | number>;

/** One writer of lines: the header, and the lines of each set. */
interface Columns {
  header: string[];
  lines(row: ExportedRow, place: number, n: number, nameOf: (block: ExportedBlock | undefined) => string): Cells[];
  delimiter?: string;
}

async function* csv(transaction: Transactions, userId: string, columns: Columns): AsyncGenerator<string> {
  const delimiter = columns.delimiter ?? ',';
  const exercises = await transaction((tx) => tx.rows(LIST_EXERCISES));
  const names = new Map(exercises.map(({ id, name }) => [id, name]));
  const nameOf = (block: ExportedBlock | undefined) => (block ? (names.get(block.exerciseId) ?? '') : '');
  yield stringify([columns.header], { delimiter });
  for await (const rows of pagesOf(transaction, userId)) {
    const lines = rows.flatMap((row) =>
      row.blocks.flatMap((block, place) => block.sets.flatMap((_set, n) => columns.lines(row, place, n, nameOf))),
    );
    yield stringify(lines, { delimiter });
  }
}

/** Hevy's columns, in the unit of most loads. */
export async function* hevyCsv(transaction: Transactions, userId: string): AsyncGenerator<string> {
  const { pounds } = await transaction((tx) => tx.one(LIFTS_POUNDS, [userId]));
  const unit: Unit = pounds ? 'lb' : 'kg';
  yield* csv(transaction, userId, {
    header: [
      ...['title', 'start_time', 'end_time', 'description', 'exercise_title', 'superset_id', 'exercise_notes'],
      ...['set_index', 'set_type', pounds ? 'weight_lbs' : 'weight_kg', 'reps'],
      ...[pounds ? 'distance_miles' : 'distance_km', 'duration_seconds', 'rpe'],
    ],
    lines: (row, place, n, nameOf) => {
      const { block, set, name } = setAt(row, place, n, nameOf);
      const distance = set.distanceM === null ? '' : set.distanceM / (pounds ? METRES_PER_MILE : 1000);
      const cells = [
        ...[defused(row.title), hevyTime(row.local_start), hevyTime(row.local_end), defused(row.notes), defused(name)],
        ...[block.superset ?? '', defused(block.notes), n, set.kind === 'drop' ? 'dropset' : set.kind],
        ...[weightIn(set, unit), set.reps ?? '', distance, set.seconds ?? '', set.rpe ?? ''],
      ];
      return [cells];
    },
  });
}

const weightIn = ({ weight, unit }: { weight: number | null; unit: string | null }, to: Unit): string =>
  weight === null ? '' : inUnit(weight, unit as Unit, to);

/** Strong's columns as its app for Android writes them. */
export async function* strongCsv(transaction: Transactions, userId: string, unit: Unit): AsyncGenerator<string> {
  let [number, last] = [0, ''];
  yield* csv(transaction, userId, {
    delimiter: ';',
    header: [
      ...['Workout #', 'Date', 'Workout Name', 'Duration (sec)', 'Exercise Name', 'Set Order'],
      ...[unit === 'kg' ? 'Weight (kg)' : 'Weight (lbs)', 'Reps', 'RPE', 'Distance (meters)', 'Seconds', 'Notes'],
      'Workout Notes',
    ],
    lines: (row, place, n, nameOf) => {
      const { block, set, name } = setAt(row, place, n, nameOf);
      if (row.id !== last) number++;
      last = row.id;
      const lasted =
        row.ended_at === null ? '' : Math.round((row.ended_at.getTime() - row.started_at.getTime()) / 1000);
      const normal = block.sets.slice(0, n + 1).filter(({ kind }) => kind === 'normal').length;
      const line = (order: string | number, amounts: Cells, notes: string): Cells => [
        ...[number, row.local_start.replace('T', ' '), defused(row.title), lasted, defused(name), order],
        ...[...amounts, defused(notes), defused(row.notes)],
      ];
      const amounts = [...[weightIn(set, unit), set.reps ?? '', set.rpe ?? '', set.distanceM ?? '', set.seconds ?? '']];
      // Of two entries of one exercise in a row the second begins with a note of no text: it may begin with a warm-up.
      const isSecond = n === 0 && place > 0 && nameOf(row.blocks[place - 1]) === name;
      return [
        ...(isSecond ? [line('Note', NO_AMOUNTS, '')] : []),
        line(STRONG_KINDS.get(set.kind) ?? normal, amounts, n === 0 ? block.notes : ''),
        ...(set.restSec ? [line('Rest Timer', ['', '', '', '', set.restSec], '')] : []),
      ];
    },
  });
}

const NO_AMOUNTS = ['', '', '', '', ''];

function setAt(row: ExportedRow, place: number, n: number, nameOf: (block: ExportedBlock | undefined) => string) {
  const block = row.blocks[place] as ExportedBlock;
  return { block, set: block.sets[n] as ExportedBlock['sets'][number], name: nameOf(block) };
}
