import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildMatcher } from './matching.ts';
import { keyOf, wordsOf } from './names/words.ts';

const ROOT = join(import.meta.dirname, '../../..');
const unquoted = (text = '') => text.replaceAll("''", "'");

/** The first text columns of each row that a file of the seed holds. */
function seeded(file: string, row: RegExp): string[][] {
  const rows = [...readFileSync(join(ROOT, 'db/seed', file), 'utf8').matchAll(row)];
  return rows.map((found) => found.slice(1).map(unquoted));
}

const exercises = seeded('exercises.sql', /^ {2}\('((?:''|[^'])*)', '/gm).map(([name = ''], n) => ({
  id: n + 1,
  name,
  is_own: false,
}));
const idOf = new Map(exercises.map(({ id, name }) => [name, id]));
const nameOf = new Map(exercises.map(({ id, name }) => [id, name]));
const aliases = seeded('exercises_aliases.sql', /^ {4}\('((?:''|[^'])*)', '((?:''|[^'])*)'\)/gm).map(
  ([name = '', exercise = '']) => ({ name: name.toLowerCase(), exercise_id: idOf.get(exercise) ?? 0 }),
);
const matcher = buildMatcher(exercises, aliases);

/** The catalogue's name for a name, or `-`. */
function matched(name: string): string {
  const match = matcher.match(name);
  return typeof match === 'number' ? (nameOf.get(match) ?? '') : '-';
}

const pairsIn = (file: string): Array<[string, string]> =>
  readFileSync(join(ROOT, 'tests/exerciseNames', file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [first = '', second = ''] = line.split('\t');
      return [first, second];
    });

describe('the catalogue', () => {
  it('says nothing twice: no two exercises have the same words', () => {
    const keys = exercises.map(({ name }) => keyOf(wordsOf(name)));
    expect(keys.filter((key, n) => keys.indexOf(key) !== n)).toEqual([]);
  });

  it('has an exercise for each alias, and aliases of the same words lead to the same one', () => {
    const known = new Map(exercises.map(({ id, name }) => [keyOf(wordsOf(name)), id]));
    for (const { name, exercise_id } of aliases) {
      expect([name, exercise_id]).not.toEqual([name, 0]);
      const key = keyOf(wordsOf(name));
      expect([name, nameOf.get(known.get(key) ?? exercise_id)]).toEqual([name, nameOf.get(exercise_id)]);
      known.set(key, exercise_id);
    }
    expect(aliases.length).toBeGreaterThan(2_000);
  });
});

describe('names of other programs', () => {
  it.for([
    ['hevy.txt', 400, 0.97],
    ['strong.txt', 250, 0.95],
    ['fitnotes.txt', 95, 0.9],
    ['others.txt', 120, 0.9],
    ['spellings.txt', 95, 0],
  ] as const)('%s: each is the exercise that it says', ([file, least, share]) => {
    const expected = pairsIn(file);
    expect(expected.length).toBeGreaterThanOrEqual(least);
    expect(expected.map(([name]) => [name, matched(name)])).toEqual(expected);
    expect(expected.filter(([, name]) => name !== '-').length / expected.length).toBeGreaterThan(share);
  });

  it('two that differ are never the same exercise', () => {
    const pairs = pairsIn('different.txt');
    expect(pairs.length).toBeGreaterThan(250);
    for (const [one, other] of pairs) {
      const found = [matched(one), matched(other)];
      expect([one, other, ...found]).not.toEqual([one, other, '-', '-']);
      expect([one, other, found[0]]).not.toEqual([one, other, found[1]]);
    }
  });
});

/** Words that make another exercise of one. */
const DISTINGUISHING = [
  ...['incline', 'decline', 'front', 'seated', 'lying', 'standing', 'kneeling', 'hanging', 'close grip', 'wide grip'],
  ...['reverse', 'reverse grip', 'neutral grip', 'single arm', 'single leg', 'sumo', 'romanian', 'bulgarian', 'split'],
  ...['assisted', 'hack', 'overhead', 'low to high', 'high to low', 'iso lateral', 'pause', 'deficit', 'box', 'jump'],
  ...['behind the neck', 'stiff leg', 'hammer', 'preacher', 'side', 'power', 'band', 'kettlebell', 'smith'],
  ...['cable', 'machine', 'dumbbell', 'barbell', 'ez bar', 'trap bar', 'suspension', 'bodyweight', 'weighted'],
];
/** Whether a person wrote down that this exercise is also called by a name with, or without, the word. */
const isSaid = (id: number, test: (name: string) => boolean) =>
  aliases.some(({ name, exercise_id }) => exercise_id === id && test(name.replaceAll('-', ' ')));

describe('a word that makes another exercise', () => {
  it.for(DISTINGUISHING)('%s', (word) => {
    const wrong = exercises.flatMap(({ id, name }) => {
      const plain = ` ${name.toLowerCase().replaceAll('smith machine', 'smith')} `;
      const has = plain.includes(` ${word} `);
      const written = has ? plain.replace(` ${word} `, ' ') : `${word}${plain}`;
      const isAlias = isSaid(id, (alias) => alias.includes(word) !== has);
      return matcher.match(written) === id && !isAlias ? [`${written} is not ${name}`] : [];
    });
    expect(wrong).toEqual([]);
  });
});

describe('matching', () => {
  const own = [
    { id: 10_001, name: 'bench press', is_own: true },
    { id: 10_002, name: 'My Cable Thing', is_own: true },
    { id: 10_003, name: 'Rows With Chains', is_own: true },
    { id: 10_004, name: 'Chains: Row', is_own: true },
  ];
  const learned = [...aliases, { name: 'skull crusher (ez bar)', exercise_id: 10_002 }];
  const theirs = buildMatcher([...exercises, ...own], learned);

  it('knows nothing of names that every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty', '']) {
      expect([name, theirs.match(name)]).toEqual([name, null]);
    }
  });

  it('prefers own exercises and learned names', () => {
    expect(theirs.match('Bench Press')).toBe(10_001);
    expect(theirs.match('cable thing, my')).toBe(10_002);
    expect(theirs.match('Skull Crusher (EZ Bar)')).toBe(10_002);
  });

  it('leaves to the person what could be two', () => {
    expect(theirs.match('Row (chains)')).toBeNull();
    expect(theirs.match('Bench Presses')).toBeNull();
    expect(theirs.match('Rows With Chains')).toBe(10_003);
  });

  it('does not depend on case, order of words, or hyphens', () => {
    fc.assert(
      fc.property(fc.constantFrom(...exercises), fc.infiniteStream(fc.nat()), ({ id, name }, numbers) => {
        const phrase = / to /.test(name) ? [name] : name.split(' ').map((word) => word.toUpperCase());
        const written = phrase.length === 1 ? name : `${name} `.replaceAll(' ', numbers.next().value % 2 ? '-' : '  ');
        expect([written, matcher.match(written)]).toEqual([written, id]);
        expect(keyOf(wordsOf(phrase.join(' ')))).toBe(keyOf(wordsOf(name)));
      }),
    );
  });

  it('reads any text without an error', () => {
    const piece = fc.constantFrom(
      'Press',
      'press',
      ' to ',
      ' ',
      '-',
      '(',
      "'",
      'é',
      '\u0301',
      '\ud83d',
      '💪',
      'İ',
      'ß',
      '卧推',
    );
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (name) => {
        expect(keyOf(wordsOf(name))).toBe(keyOf(wordsOf(name).toReversed()));
        expect(matcher.candidates(name).length).toBeLessThanOrEqual(3);
        expect(matcher.candidates(`${name}${'press '.repeat(50)}`)).toEqual([]);
      }),
    );
  });
});

describe('candidates', () => {
  it.for([
    ['Skulcrushers with barbel', 'Skull Crusher'],
    ['Bulgarien Split Squad', 'Bulgarian Split Squat'],
    ['Bankdruecken (Langhantel)', 'Bench Press'],
    ['Leg Curl', 'Lying Leg Curl'],
    ['Shrugs', 'Barbell Shrug'],
    ['Press de banca plano (barra)', 'Bench Press'],
  ])('%s could be %s', ([name = '', wanted]) => {
    expect(matcher.candidates(name).map((one) => one.name)).toContain(wanted);
  });

  it('are at most three different exercises, the likeliest first, and none for what is like nothing', () => {
    const found = matcher.candidates('Incline Dumbbell Bench Pres');
    expect(found).toHaveLength(3);
    expect(new Set(found.map(({ id }) => id)).size).toBe(3);
    expect(found[0]).toEqual({ id: idOf.get('Incline Dumbbell Press'), name: 'Incline Dumbbell Press' });
    expect(matcher.candidates('zzz qqq')).toEqual([]);
    expect(matcher.candidates('')).toEqual([]);
  });
});
