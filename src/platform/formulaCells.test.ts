import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defused, undefused } from './formulaCells.ts';

const text = fc.string({
  unit: fc.constantFrom('=', '+', '-', '@', "'", '\t', '\r', '\n', ' ', ';', ',', 'x', '1', '😀'),
});

describe('cells that a spreadsheet would run', () => {
  it.for([
    ['=1+1', "'=1+1"],
    ['\t=1', "'\t'=1"],
    ['\r@x', "'\r'@x"],
    ['  =1', "'  '=1"],
    ['x;=1+1', "x;'=1+1"],
    ["'=1", "''=1"],
    ["'hello", "'hello"],
    ['a - b', 'a - b'],
  ])('%j is written as %j', ([raw = '', written]) => {
    expect(defused(raw)).toBe(written);
  });

  it('come back exactly', () => {
    fc.assert(
      fc.property(text, (raw) => {
        expect(undefused(defused(raw))).toBe(raw);
      }),
      { numRuns: 5_000 },
    );
  });

  it('begin nowhere with a formula, whichever separator a program splits at', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(';', ',', '\t', '\n', '\r'), (raw, separator) => {
        for (const cell of defused(raw).split(separator)) expect(cell.trimStart()).not.toMatch(/^[=+\-@]/);
      }),
      { numRuns: 5_000 },
    );
  });
});
