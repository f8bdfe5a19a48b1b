import { readTable, type Table } from './csv.ts';
import { columnsOf, normalHeader } from './headers.ts';
import { Workouts } from './layout.ts';
import { Line, type Reading } from './line.ts';
import { commaIn, decimalText } from './numbers.ts';
import { later } from './times.ts';
import { BadLine, type FileSet, NO_SET, type SkippedLine } from './training.ts';

const HEADING = /^#+\s*([A-Z][A-Z ]+?)\s*#+\s*$/gm;
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
    start: ['starttime'],
    total: ['total_time'],
    day: ['mydate'],
  });
  const sessions = new Map<string, Session>();
  attempt(sessionTable, ofSessions, skipped, (line) => void sessions.set(line.text('id'), sessionOf(line)));
  const ofLogs = reading(logTable, {
    name: ['ename'],
    session: ['belongsession'],
    logs: ['logs'],
    day: ['mydate'],
  });
  const workouts = new Workouts();
  attempt(logTable, ofLogs, skipped, (line) => {
    const sets = setsOf(line.text('logs'), unit ?? null);
    if (line.text('name') === '') throw new BadLine('no-exercise');
    if (sets.length === 0) return;
    const id = line.text('session');
    const { startedAt, endedAt } = sessions.get(id) ?? { startedAt: line.date('day'), endedAt: null };
    if (sets.some(({ weight }) => weight !== null)) ofLogs.open.unit = true;
    const key = sessions.has(id) ? id : startedAt;
    workouts.at(key, '', startedAt, endedAt).add(line.text('name'), sets, { notes: '', isEntry: true });
  });
  return { workouts, skipped, open: ofLogs.open, ignored: [] };
}

function attempt(table: Table, reading: Reading, skipped: SkippedLine[], read: (line: Line) => void): void {
  for (const { line, cells } of table.rows) {
    try {
      read(new Line(cells, reading));
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      skipped.push({ line, reason: error.reason });
    }
  }
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
