/** Two spellings of one thing, as words of a name without accents and case; the longer ones come first. */
const PHRASES = new Map(
  Object.entries({
    'smith machine': 'smith',
    'cable machine': 'cable',
    'hammer strength': 'hammerstrength',
    'iso lateral': 'isolateral',
    'pull down': 'pulldown',
    'push down': 'pushdown',
    'press down': 'pushdown',
    'pull over': 'pullover',
    'pull through': 'pullthrough',
    'pull apart': 'pullapart',
    'pull up': 'pullup',
    'push up': 'pushup',
    'chin up': 'chinup',
    'sit up': 'situp',
    'step up': 'stepup',
    'muscle up': 'muscleup',
    'get up': 'getup',
    'v up': 'vup',
    'kick back': 'kickback',
    'skull crusher': 'skullcrusher',
    'cross over': 'crossover',
    'cross body': 'crossbody',
    'wood chop': 'woodchop',
    'wood chopper': 'woodchop',
    'dead lift': 'deadlift',
    'over head': 'overhead',
    'bent over': 'bentover',
    'body weight': 'bodyweight',
    'pec dec': 'pecdeck',
    'pec deck': 'pecdeck',
    'peck deck': 'pecdeck',
    't bar': 'tbar',
    'v bar': 'vbar',
    'ez bar': 'ezbar',
    'e z bar': 'ezbar',
    'ez curl bar': 'ezbar',
    'trap bar': 'trapbar',
    'hex bar': 'trapbar',
    'l sit': 'lsit',
    'one arm': 'single arm',
    '1 arm': 'single arm',
    'one armed': 'single arm',
    'single armed': 'single arm',
    'one leg': 'single leg',
    '1 leg': 'single leg',
    'one legged': 'single leg',
    'single legged': 'single leg',
    'stiff legged': 'stiff leg',
    'straight legged': 'straight leg',
    'narrow grip': 'close grip',
    'reverse grip': 'underhand',
    'underhand grip': 'underhand',
    'supinated grip': 'underhand',
    'tek kol': 'single arm',
    'tek bacak': 'single leg',
    'up to down': 'high to low',
    'down to up': 'low to high',
  }),
);

/** Equipment in other languages. `Halter` is a dumbbell in Portuguese and a barbell in Turkish, so it stays what it is. */
const EQUIPMENT: Readonly<Record<string, string>> = {
  barbell: 'langhantel langhanteln bilanciere',
  dumbbell: 'mancuerna kurzhantel kurzhanteln manubrio manubri dambil',
  machine: 'maquina maschine macchina makine',
  cable: 'polia cabo poulie kabel kabelzug cavo cavi kablo',
  smith: 'multipower multipresse',
  band: 'banda elastique',
  halter: 'haltere',
  seated: 'oturarak',
};

/** Abbreviations, other forms and usual mistakes of one word. */
const WORDS = new Map([
  ...Object.entries({
    db: 'dumbbell',
    dbs: 'dumbbell',
    dumbell: 'dumbbell',
    dumbel: 'dumbbell',
    dumbbel: 'dumbbell',
    bb: 'barbell',
    barbel: 'barbell',
    kb: 'kettlebell',
    kettleball: 'kettlebell',
    bw: 'bodyweight',
    ez: 'ezbar',
    ohp: 'overhead press',
    rdl: 'romanian deadlift',
    sldl: 'stiff leg deadlift',
    cgbp: 'close grip bench press',
    bss: 'bulgarian split squat',
    tricep: 'triceps',
    bicep: 'biceps',
    flye: 'fly',
    flie: 'fly',
    calve: 'calf',
    pressdown: 'pushdown',
    abduction: 'abductor',
    adduction: 'adductor',
    inclined: 'incline',
    declined: 'decline',
    sitting: 'seated',
    laying: 'lying',
    alternate: 'alternating',
    skulcrusher: 'skullcrusher',
    peckdeck: 'pecdeck',
    pecdec: 'pecdeck',
    supinated: 'underhand',
    woodchopper: 'woodchop',
    paused: 'pause',
    dl: 'deadlift',
    ext: 'extension',
  }),
  ...Object.entries(EQUIPMENT).flatMap(([word, others]) => others.split(' ').map((other) => [other, word] as const)),
]);

/** What says nothing about the exercise. */
const FILLERS = new Set(
  'the a an with using on in of exercise de del la el con en da do na com le les du des di al ai mit am'.split(' '),
);

/** A word that says nothing where one of the others stands: a curl is for the biceps. */
const IMPLIED: ReadonlyArray<readonly [word: string, by: readonly string[]]> = [
  ['biceps', ['curl']],
  ['triceps', ['pushdown', 'skullcrusher']],
  ['lat', ['pulldown']],
  ['flat', ['bench', 'press', 'fly']],
];

const LONGEST_PHRASE = 3;
const BEGIN_PHRASES = new Set([...PHRASES.keys()].map((phrase) => phrase.split(' ')[0]));

/** No exercise and no alias has a longer name. */
const LONGEST_NAME = 200;

/**
 * The words of a name in one spelling, in their order: no case, accents, plurals and abbreviations, compounds as one word.
 * `High to Low` is one word, because the order is what it says. A name of more than 200 characters has none.
 */
export function wordsOf(name: string): string[] {
  if (name.length > LONGEST_NAME) return [];
  const written = name
    .normalize('NFKD')
    .replace(/[\p{M}'’`´]/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replaceAll('ß', 'ss')
    .replaceAll('&', ' and ');
  const spelled = (written.match(/[\p{L}\p{N}]+/gu) ?? []).map(singular);
  const words = withPhrases(spelled).flatMap((word) => WORDS.get(word)?.split(' ') ?? word);
  const said = withDirections(words.filter((word) => !FILLERS.has(word)));
  return said.filter(
    (word) => !IMPLIED.some(([implied, by]) => word === implied && by.some((one) => said.includes(one))),
  );
}

/** `low to high` as one word. */
function withDirections(words: string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [from, to] = [result.at(-1), words[at + 1]];
    if (words[at] === 'to' && from !== undefined && to !== undefined) {
      result.splice(-1, 1, `${from}to${to}`);
      at++;
    } else result.push(words[at] ?? '');
  }
  return result;
}

/** Equal for names of the same words, in whichever order. Empty for none. */
export const keyOf = (words: string[]): string => words.toSorted().join(' ');

const PLURAL = /(?:(?<=ch|sh|ss|x)es|(?<=[^su])s)$/;
const NO_PLURALS = new Set(['biceps', 'triceps', 'abs', 'gas', 'cross', 'press']);

const singular = (word: string): string => (word.length < 3 || NO_PLURALS.has(word) ? word : word.replace(PLURAL, ''));

function withPhrases(words: string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < words.length; ) {
    const [length, spelled] = phraseAt(words, at);
    result.push(...spelled);
    at += length;
  }
  return result;
}

function phraseAt(words: string[], at: number): [length: number, spelled: string[]] {
  for (let length = BEGIN_PHRASES.has(words[at]) ? LONGEST_PHRASE : 1; length > 1; length--) {
    const spelled = PHRASES.get(words.slice(at, at + length).join(' '));
    if (spelled !== undefined) return [length, spelled.split(' ')];
  }
  return [1, words.slice(at, at + 1)];
}
