import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Document, SetDone } from './drafts.ts';
import { countSets, hasValue, leftOut, onlyDone, probableEnd, problemWithTimes, tickAll } from './finishing.ts';

const value = fc.option(fc.integer({ min: 0, max: 500 }));
const set: fc.Arbitrary<SetDone> = fc.record({
  key: fc.uuid(),
  isDone: fc.boolean(),
  kind: fc.constantFrom('normal', 'warmup', 'drop', 'failure'),
  side: fc.constant(null),
  weight: value,
  unit: fc.constant('kg'),
  reps: value,
  seconds: value,
  distanceM: value,
  rpe: fc.constant(null),
  restSec: fc.constant(null),
  doneAt: fc.constant(null),
});
const workout: fc.Arbitrary<Document> = fc.record({
  title: fc.string(),
  notes: fc.string(),
  startedAt: fc.constant('2026-11-26T18:00:00.000Z'),
  endedAt: fc.constant(null),
  timeZone: fc.constant('UTC'),
  splitId: fc.constant(null),
  blocks: fc.array(
    fc.record({
      id: fc.uuid(),
      exerciseId: fc.nat(),
      superset: fc.constant(null),
      notes: fc.constantFrom('', 'Slow'),
      sets: fc.array(set, { maxLength: 5 }),
    }),
    { maxLength: 4 },
  ),
});
const setsOf = ({ blocks }: Document) => blocks.flatMap(({ sets }) => sets);

describe('finishing', () => {
  it('stores the sets that are ticked and have a value, in their order, and names every other that is not empty', () => {
    fc.assert(
      fc.property(workout, (written) => {
        const stored = setsOf(onlyDone(written));
        expect(stored).toEqual(setsOf(written).filter((one) => one.isDone && hasValue(one)));
        const named = leftOut(written).map((left) => left.set);
        const silent = setsOf(written).filter((one) => !stored.includes(one) && !named.includes(one));
        expect(stored.length + named.length + silent.length).toBe(countSets(written));
        expect(silent.filter((one) => one.isDone || hasValue(one))).toEqual([]);
      }),
    );
  });

  it('keeps an exercise without sets for its notes only', () => {
    fc.assert(
      fc.property(workout, (written) => {
        const { blocks } = onlyDone(written);
        expect(blocks.filter(({ sets, notes }) => sets.length === 0 && notes === '')).toEqual([]);
        const noted = (all: Document['blocks']) => all.filter(({ notes }) => notes !== '').map(({ id }) => id);
        expect(noted(blocks)).toEqual(noted(written.blocks));
      }),
    );
  });

  it('ticking all leaves out only what is empty', () => {
    fc.assert(
      fc.property(workout, (written) => {
        const all = tickAll(written);
        expect(setsOf(onlyDone(all))).toHaveLength(setsOf(written).filter(hasValue).length);
        expect(leftOut(all).filter((left) => hasValue(left.set))).toEqual([]);
      }),
    );
  });
});

describe('times', () => {
  const begin = '2026-11-26T03:00:00.000Z';
  const later = (minutes: number) => new Date(Date.parse(begin) + minutes * 60_000).toISOString();
  const now = (minutes: number) => Date.parse(later(minutes));

  it('the end is not before the beginning, nor more than a day after it', () => {
    expect(problemWithTimes(begin, later(-1))).toBe('The end must be after the beginning.');
    expect([0, 90, 1440].map((minutes) => problemWithTimes(begin, later(minutes)))).toEqual(['', '', '']);
    expect(problemWithTimes(begin, later(1441))).toMatch('24 hours');
  });

  it('a workout under way has no end yet; one of long ago ended when it was last written at, or after an hour', () => {
    expect(probableEnd(begin, later(10), now(240))).toBeUndefined();
    expect(probableEnd(begin, later(48), now(1185))).toBe(later(48));
    for (const changedAt of [null, undefined, later(1184), later(-5)]) {
      expect(probableEnd(begin, changedAt, now(1185))).toBe(later(60));
    }
  });
});
