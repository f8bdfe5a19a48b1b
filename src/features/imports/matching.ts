import type { KnownExerciseRow } from './imports.queries.ts';

/** What becomes of an exercise of a file. */
export type Match = number | 'create' | 'skip' | null;

export interface NameInFile {
  name: string;
  sets: number;
  measure: string;
}

const MOST_CANDIDATES = 3;
const LEAST_LIKENESS = 0.35;

/**
 * Looks names of a file up: what the person decided, what they decided for an earlier file, the name itself, and how other
 * programs write the catalogue's names. @param aliases everybody's first, then the person's
 */
export function buildMatcher(exercises: KnownExerciseRow[], aliases: Array<{ name: string; exercise_id: number }>) {
  const byName = new Map<string, number>();
  for (const { name, id, is_own } of exercises.toSorted((a, b) => Number(a.is_own) - Number(b.is_own))) {
    if (is_own || !byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), id);
  }
  const byAlias = new Map(aliases.map(({ name, exercise_id }) => [name, exercise_id]));
  const grams = exercises.map(({ id, name }) => ({ id, name, pairs: pairsOf(name) }));
  return {
    match: (name: string, mapping: Record<string, number | string>): Match =>
      (mapping[name] as Match | undefined) ?? byName.get(name.toLowerCase()) ?? byAlias.get(name.toLowerCase()) ?? null,
    /** The likeliest exercises, best first. */
    candidates: (name: string) => {
      const wanted = pairsOf(name);
      return grams
        .map(({ id, name: known, pairs }) => ({ id, name: known, likeness: likeness(wanted, pairs) }))
        .filter((one) => one.likeness >= LEAST_LIKENESS)
        .toSorted((a, b) => b.likeness - a.likeness)
        .slice(0, MOST_CANDIDATES)
        .map(({ id, name: known }) => ({ id, name: known }));
    },
  };
}

/** Pairs of letters of each word, for Dice's coefficient (Dice 1945). */
function pairsOf(name: string): Set<string> {
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.flatMap((word) => Array.from({ length: word.length }, (_, n) => ` ${word}`.slice(n, n + 2))));
}

function likeness(a: Set<string>, b: Set<string>): number {
  if (a.size + b.size === 0) return 0;
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return (2 * shared) / (a.size + b.size);
}
