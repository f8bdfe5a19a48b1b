import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDateWithMonth } from './dateWithMonth.ts';
import { monthOf } from './months.ts';

const LANGUAGES = [
  ...['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'tr', 'pl', 'ru', 'sv', 'da', 'nb', 'fi', 'cs', 'ja', 'zh'],
  ...['en-GB', 'en-US', 'de-AT', 'fr-CA', 'es-MX', 'zh-TW', 'ko', 'uk'],
];
const minutes = fc.date({ min: new Date('1900-01-01'), max: new Date('2199-12-31T23:59:00Z'), noInvalidDate: true });

describe('dates that name their month', () => {
  it.for(LANGUAGES)('what is written in %s is read back', (language) => {
    const styles = (['medium', 'long', 'full'] as const).flatMap((dateStyle) =>
      (['h12', 'h23'] as const).flatMap((hourCycle) =>
        (['short', 'medium'] as const).map((timeStyle) => ({ dateStyle, timeStyle, hourCycle })),
      ),
    );
    const formats = styles.map((style) => new Intl.DateTimeFormat(language, { ...style, timeZone: 'UTC' }));
    fc.assert(
      fc.property(minutes, fc.constantFrom(...formats), (date, format) => {
        const precision = format.resolvedOptions().timeStyle === 'short' ? 16 : 19;
        expect(readDateWithMonth(format.format(date))?.slice(0, precision)).toBe(
          date.toISOString().slice(0, precision),
        );
      }),
      { numRuns: 300 },
    );
  });

  it.for([
    ['15 Sep 2025, 07:48', '2025-09-15T07:48:00'],
    ['15 Sept 2025, 07:48', '2025-09-15T07:48:00'],
    ['Sep 15, 2025, 7:48 AM', '2025-09-15T07:48:00'],
    ['Sep 15, 2025, 12:05 am', '2025-09-15T00:05:00'],
    ['Sep 15, 2025 at 12:05 p.m.', '2025-09-15T12:05:00'],
    ['Sep 15, 2025, 7:48\u202fPM', '2025-09-15T19:48:00'],
    ['Mon, September 15th, 2025 7:48:09 PM', '2025-09-15T19:48:09'],
    ['5 Mai 2026, 18:00', '2026-05-05T18:00:00'],
    ['28 Abr 2026, 18:00', '2026-04-28T18:00:00'],
    ['3 févr. 2026, 18:00', '2026-02-03T18:00:00'],
    ['3 fevr. 2026, 18:00', '2026-02-03T18:00:00'],
    ['1er août 2026, 18h05', '2026-08-01T18:05:00'],
    ['15 de set. de 2025, 07:48', '2025-09-15T07:48:00'],
    ['15 sep 2025, 7:48 p. m.', '2025-09-15T19:48:00'],
    ['15. Sep. 2025, 07:48', '2025-09-15T07:48:00'],
    ['15 Eyl 2025 07:48', '2025-09-15T07:48:00'],
    ['15 ARALIK 2025, 07:48', '2025-12-15T07:48:00'],
    ['15 września 2025 07:48', '2025-09-15T07:48:00'],
    ['wrzesień 15 2025 07:48', '2025-09-15T07:48:00'],
    ['15 фев. 2025 г., 07:48', '2025-02-15T07:48:00'],
    ['15. září 2025 v 7:48 odp.', '2025-09-15T19:48:00'],
    ['15.9.2025 klo 7.48', '2025-09-15T07:48:00'],
    ['2025年9月15日 07:48', '2025-09-15T07:48:00'],
    ['2025年9月15日(月) 午後0:48', '2025-09-15T12:48:00'],
    ['2025년 9월 15일 오후 7:48', '2025-09-15T19:48:00'],
    ['2025/09/15 19:48', '2025-09-15T19:48:00'],
    ['29 Feb 2024', '2024-02-29T00:00:00'],
  ])('%s', ([written = '', meant]) => {
    expect(readDateWithMonth(written)).toBe(meant);
  });

  it.for([
    ...['', 'Bench Press', '15 2025, 07:48', 'Sep 2025', '15 Sep', '15 Sep 25, 07:48', '15 Sep 2025 Oct, 07:48'],
    ...['31 Sep 2025, 07:48', '29 Feb 2025', '15 Sep 2025, 24:00', '15 Sep 2025, 07:60', '15 Sep 2025, 19:48 PM'],
    ...['15 Sep 1899, 07:48', '15 Sep 2200, 07:48', '15 Sep 0000, 07:48', '15 Sep 2025, 07:48 07:49'],
    ...[
      '09/15/2025 07:48',
      '15/09/2025 07:48',
      '15 Brumaire 2025, 07:48',
      '15 Sep 2025, 7:48 zzz',
      '15 constructor 2025',
    ],
    ...['2025-09-15T07:48:00+02:00', '15 Sep 2025 AM', '2025-09-15 Sep'],
  ])('%s is none', (written) => {
    expect(readDateWithMonth(written)).toBeUndefined();
  });

  it('reads any text without an error', () => {
    const piece = fc.constantFrom(
      '15',
      '2025',
      'Sep',
      '年',
      '.',
      ' ',
      ':',
      'pm',
      'p.',
      'm.',
      '7',
      '\u0301',
      'ı',
      '\ud800',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          const read = readDateWithMonth(text);
          expect(read).toBe(read && new Date(`${read}Z`).toISOString().slice(0, 19));
        },
      ),
    );
  });
});

describe('names of months', () => {
  it('mean one month in every language', () => {
    const known = new Map<string, Set<number>>();
    for (const language of LANGUAGES) {
      for (const [month, style] of Array.from({ length: 12 }, (_, n) => n).flatMap((n) =>
        (['long', 'short'] as const).map((one) => [n, one] as const),
      )) {
        const alone = new Intl.DateTimeFormat(language, { month: style, timeZone: 'UTC' });
        const withDay = new Intl.DateTimeFormat(language, { day: 'numeric', month: style, timeZone: 'UTC' });
        for (const format of [alone, withDay]) {
          const name =
            format.formatToParts(Date.UTC(2025, month, 15)).find(({ type }) => type === 'month')?.value ?? '';
          known.set(name, (known.get(name) ?? new Set()).add(month + 1));
        }
      }
    }
    const named = [...known].filter(([name]) => /^\p{L}+\.?$/u.test(name));
    expect(named.length).toBeGreaterThan(300);
    for (const [name, months] of named) expect([name, ...months]).toEqual([name, monthOf(name)]);
  });

  it.for([
    'mars',
    'mart',
    'marts',
    'mrt',
    'mar',
    'maart',
    'märz',
    'marz',
    'март',
    'марта',
    'marzec',
    'maaliskuuta',
    'bře',
  ])('%s is March', (name) => {
    expect(monthOf(name)).toBe(3);
  });

  it.for([
    ['lis', 11],
    ['listopad', 11],
    ['srp', 8],
    ['lip', 7],
    ['kas', 11],
    ['eki', 10],
    ['sep.', 9],
    ['SEPT', 9],
  ] as const)('%s is month %i', ([name, month]) => {
    expect(monthOf(name)).toBe(month);
  });

  it.for(['', 'constructor', '__proto__', 'de', 'pm', 'rujan', '9'])('%j is none', (name) => {
    expect(monthOf(name)).toBeUndefined();
  });
});
