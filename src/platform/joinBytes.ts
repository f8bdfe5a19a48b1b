/** Grows to the longest text so far, up to a bound. */
let scratch = Buffer.alloc(64 * 1024);
const MOST_SCRATCH_BYTES = 4 * 1024 * 1024;
/** UTF-8 needs at most so many bytes for a unit of UTF-16. */
const MOST_BYTES_A_UNIT = 3;

/**
 * Joins texts as UTF-8. Writing them one after the other takes a fifth of the time that joining them as a text and
 * encoding that takes, where the result is large (3,800 pieces, 175 kB: 0.2 instead of 1.1 ms).
 */
export function joinBytes(pieces: string[]): Buffer {
  let most = 0;
  for (const piece of pieces) most += MOST_BYTES_A_UNIT * piece.length;
  if (most > MOST_SCRATCH_BYTES) return Buffer.from(pieces.join(''));
  if (most > scratch.length) scratch = Buffer.alloc(most);
  let length = 0;
  for (const piece of pieces) length += scratch.write(piece, length);
  return Buffer.copyBytesFrom(scratch, 0, length);
}
