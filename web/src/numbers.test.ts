import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemWith, readNumber } from './numbers.ts';

const digits = (least: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: least, maxLength: 9 });
const separator = fc.constantFrom('.', ',', '٫');

describe('a number that a person types', () => {
  it('never changes its magnitude, whichever separator it has', () => {
    fc.assert(
      fc.property(digits(1), separator, digits(0), (whole, mark, part) => {
        expect(readNumber(`${whole}${mark}${part}`)).toBe(Number(`${whole}.${part || 0}`));
        expect(readNumber(`${mark}${whole}`)).toBe(Number(`0.${whole}`));
        expect(readNumber(whole)).toBe(Number(whole));
      }),
    );
  });

  it('is not read with more than one separator, or with anything else in it', () => {
    fc.assert(
      fc.property(digits(0), separator, digits(0), separator, digits(0), (a, first, b, second, c) => {
        expect(readNumber(a + first + b + second + c)).toBeUndefined();
      }),
    );
    const other = fc.string({ minLength: 1 }).filter((text) => /[^\p{Nd}.,٫\s]/u.test(text.normalize('NFKC')));
    fc.assert(
      fc.property(digits(0), other, digits(0), (a, text, b) => {
        expect(readNumber(a + text + b)).toBeUndefined();
      }),
    );
  });

  it('is read as every locale of the browser writes it', () => {
    const locale = fc.constantFrom('en', 'de', 'fr', 'he', 'ar-EG', 'fa', 'pt-BR', 'ja', 'tr', 'cs');
    fc.assert(
      fc.property(locale, fc.integer({ min: 0, max: 9_999_999 }), (language, thousandths) => {
        const value = thousandths / 1000;
        const written = value.toLocaleString(language, { useGrouping: false, maximumFractionDigits: 3 });
        expect([language, written, readNumber(written)]).toEqual([language, written, value]);
      }),
    );
  });

  it.each([
    ['82,5', 82.5],
    ['82.5', 82.5],
    [' 82,5 ', 82.5],
    ['82,', 82],
    [',5', 0.5],
    ['1,000', 1],
    ['', undefined],
    [',', undefined],
    ['1 000', undefined],
    ['-5', undefined],
    ['1e3', undefined],
    ["1'000", undefined],
    ['1,000.5', undefined],
  ])('%o is %o', (text, value) => {
    expect(readNumber(text)).toBe(value);
  });
});

it('what does not fit is said in words', () => {
  const weight = { most: 9999.999, places: 3 };
  expect(['', '82,5', '9999,999'].map((text) => problemWith(text, weight))).toEqual(['', '', '']);
  expect(problemWith('82,,5', weight)).toBe('Enter a number, such as 82.5 or 82,5.');
  expect(problemWith('10000', weight)).toBe('Enter a number from 0 to 9999.999.');
  expect(problemWith('1,2345', weight)).toBe('Enter at most 3 decimals.');
  expect(problemWith('8,5', { most: 10_000 })).toBe('Enter a whole number.');
  expect(problemWith('5', { least: 10, most: 900 })).toBe('Enter a number from 10 to 900.');
});
