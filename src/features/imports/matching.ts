import type { KnownExerciseRow } from './imports.queries.ts';
import { keyOf, wordsOf } from './names/words.ts';

type Exercise = Pick<KnownExerciseRow, 'id' | 'name' | 'is_own'>;

const MOST_CANDIDATES = 3;
const LEAST_LIKENESS = 0.35;

/**
 * Looks names of a file up. Built once for all names of a file: it costs tens of milliseconds.
 * @param aliases names as other programs write them, in lower case: everybody's first, then the person's
 */
export function buildMatcher(exercises: Exercise[], aliases: Array<{ name: string; exercise_id: number }>) {
  const byName = new Map<string, number>();
  for (const { name, id } of exercises.toSorted((a, b) => Number(a.is_own) - Number(b.is_own))) {
    byName.set(name.toLowerCase(), id);
  }
  const byAlias = new Map(aliases.map(({ name, exercise_id }) => [name, exercise_id]));
  const spellings = spellingsOf([...exercises, ...aliases.map(({ exercise_id, name }) => ({ id: exercise_id, name }))]);
  const byKey = exercisesByKey(spellings);
  const likest = likenessIndex(spellings);
  const nameOf = new Map(exercises.map(({ id, name }) => [id, name]));
  return {
    /**
     * The exercise of this name, of this alias, or whose name or alias says the same in
     * other words (`Bench Press (Barbell)`, `barbell bench presses`). Null where there is none, or more than one.
     */
    match: (name: string): number | null =>
      byName.get(name.toLowerCase()) ?? byAlias.get(name.toLowerCase()) ?? byKey.get(keyOf(wordsOf(name))) ?? null,
    /** The likeliest exercises, at most three, best first. */
    candidates: (name: string): Array<{ id: number; name: string }> =>
      likest(name).flatMap((id) => {
        const known = nameOf.get(id);
        return known === undefined ? [] : [{ id, name: known }];
      }),
  };
}

interface Spelling {
  id: number;
  words: string[];
  key: string;
}

/** The names of each exercise, without those that only differ in what does not count. */
function spellingsOf(names: Array<{ id: number; name: string }>): Spelling[] {
  const spellings = new Map<string, Spelling>();
  for (const { id, name } of names) {
    const words = wordsOf(name);
    const key = keyOf(words);
    if (key !== '') spellings.set(`${id} ${key}`, { id, words, key });
  }
  return [...spellings.values()];
}

/** A key that stands for two exercises leads to neither. */
function exercisesByKey(spellings: Spelling[]): ReadonlyMap<string, number | null> {
  const byKey = new Map<string, number | null>();
  for (const { id, key } of spellings) byKey.set(key, byKey.has(key) ? null : id);
  return byKey;
}

/**
 * Finds names by the threes of letters that they share (Dice's coefficient, Dice 1945): only names that share one with the
 * name that is looked for are looked at.
 */
function likenessIndex(spellings: Spelling[]): (name: string) => number[] {
  const spellingsWith = new Map<string, number[]>();
  const sizes = spellings.map(({ words }, at) => {
    const grams = gramsOf(words);
    for (const gram of grams) {
      const known = spellingsWith.get(gram);
      if (known) known.push(at);
      else spellingsWith.set(gram, [at]);
    }
    return grams.size;
  });
  const shared = new Uint16Array(spellings.length);
  return (name) => {
    const wanted = gramsOf(wordsOf(name));
    const met: number[] = [];
    for (const gram of wanted) {
      for (const at of spellingsWith.get(gram) ?? []) {
        const before = shared[at] ?? 0;
        if (before === 0) met.push(at);
        shared[at] = before + 1;
      }
    }
    const best = new Map<number, number>();
    for (const at of met) {
      const likeness = (2 * (shared[at] ?? 0)) / (wanted.size + (sizes[at] ?? 0));
      shared[at] = 0;
      const id = spellings[at]?.id;
      if (id !== undefined && likeness >= LEAST_LIKENESS && likeness > (best.get(id) ?? 0)) best.set(id, likeness);
    }
    const likest = [...best].toSorted(([, a], [, b]) => b - a);
    return likest.slice(0, MOST_CANDIDATES).map(([id]) => id);
  };
}

/** Threes of letters of each word, its beginning counting as a letter; a word of one letter is one by itself. */
function gramsOf(words: string[]): Set<string> {
  const grams = new Set<string>();
  for (const word of words) {
    const spaced = ` ${word}`;
    for (let at = 0; at < Math.max(1, spaced.length - 2); at++) grams.add(spaced.slice(at, at + 3));
  }
  return grams;
}
