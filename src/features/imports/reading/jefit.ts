import { buildSlices } from '#platform/slices.ts';
import { MOST_BLOCKS, MOST_SETS } from '#training/bounds.ts';
import { joinSurplus, misfits, readTable, type Table } from './csv.ts';
import { columnsOf, normalHeader } from './headers.ts';
import { Workouts } from './layout.ts';
import { Line, type Reading } from './line.ts';
import { commaIn, decimalText } from './numbers.ts';
import { later } from './times.ts';
import { BadLine, type FileSet, NO_SET, type SkippedLine } from './training.ts';

const HEADING = /^#{2,}[ \t]*([A-Z]+(?: [A-Z]+)*)[ \t]*#+[ \t]*$/gm;
/** A line that ends a section. */
const RULE = /^#+$/;
/** Characters of the sets of one line: more than a workout can hold. */
const LONGEST_LOGS = 20 * MOST_BLOCKS * MOST_SETS;
const SESSIONS = 'WORKOUT SESSIONS';
const LOGS = 'EXERCISE LOGS';

/** Whether a text is a file of Jefit: sections under headings, each a CSV of its own. */
export const isJefit = (text: string): boolean => [...text.matchAll(HEADING)].some(([, name]) => name === LOGS);

/** In Unix seconds. */
const YEAR_2200 = 7_258_118_400;

interface Session {
  startedAt: string;
  endedAt: string | null;
}

/** Jefit's file: sessions with their times in Unix seconds, and a line an exercise with all its sets, `60x8,60x8`. */
export async function readJefit(
  text: string,
  unit: Reading['unit'],
): Promise<{ workouts: Workouts; skipped: SkippedLine[]; open: Reading['open']; ignored: string[] }> {
  const sections = sectionsOf(text);
  const [sessionTable, logTable] = (await Promise.all(
    [SESSIONS, LOGS].map((name) => readTable(sections.get(name)?.text ?? '', sections.get(name)?.line)),
  )) as [Table, Table];
  const reading = (table: Table, fields: Record<string, string[]>): Reading => ({
    columns: columnsOf(table.header.map(normalHeader), fields),
    comma: commaIn([], table.separator),
    dateOrder: 'dmy',
    dates: new Map(),
    unit,
    distanceUnit: 'km',
    open: { unit: false, distanceUnit: false },
  });
  const skipped: SkippedLine[] = [...sessionTable.broken, ...logTable.broken];
  const ofSessions = reading(sessionTable, {
    id: ['_id'],
    start: ['starttime', 'starttimie'], // written so by some of its versions
    total: ['total_time'],
    day: ['mydate'],
  });
  const sessions = new Map<string, Session>();
  await attempt(sessionTable, ofSessions, skipped, (line) => void sessions.set(line.text('id'), sessionOf(line)));
  const ofLogs = reading(logTable, {
    name: ['ename'],
    session: ['belongsession'],
    logs: ['logs'],
    day: ['mydate'],
  });
  const workouts = new Workouts();
  joinSets(logTable, ofLogs);
  await attempt(logTable, ofLogs, skipped, (line) => {
    const sets = setsOf(line.text('logs'), unit ?? null);
    if (line.text('name') === '') throw new BadLine('no-exercise');
    if (sets.length === 0) return;
    const id = line.text('session');
    const { startedAt, endedAt } = sessions.get(id) ?? { startedAt: line.date('day'), endedAt: null };
    if (sets.some(({ weight }) => weight !== null)) ofLogs.open.unit = true;
    const key = sessions.has(id) ? id : JSON.stringify([id, startedAt]);
    workouts.at(key, '', startedAt, endedAt).add(line.text('name'), sets, { notes: '', isEntry: true });
  });
  const ignored = [...sections].flatMap(([name, { text: content }]) =>
    name === SESSIONS || name === LOGS || content.trim() === '' ? [] : [name],
  );
  return { workouts, skipped, open: ofLogs.open, ignored };
}

async function attempt(
  table: Table,
  reading: Reading,
  skipped: SkippedLine[],
  read: (line: Line) => void,
): Promise<void> {
  const pause = buildSlices();
  const rows = table.rows.filter(({ cells }) => !RULE.test(cells.join('').trim()));
  const isMisfit = misfits({ header: table.header, rows });
  for (const row of rows) {
    const { line, cells } = row;
    await pause();
    try {
      if (isMisfit(row)) throw new BadLine('columns');
      read(new Line(cells, reading));
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      skipped.push({ line, reason: error.reason });
    }
  }
}

/** Sets that were written without quotes have commas that look like those between cells. */
function joinSets({ header, rows }: Table, { columns }: Reading): void {
  const place = columns.get('logs')?.[0]?.place;
  for (const row of rows) joinSurplus(row, header.length, place, ',');
}

/** Heading → the lines below it, and the number of the first of them. */
function sectionsOf(text: string): Map<string, { text: string; line: number }> {
  const headings = [...text.matchAll(HEADING)];
  let [line, at] = [1, 0];
  return new Map(
    headings.map((heading, n) => {
      const start = heading.index + heading[0].length + 1;
      line += text.slice(at, start).split('\n').length - 1;
      at = start;
      return [heading[1] ?? '', { text: text.slice(start, headings[n + 1]?.index), line }] as const;
    }),
  );
}

/** @throws BadLine */
function sessionOf(line: Line): Session {
  const start = Number(line.text('start'));
  if (start === 0) return { startedAt: line.date('day'), endedAt: null };
  if (!Number.isInteger(start) || start < 0 || start >= YEAR_2200) throw new BadLine('date');
  const startedAt = new Date(start * 1000).toISOString();
  const total = line.number('total');
  return { startedAt, endedAt: total ? later(startedAt, total) : null };
}

/** `60x8,60x8`; sets of nothing are placeholders. @throws BadLine */
function setsOf(logs: string, unit: FileSet['unit']): FileSet[] {
  if (logs.length > LONGEST_LOGS) throw new BadLine('blocks');
  return logs.split(',').flatMap((log) => {
    const entry = log.trim();
    if (entry === '') return [];
    const [, load = '', reps] = /^([\d.]+)\s*x\s*(\d+)$/i.exec(entry) ?? [];
    const weight = decimalText(load, 'none');
    if (weight === undefined || reps === undefined) throw new BadLine('number');
    if (Number(weight) === 0 && Number(reps) === 0) return [];
    return [{ ...NO_SET, ...(Number(weight) === 0 ? {} : { weight, unit }), reps: Number(reps) }];
  });
}
