import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joinBytes } from './joinBytes.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

it('is what joining as text gives, whatever was joined before', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 200 }), (pieces) => {
      expect(joinBytes(pieces).toString()).toBe(Buffer.from(pieces.join('')).toString());
    }),
  );
});

it('leaves an earlier result alone', () => {
  const first = joinBytes(['a', 'b']);
  joinBytes(['c', 'd']);
  expect(first.toString()).toBe('ab');
});

it('takes more than its scratch memory holds', () => {
  const piece = 'ü'.repeat(1_000_000);
  for (const count of [1, 2, 1]) expect(joinBytes(Array(count).fill(piece)).length).toBe(count * 2_000_000);
});
