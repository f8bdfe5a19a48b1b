// What somebody hostile, or a program in a bad mood, has sent: each costs what it holds, and loses nothing in silence.
import { describe, expect, it } from 'vitest';
import { defused, undefused } from '#platform/formulaCells.ts';
import { parseWellFormed } from '#platform/wellFormed.ts';
import { readTrainingFile } from './reading/trainingFile.ts';

const read = (text: string, answers = {}) => readTrainingFile(Buffer.from(text), answers);
const STRONG = 'Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps,Notes,Duration';
const strong = (...lines: string[]) => read([STRONG, ...lines].join('\n'));
const setsOf = (file: Awaited<ReturnType<typeof read>>) =>
  file.workouts.flatMap(({ exercises }) =>
    exercises.flatMap(({ name, sets }) => sets.map((set) => ({ name, ...set }))),
  );

describe('texts that look like much', () => {
  // Work that grows with the square of these would not end within the time of a test.
  const MANY = 2_000_000;

  it('cost what they hold', () => {
    const lines = `x${'\n'.repeat(MANY)}x`;
    expect(defused(lines)).toBe(lines);
    const tabs = `x'${'\t'.repeat(MANY)}x`;
    expect(undefused(tabs)).toBe(tabs);
    expect(parseWellFormed(`"${'\\ud83d'.repeat(MANY / 10)}"`)).toBe('\ufffd'.repeat(MANY / 10));
  });

  it('are no heading of Jefit, no date and no duration', async () => {
    const blanks = ' '.repeat(90_000);
    await expect(read(`##A${blanks}x\n1`)).rejects.toMatchObject({ code: 'IMPORT_UNKNOWN_FILE' });
    const file = await strong(
      `2025-01-01 10:00${blanks}x,A,Squat,1,100,kg,5,,`,
      `2025-01-01,A,Squat,1,100,kg,5,,1h${blanks}x`,
    );
    expect([file.skipped, setsOf(file).length]).toEqual([[{ line: 2, reason: 'date' }], 1]);
  });
});

describe('JSON with half an emoji', () => {
  it.for([
    ['"\\ud83d"', '\ufffd'],
    ['"\\ude00x"', '\ufffdx'],
    ['"\\ud83d\\ude00"', '😀'],
    ['"\\ud83d\\ud83d\\ude00"', '\ufffd😀'],
    ['"\\\\ud83d"', '\\ud83d'],
    ['"\\\\\\ud83d"', '\\\ufffd'],
  ])('%s is read', ([text = '', value]) => {
    expect(parseWellFormed(text)).toBe(value);
  });

  it('in a name, too', () => {
    expect(parseWellFormed('{"\\udc00": ["\\ud800"]}')).toEqual({ '\ufffd': ['\ufffd'] });
  });
});

describe('rows', () => {
  it('with more cells than the header are named, never shifted', async () => {
    const file = await strong('2025-01-01,A,Squat,1,82,5,kg,8,,', '2025-01-01,A,Squat,2,80,kg,8,,');
    expect([setsOf(file).map(({ weight }) => weight), file.skipped]).toEqual([
      ['80'],
      [{ line: 2, reason: 'columns' }],
    ]);
  });

  it('whose notes begin with a quotation mark and go on in the next line are kept', async () => {
    const file = await strong(
      '2025-01-01,A,Squat,1,100,kg,5,"""Great"" said coach\nsecond line",',
      '2025-01-01,A,Squat,2,100,kg,5,,',
    );
    expect([setsOf(file).length, file.skipped]).toEqual([2, []]);
    expect(file.workouts[0]?.exercises[0]?.notes).toBe('"Great" said coach\nsecond line');
  });
});

describe('times', () => {
  it('of a set in fractions of a second are rounded', async () => {
    const file = await read('title,start_time,exercise_title,set_index,duration_seconds\nA,2025-01-01,Plank,0,60.5');
    expect(setsOf(file)).toMatchObject([{ seconds: 61 }]);
  });

  it('of a workout are read as a clock, and in the unit of the header', async () => {
    const clock = await strong('2025-01-01 10:00:00,A,Squat,1,100,kg,5,,1:05:00');
    expect(clock.workouts).toMatchObject([{ endedAt: '2025-01-01T11:05:00', lasts: 3900 }]);
    const columns = new Map([
      ['date', 'd'],
      ['exercise', 'e'],
      ['reps', 'r'],
      ['duration', 'Length (min)'],
    ]);
    const minutes = await read('d,e,r,Length (min)\n2025-01-01 10:00,Squat,5,75', { columns });
    expect(minutes.workouts).toMatchObject([{ endedAt: '2025-01-01T11:15:00' }]);
  });

  it('at the edge of the calendar are refused where a zone could push them over it', async () => {
    const file = await strong('2199-12-31 23:59:00,A,Squat,1,100,kg,5,,', '1900-01-01 00:00:00,A,Squat,1,100,kg,5,,');
    expect(file.skipped.map(({ reason }) => reason)).toEqual(['date', 'date']);
  });
});

describe('programs', () => {
  it('LiftLog writes the newest row first: a session begins with the earliest and ends with the last', async () => {
    const file = await read(`SessionId,Timestamp,Exercise,Weight,WeightUnit,Reps,TargetReps,Notes
a,2024-05-01T11:44:00Z,Bench Press,60,kg,5,5,
a,2024-05-01T10:44:00Z,Squat,105,kg,5,5,
a,2024-05-01T10:40:00Z,Squat,100,kg,5,5,
b,2024-04-30T10:40:00Z,Pull Up,0,-,5,5,`);
    expect(file.skipped).toEqual([]);
    const session = file.workouts.find(({ exercises }) => exercises.length === 2);
    expect(session).toMatchObject({ startedAt: '2024-05-01T10:40:00.000Z', endedAt: '2024-05-01T11:44:00.000Z' });
    expect(session?.exercises.map(({ name, sets }) => [name, sets.map(({ weight }) => weight)])).toEqual([
      ['Squat', ['100', '105']],
      ['Bench Press', ['60']],
    ]);
  });

  it('Jefit without quotes keeps every set, names what it does not read, and knows its misspelling', async () => {
    const file = await read(`### WORKOUT SESSIONS ###
_id,starttimie,starttime,total_time,mydate
7,1700000000,,3600,2023-11-14
#########
### CARDIO LOGS ###
_id,name
1,Run
### EXERCISE LOGS ###
belongsession,ename,logs
7,Squat,60x8,60x8
##########
`);
    expect(file).toMatchObject({ skipped: [], ignoredColumns: ['CARDIO LOGS'] });
    expect(file.workouts).toMatchObject([{ startedAt: '2023-11-14T22:13:20.000Z' }]);
    expect(setsOf(file)).toHaveLength(2);
  });

  it('weights over the bound stay as they are written', async () => {
    const header = 'Date;Workout Name;Exercise Name;Set Order;Weight (kg);Reps';
    const pounds = [45, 135, 225, 315, 11_000].map((lb) => `2025-01-01;A;Press;1;${lb * 0.45359237};5`);
    const file = await read([header, ...pounds].join('\n'), { unit: 'lb' });
    expect(setsOf(file).map(({ weight, unit }) => `${weight} ${unit}`)).toContain('4989.51607 kg');
  });
});
