import { describe, expect, it } from 'vitest';
import { readTrainingFile } from './reading/trainingFile.ts';

const read = (text: string | Buffer, answers = {}) =>
  readTrainingFile(typeof text === 'string' ? Buffer.from(text) : text, answers);
const setsOf = (file: Awaited<ReturnType<typeof read>>) =>
  file.workouts.flatMap(({ exercises }) =>
    exercises.flatMap(({ name, sets }) => sets.map((set) => ({ name, ...set }))),
  );
const strong = (header: string, ...lines: string[]) => [header, ...lines].join('\n');

const STRONG = 'Date,Workout Name,Exercise Name,Set Order,kg,Reps,km,Seconds,Notes';

describe('columns', () => {
  it.for([
    ['kg', 'kg'],
    ['KG', 'kg'],
    ['lb', 'lb'],
    ['lbs', 'lb'],
    ['weight (lbs)', 'lb'],
    ['Weight(kg)', 'kg'],
    ['weight_lbs', 'lb'],
    ['Weight [kg]', 'kg'],
  ])('%s is a weight in %s', async ([header = '', unit]) => {
    const file = await read(
      strong(
        STRONG.replace(',kg,', `,${header},`),
        '2016-03-01 17:00:00,A,Squat,1,101.5,5,0,0,',
        '2016-03-01 17:00:00,A,Squat,2,100,5,0,0,',
      ),
    );
    expect(setsOf(file)).toMatchObject([
      { weight: '101.5', unit, reps: 5, distanceM: null },
      { weight: '100', unit, reps: 5 },
    ]);
    expect([file.ambiguous, file.ignoredColumns, file.skipped]).toEqual([[], [], []]);
  });

  it.for([
    ['km', 1000],
    ['mi', 1609.344],
    ['miles', 1609.344],
    ['distance (miles)', 1609.344],
    ['Distance (meters)', 1],
    ['distance_km', 1000],
  ] as const)('%s is a distance of %d metres', async ([header, metres]) => {
    const file = await read(strong(STRONG.replace(',km,', `,${header},`), '2016-03-01 17:00:00,A,Run,1,0,0,2,600,'));
    expect(setsOf(file)).toMatchObject([{ weight: null, reps: null, seconds: 600, distanceM: 2 * metres }]);
  });

  it('that nothing reads are named', async () => {
    const file = await read(`${STRONG},Mood,Bar\n2016-03-01 17:00:00,A,Squat,1,100,5,0,0,,good,20`);
    expect(file.ignoredColumns).toEqual(['Mood', 'Bar']);
  });

  it('without any amount are refused, with what was found', async () => {
    const file = 'Date,Workout Name,Exercise Name,Set Order,Load\n2016-03-01,A,Squat,1,100';
    await expect(read(file)).rejects.toMatchObject({ status: 422, message: expect.stringContaining('Load') });
  });

  it('of French Strong files are known', async () => {
    const header =
      "Date,Nom de l'entraînement,Durée,Nom de l'exercice,Ordre de la série,Poids,Réps,Distance,Secondes,Notes,Notes d'entraînement,RPE";
    const file = await read(`${header}\n2023-03-01 17:00:00,Jambes,1h,Squat,1,100,5,0,0,lourd,bien,8`, { unit: 'kg' });
    expect(file).toMatchObject({ source: 'strong', workouts: [{ title: 'Jambes', notes: 'bien' }] });
    expect(setsOf(file)).toMatchObject([{ weight: '100', unit: 'kg', reps: 5, rpe: 8 }]);
  });
});

describe('numbers', () => {
  it.for([
    ['2.2679618500000003', '2.26796185'],
    ['74.99999999999999', '75'],
    ['22.6796185', '22.6796185'],
    ['1e2', '100'],
    ['.5', '0.5'],
    ['60.0', '60'],
    ['0.1133980925', '0.113398093'],
  ])('%s is %s', async ([written, weight]) => {
    expect(setsOf(await read(`${STRONG}\n2016-03-01,A,Squat,1,${written},5,0,0,`))).toMatchObject([{ weight }]);
  });

  it.for([
    ['10000', '5', '0', '0', 'weight'],
    ['100', '10001', '0', '0', 'reps'],
    ['100', '5.5', '0', '0', 'number'],
    ['100', '5', '1001', '0', 'distance'],
    ['100', '5', '0', '1000001', 'seconds'],
    ['-5', '5', '0', '0', 'number'],
    ['NaN', '5', '0', '0', 'number'],
  ])(
    'weight %s, reps %s, km %s, seconds %s: the line is skipped for its %s',
    async ([kg, reps, km, seconds, reason]) => {
      const good = '2016-03-01 17:00:00,A,Squat,1,100,5,0,0,';
      const file = await read(`${STRONG}\n${good}\n2016-03-01 17:00:00,A,Squat,2,${kg},${reps},${km},${seconds},`);
      expect([setsOf(file).length, file.skipped]).toEqual([1, [{ line: 3, reason }]]);
    },
  );

  it('an RPE outside the scale is named', async () => {
    const file = await read(`${STRONG},RPE\n2016-03-01,A,Squat,1,100,5,0,0,,11\n2016-03-01,A,Squat,2,100,5,0,0,,8.5`);
    expect([setsOf(file).length, file.skipped]).toEqual([1, [{ line: 2, reason: 'rpe' }]]);
  });
});

describe('units', () => {
  const POUNDS = [45, 95, 135, 155, 185, 205, 225, 245, 275].map((lb) => lb * 0.45359237);
  const strongKg = (weights: number[]) =>
    [
      'Date;Workout Name;Exercise Name;Set Order;Weight (kg);Reps',
      ...weights.map((kg, n) => `2023-01-0${1 + (n % 9)};A;Squat;1;${kg};5`),
    ].join('\n');

  it('that most weights were entered in are asked for, and taken: pounds', async () => {
    const weights = [...POUNDS, 61.3]; // one was neither
    expect((await read(strongKg(weights))).ambiguous).toEqual(['unit-pounds']);
    const file = await read(strongKg(weights), { unit: 'lb' });
    expect(setsOf(file).map(({ weight, unit }) => `${weight} ${unit}`)).toEqual(
      expect.arrayContaining(['45 lb', '225 lb', '275 lb', '61.3 kg']),
    );
    expect(file.ambiguous).toEqual([]);
  });

  it('are not asked for where weights are clean as they are', async () => {
    expect((await read(strongKg([60, 62.5, 65, 100, ...POUNDS.slice(0, 1)]))).ambiguous).toEqual([]);
  });

  it('kilograms that were converted to pounds', async () => {
    const text = strongKg([60, 62.5, 80, 102.5].map((kg) => kg / 0.45359237)).replace('(kg)', '(lbs)');
    expect((await read(text)).ambiguous).toEqual(['unit-kilograms']);
    expect(setsOf(await read(text, { unit: 'kg' })).map(({ weight }) => weight)).toEqual(['60', '62.5', '80', '102.5']);
  });

  it('of weights and of distances are asked for apart', async () => {
    const header = 'Date,Workout Name,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes';
    const run = `${header}\n2023-01-01,A,Run,1,0,0,5,1500,`;
    expect((await read(run)).ambiguous).toEqual(['distance-unit']);
    expect(setsOf(await read(run, { distanceUnit: 'mi' }))).toMatchObject([{ distanceM: 8046.72 }]);
    const both = `${run}\n2023-01-01,A,Squat,1,100,5,0,0,`;
    expect((await read(both, { unit: 'lb' })).ambiguous).toEqual(['distance-unit']);
  });
});

describe('dates', () => {
  const hevy = (...starts: string[]) =>
    [
      'title,start_time,end_time,exercise_title,set_index,weight_kg,reps',
      ...starts.map((at) => `A,"${at}",,Squat,0,100,5`),
    ].join('\n');
  const startsOf = async (text: string, answers = {}) =>
    (await read(text, answers)).workouts.map(({ startedAt }) => startedAt.slice(0, 16));

  it('are read as ISO in any column', async () => {
    expect(await startsOf(hevy('2025-09-15T07:48:00Z', '2025-09-15 07:48', '2025-09-15'))).toEqual([
      '2025-09-15T07:48',
      '2025-09-15T07:48',
      '2025-09-15T00:00',
    ]);
  });

  it('have their order decided by the whole file, or asked for', async () => {
    expect(await startsOf(hevy('03/04/2025 07:48', '13/04/2025 07:48'))).toEqual([
      '2025-04-03T07:48',
      '2025-04-13T07:48',
    ]);
    expect(await startsOf(hevy('03/04/2025 7:48 PM', '04/13/2025 12:05 AM'))).toEqual([
      '2025-03-04T19:48',
      '2025-04-13T00:05',
    ]);
    const open = hevy('03/04/2025 07:48');
    expect((await read(open)).ambiguous).toEqual(['date-order']);
    expect(await startsOf(open, { dateOrder: 'mdy' })).toEqual(['2025-03-04T07:48']);
    expect((await read(open, { dateOrder: 'dmy' })).ambiguous).toEqual([]);
  });

  it('of Turkish and Japanese files are read', async () => {
    expect(await startsOf(hevy('15 Eyl 2025, 07:48', '2025年9月16日 07:48'))).toEqual([
      '2025-09-15T07:48',
      '2025-09-16T07:48',
    ]);
  });

  it('that do not exist are named', async () => {
    const file = await read(hevy('31/02/2025 07:48', '2025-09-15 25:00', '0000-01-01 10:00', '2025-09-15'));
    expect(file.skipped).toEqual([2, 3, 4].map((line) => ({ line, reason: 'date' })));
  });
});

describe('what Excel makes of files', () => {
  const rows = ['Date;Workout Name;Exercise Name;Set Order;Weight (kg);Reps', '2023-01-01;Füße;Squat;1;82,5;5'];
  const expected = [{ name: 'Squat', weight: '82.5', unit: 'kg', reps: 5 }];

  it('a line that names the separator', async () => {
    const file = await read(['sep=;', ...rows, 'x;y'].join('\r\n'));
    expect([setsOf(file), file.skipped]).toMatchObject([expected, [{ line: 4, reason: 'columns' }]]);
  });

  it('UTF-16, with and without a mark', async () => {
    const text = rows.join('\r\n').replaceAll(';', '\t');
    for (const bytes of [
      Buffer.from(`\uFEFF${text}`, 'utf16le'),
      Buffer.from(text, 'utf16le'),
      Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
    ]) {
      const file = await read(bytes);
      expect([setsOf(file), file.workouts[0]?.title]).toMatchObject([expected, 'Füße']);
    }
  });

  it('Windows-1252', async () => {
    const file = await read(Buffer.from(rows.join('\r\n'), 'latin1'));
    expect([setsOf(file), file.workouts[0]?.title]).toMatchObject([expected, 'Füße']);
  });
});

describe('quotes', () => {
  const HEADER = 'Date,Workout Name,Exercise Name,Set Order,Weight (kg),Reps,Notes';
  const line = (n: number, notes = '') => `2023-01-0${n} 10:00:00,A,Squat,1,100,5,${notes}`;

  it.for([
    ['in the last cell, before lines without quotes', [line(1), line(2, '"open'), line(3), line(4)]],
    ['in the last cell, before a quoted one', [line(1), line(2, '"open'), line(3), line(4, '"closed"')]],
    ['in the last line', [line(1), line(3), line(4), line(2, '"open')]],
    ['in the middle', [line(1), line(2).replace('A', '"A'), line(3), line(4)]],
  ] as const)('that never end cost their row only: %s', async ([, lines]) => {
    const file = await read([HEADER, ...lines].join('\n'));
    expect(file.workouts.map(({ startedAt }) => startedAt.slice(0, 10)).toSorted()).toEqual([
      '2023-01-01',
      '2023-01-03',
      '2023-01-04',
    ]);
    expect(file.skipped).toEqual([
      { line: 2 + lines.findIndex((one) => one.includes('2023-01-02')), reason: expect.any(String) },
    ]);
  });

  it('that end are kept, also over lines', async () => {
    const file = await read([HEADER, line(1, '"two\nlines, ""quoted"""'), line(2)].join('\n'));
    expect([file.workouts.length, file.skipped]).toEqual([2, []]);
    expect(file.workouts[0]?.exercises[0]?.notes).toBe('two\nlines, "quoted"');
  });

  it('do not make a file cost more than it holds', async () => {
    await expect(
      read([HEADER, ...Array.from({ length: 5_000 }, () => line(1, '"open'))].join('\n')),
    ).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('an emoji', () => {
  it('on any border of what is parsed at once stays whole', async () => {
    for (const shift of [0, 1, 2, 3]) {
      const notes = '💪'.repeat(20_000);
      const text = `Date,Workout Name,Exercise Name,Set Order,Weight (kg),Reps,Notes\n2023-01-01,A,${'x'.repeat(shift)}Squat,1,100,5,${notes}`;
      const file = await read(text);
      expect(file.workouts).toHaveLength(1);
      expect(file.workouts[0]?.exercises[0]?.notes).toBe(notes);
    }
  });
});

describe('programs', () => {
  it('Fitbod: instants, a workout is an equal date, warm-ups', async () => {
    const file =
      await read(`Date,Exercise,Reps,Weight(kg),Duration(s),Distance(m),Incline,Resistance,isWarmup,Note,multiplier
2022-01-05 22:06:49 +0000,Barbell Bench Press,10,20.41165665,0.0,0.0,0.0,0.0,true,,1.0
2022-01-05 22:06:49 +0000,Barbell Bench Press,8,61.234969950000005,0.0,0.0,0.0,0.0,false,felt good,1.0
2022-01-05 22:06:49 +0000,Running,0,0.0,600.0,2000.0,1.0,0.0,false,,1.0
2022-01-07 21:00:00 +0100,Plank,0,0.0,90.0,0.0,0.0,0.0,false,,1.0`);
    expect(file).toMatchObject({
      source: 'fitbod',
      ignoredColumns: ['Incline', 'Resistance', 'multiplier'],
      skipped: [],
    });
    expect(file.workouts.map(({ startedAt }) => startedAt)).toEqual([
      '2022-01-05T22:06:49.000Z',
      '2022-01-07T20:00:00.000Z',
    ]);
    expect(setsOf(file)).toMatchObject([
      { kind: 'warmup', weight: '20.41165665', unit: 'kg', reps: 10 },
      { kind: 'normal', weight: '61.23496995', reps: 8 },
      { name: 'Running', weight: null, reps: null, seconds: 600, distanceM: 2000 },
      { name: 'Plank', seconds: 90 },
    ]);
  });

  it('Jefit: sections, Unix seconds, sets in one cell', async () => {
    const text = `### ROUTINES ###
_id,name
1,"Push"

### WORKOUT SESSIONS ###
_id,edit_time,starttime,endtime,total_time,mydate
7,1,1700000000,1700003600,3600,2023-11-14
8,1,0,0,0,2023-11-16

### EXERCISE LOGS ###
_id,ename,belongsession,mydate,logs
1,"Bench Press",7,2023-11-14,"60x8,62.5x8,0x0"
2,"Push Up",7,2023-11-14,"0x20"
3,"Squat",8,2023-11-16,"100x5"
4,"Squat",8,2023-11-16,"heavy"
5,"Squat",8,2023-11-16,"0x0"
`;
    const file = await read(text);
    expect(file).toMatchObject({ source: 'jefit', ambiguous: ['unit'], skipped: [{ line: 15, reason: 'number' }] });
    expect(file.workouts).toMatchObject([
      { startedAt: '2023-11-14T22:13:20.000Z', endedAt: '2023-11-14T23:13:20.000Z' },
      { startedAt: '2023-11-16T00:00:00', endedAt: null },
    ]);
    expect(setsOf(await read(text, { unit: 'lb' }))).toMatchObject([
      { name: 'Bench Press', weight: '60', unit: 'lb', reps: 8 },
      { weight: '62.5', reps: 8 },
      { name: 'Push Up', weight: null, reps: 20 },
      { name: 'Squat', weight: '100', reps: 5 },
    ]);
  });

  it('LiftLog: sessions, a unit in each row', async () => {
    const file = await read(`SessionId,Timestamp,Exercise,Weight,WeightUnit,Reps,TargetReps,Notes
a,2024-05-01T10:00:00+02:00,Squat,100,Kilograms,5,5,deep
a,2024-05-01T10:05:00+02:00,Squat,225,Pounds,4,5,
b,2024-05-03T10:00:00+02:00,Bench Press,80,kg,5,5,`);
    expect(file).toMatchObject({ source: 'liftlog', ignoredColumns: ['TargetReps'], ambiguous: [] });
    expect(file.workouts.map(({ startedAt }) => startedAt)).toEqual([
      '2024-05-01T08:00:00.000Z',
      '2024-05-03T08:00:00.000Z',
    ]);
    expect(setsOf(file)).toMatchObject([
      { weight: '100', unit: 'kg' },
      { weight: '225', unit: 'lb', reps: 4 },
      { weight: '80' },
    ]);
  });

  it('any other, once somebody has said what its columns are', async () => {
    const text = 'Tag;Uhrzeit;Übung;Last kg;Wdh\n15.09.2025;07:48;Kniebeuge;82,5;5\n15.09.2025;07:48;Kniebeuge;85;4';
    await expect(read(text)).rejects.toMatchObject({
      code: 'IMPORT_UNKNOWN_FILE',
      message: expect.stringContaining('Übung'),
    });
    const columns = new Map([
      ['date', 'Tag'],
      ['time', 'Uhrzeit'],
      ['exercise', 'Übung'],
      ['weight', 'Last kg'],
      ['reps', 'Wdh'],
    ]);
    for (const answers of [
      { columns },
      {
        remembered: [
          new Map([
            ['date', 'Nope'],
            ['exercise', 'x'],
          ]),
          columns,
        ],
      },
    ]) {
      const file = await read(text, answers);
      expect([file.source, file.workouts.map(({ startedAt }) => startedAt)]).toEqual([
        'columns',
        ['2025-09-15T07:48:00'],
      ]);
      expect(setsOf(file)).toMatchObject([
        { weight: '82.5', unit: 'kg', reps: 5 },
        { weight: '85', reps: 4 },
      ]);
    }
    await expect(
      read(text, {
        columns: new Map([
          ['date', 'Datum'],
          ['exercise', 'Übung'],
        ]),
      }),
    ).rejects.toMatchObject({
      status: 400,
      message: 'The file has no column "Datum"',
    });
  });

  it.for([
    ['regular', 'normal'],
    ['warm_up', 'warmup'],
    ['drop', 'drop'],
    ['dropset', 'drop'],
    ['failure', 'failure'],
    ['constructor', 'normal'],
  ])('kind %s of Hevy is %s', async ([written, kind]) => {
    const text = `title,start_time,exercise_title,set_index,set_type,weight_kg,reps\nA,2025-01-01,Squat,0,${written},100,5`;
    expect(setsOf(await read(text))).toMatchObject([{ kind }]);
  });

  it('names that every object has are names', async () => {
    const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];
    const lines = names.map((name) => `2016-03-01,${name},${name},1,100,5,0,0,`);
    expect(setsOf(await read([STRONG, ...lines].join('\n'))).map(({ name }) => name)).toEqual(names);
    const units = `Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps\n${names.map((name) => `2016-03-01,A,Squat,1,100,${name},5`).join('\n')}`;
    expect((await read(units)).skipped.map(({ reason }) => reason)).toEqual(names.map(() => 'unit'));
  });
});
