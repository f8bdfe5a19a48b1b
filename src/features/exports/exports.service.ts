import { stringify } from 'csv-stringify/sync';
import type { Transaction } from '#platform/postgres/database.ts';
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
type Unit = 'kg' | 'lb';

const PAGE = 100;
const METRES_PER_MILE = 1609.344;
/** Exact: a pound is 0.45359237 kg. As whole numbers, because 0.1 is none. */
const KG_PER_LB = 45_359_237n;
const PLACES = 8;

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
    const rows = await transaction((tx) => tx.rows(LIST_ASCENDING, [userId, ...after, PAGE]));
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

/** What a spreadsheet would run gets an apostrophe; the import takes it away. */
export const defused = (text: string): string => (/^[=+\-@]/.test(text) ? `'${text}` : text);

/** A weight in another unit, exactly. */
function inUnit(weight: number, from: Unit, to: Unit): string {
  if (from === to) return String(weight);
  const thousandths = BigInt(Math.round(weight * 1000));
  if (to === 'kg') return decimalText(thousandths * KG_PER_LB, PLACES + 3);
  // A kilogram has no end in pounds: to eight decimals.
  return decimalText((thousandths * 10n ** BigInt(2 * PLACES)) / KG_PER_LB, PLACES + 3);
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

const HEVY_KINDS: Record<string, string> = { drop: 'dropset' };
const STRONG_KINDS: Record<string, string> = { warmup: 'W', drop: 'D', failure: 'F' };

/** One writer of lines: the header, and a line for each set. */
interface Columns {
  header: string[];
  line(row: ExportedRow, block: ExportedBlock, n: number, name: string): Array<string | number>;
  delimiter?: string;
}

async function* csv(transaction: Transactions, userId: string, columns: Columns): AsyncGenerator<string> {
  const delimiter = columns.delimiter ?? ',';
  const exercises = await transaction((tx) => tx.rows(LIST_EXERCISES));
  const names = new Map(exercises.map(({ id, name }) => [id, name]));
  yield stringify([columns.header], { delimiter });
  for await (const rows of pagesOf(transaction, userId)) {
    const lines = rows.flatMap((row) =>
      row.blocks.flatMap((block) =>
        block.sets.map((_set, n) => columns.line(row, block, n, names.get(block.exerciseId) ?? '')),
      ),
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
    line: (row, block, n, name) => {
      const set = block.sets[n] as ExportedBlock['sets'][number];
      const distance = set.distanceM === null ? '' : set.distanceM / (pounds ? METRES_PER_MILE : 1000);
      return [
        ...[defused(row.title), hevyTime(row.local_start), hevyTime(row.local_end), defused(row.notes), defused(name)],
        ...[block.superset ?? '', defused(block.notes), n, HEVY_KINDS[set.kind] ?? set.kind],
        ...[weightIn(set, unit), set.reps ?? '', distance, set.seconds ?? '', set.rpe ?? ''],
      ];
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
    line: (row, block, n, name) => {
      const set = block.sets[n] as ExportedBlock['sets'][number];
      if (row.id !== last) number++;
      last = row.id;
      const lasted =
        row.ended_at === null ? '' : Math.round((row.ended_at.getTime() - row.started_at.getTime()) / 1000);
      const normal = block.sets.slice(0, n + 1).filter(({ kind }) => kind === 'normal').length;
      return [
        ...[number, row.local_start.replace('T', ' '), defused(row.title), lasted, defused(name)],
        ...[STRONG_KINDS[set.kind] ?? normal, weightIn(set, unit), set.reps ?? '', set.rpe ?? ''],
        ...[set.distanceM ?? '', set.seconds ?? '', n === 0 ? defused(block.notes) : '', defused(row.notes)],
      ];
    },
  });
}
