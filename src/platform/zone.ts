import { LRUCache } from 'lru-cache';

/** Names by what was written: making a formatter takes a tenth of a warm read. Nonsense is not kept. */
const canonicalNames = new LRUCache<string, string>({ max: 1_000 });

/**
 * The IANA zone that a request names, repaired and canonicalised (behaviour 0.10).
 * @returns undefined when none is named
 * @throws RangeError for anything that is not a zone; numeric offsets are not zones
 */
export function canonicalZone(sent: unknown): string | undefined {
  const first: unknown = Array.isArray(sent) ? sent[0] : sent;
  if (first === undefined || first === null) return undefined;
  if (typeof first !== 'string') throw new RangeError('not a zone');
  const name = first.trim();
  if (name === '' || name === 'undefined' || name === 'null') return undefined;
  // The app's bootstrap URL is not percent-encoded: Etc/GMT+2 arrives with a space.
  const repaired = name.replaceAll(' ', '+');
  if (!/^[A-Za-z]/.test(repaired)) throw new RangeError('not a zone');
  const known = canonicalNames.get(repaired);
  if (known !== undefined) return known;
  const canonical = new Intl.DateTimeFormat('en', { timeZone: repaired }).resolvedOptions().timeZone;
  canonicalNames.set(repaired, canonical);
  return canonical;
}
