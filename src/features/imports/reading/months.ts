/**
 * The words of dates in the languages of other programs, as CLDR has them. Croatian is not among them: its `listopad`,
 * `lipanj` and `srpanj` name other months than the same words in Czech and Polish.
 */
const LANGUAGES = [
  ...['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'tr', 'pl', 'ru', 'sv', 'da', 'nb', 'fi', 'cs', 'ja', 'zh'],
  ...['en-GB', 'de-AT', 'fr-CA', 'es-MX', 'zh-TW', 'ko', 'uk'],
];

/** What programs write that bring their own names of months. */
const OTHER_NAMES = { фев: 2, сен: 9, ноя: 11, sett: 9 };
const OTHER_FILLERS = ['st', 'nd', 'rd', 'th', 'er', 'of'];

const STYLES: Intl.DateTimeFormatOptions[] = [
  { month: 'long' },
  { month: 'short' },
  { dateStyle: 'medium', timeStyle: 'short' },
  { dateStyle: 'long', timeStyle: 'medium' },
  { dateStyle: 'full', timeStyle: 'short' },
  {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    hour12: true,
  },
];

interface Words {
  months: ReadonlyMap<string, number>;
  /** 0 for the hours before noon, 12 for those after it. */
  halves: ReadonlyMap<string, number>;
  /** Weekdays, `de`, `at`, `г`: what may stand in a date and says nothing. */
  fillers: ReadonlySet<string>;
}

let words: Words | undefined;

/** Made when the first date is read. */
function wordsOfDates(): Words {
  const [months, halves, fillers] = [new Meanings(), new Meanings(), new Set(OTHER_FILLERS)];
  for (const [name, month] of Object.entries(OTHER_NAMES)) months.add(name, month);
  for (const style of LANGUAGES.flatMap((language) =>
    STYLES.map((one) => new Intl.DateTimeFormat(language, { ...one, calendar: 'gregory', timeZone: 'UTC' })),
  )) {
    // Every month, every weekday, and every second hour of a day.
    for (let n = 0; n < 12; n++) {
      const date = new Date(Date.UTC(2025, 0, 15 + 30 * n, 2 * n));
      for (const { type, value } of style.formatToParts(date)) {
        if (type === 'month') months.add(plainDate(value), date.getUTCMonth() + 1);
        else if (type === 'dayPeriod') halves.add(plainDate(value), date.getUTCHours() < 12 ? 0 : 12);
        else for (const word of plainDate(value).match(/\p{L}+/gu) ?? []) fillers.add(word);
      }
    }
  }
  return { months: months.clear(), halves: halves.clear(), fillers };
}

/** What words mean; a word with two meanings has none. */
class Meanings {
  readonly #known = new Map<string, number>();
  readonly #unclear = new Set<string>();

  add(word: string, meaning: number): void {
    const name = word.replace(/\.$/, '');
    if (!/^\p{L}+$/u.test(name)) return;
    if ((this.#known.get(name) ?? meaning) !== meaning) this.#unclear.add(name);
    this.#known.set(name, meaning);
  }

  clear(): ReadonlyMap<string, number> {
    return new Map([...this.#known].filter(([name]) => !this.#unclear.has(name)));
  }
}

/** Without case, accents and the dots of `p. m.`, so that what lost them on its way is still read. */
export function plainDate(text: string): string {
  const plain = (/^[ -~]*$/.test(text) ? text : withoutAccents(text)).toLowerCase().replaceAll('ı', 'i');
  return plain.includes('.') ? plain.replace(/(?<!\p{L})(\p{L})\.\s?(\p{L})\.?(?!\p{L})/gu, '$1$2') : plain;
}

const withoutAccents = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');

/** What a word of a date says; undefined where it is none. */
export function meaningOf(word: string): { month?: number; half?: number } | undefined {
  words ??= wordsOfDates();
  const [month, half] = [words.months.get(word), words.halves.get(word)];
  if (month !== undefined) return { month };
  if (half !== undefined) return { half };
  return words.fillers.has(word) ? {} : undefined;
}

/** @returns 1 to 12, or undefined for what is no month in any of the languages */
export const monthOf = (name: string): number | undefined => meaningOf(plainDate(name).replace(/\.$/, ''))?.month;
