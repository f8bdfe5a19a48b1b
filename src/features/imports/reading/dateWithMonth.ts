import { meaningOf, plainDate } from './months.ts';

/** Dates in numbers that say which number is which. */
const NUMERIC = [
  /(?<!\d)(?<year>\d{4})\s?[年년]\s?(?<month>\d{1,2})\s?[月월]\s?(?<day>\d{1,2})\s?[日일]/u,
  /(?<!\d)(?<year>\d{4})\s?[-/.]\s?(?<month>\d{1,2})\s?[-/.]\s?(?<day>\d{1,2})(?!\d)/,
  /(?<!\d)(?<day>\d{1,2})\.\s?(?<month>\d{1,2})\.\s?(?<year>\d{4})(?!\d)/,
];
const TIME = /(?<!\d)(\d{1,2})(?:[:.]|\s?h\s?)(\d{2})(?:(?:[:.]|\s?min\s?)(\d{2})(?:\s?s\b)?)?(?!\d)/;

interface Day {
  year: number;
  month: number;
  day: number;
}

/**
 * A date that says which number is the month: by its name in any language of `months.ts` (`15 Sep 2025, 07:48`,
 * `Sep 15, 2025, 7:48 PM`, `15 de set. de 2025, 07:48`), by its signs (`2025年9月15日 07:48`), by the year in front, or by
 * dots (`15.9.2025 klo 7.48`). With slashes and the year at the end, day and month cannot be told apart: that is none.
 * @returns local, as `YYYY-MM-DDTHH:MM:SS`; midnight where no time is said; undefined for anything else
 */
export function readDateWithMonth(text: string): string | undefined {
  const plain = plainDate(text);
  const numeric = byNumbers(plain);
  const rest = numeric ? numeric.rest : plain;
  const [clock, hour = 0, minute = 0, second = 0] = numbersOf(TIME.exec(rest));
  const said = saidBy(clock === undefined ? rest : rest.replace(clock, ' '));
  const day = numeric && said?.numbers.length === 0 && said.month === undefined ? numeric.day : namedDay(said);
  if (!said || !day || (said.half !== undefined && (clock === undefined || hour > 12))) return undefined;
  return localTime(day, said.half === undefined ? hour : (hour % 12) + said.half, minute, second);
}

function byNumbers(plain: string): { day: Day; rest: string } | undefined {
  for (const pattern of NUMERIC) {
    const found = pattern.exec(plain);
    if (!found) continue;
    const { year, month, day } = found.groups ?? {};
    return {
      day: { year: Number(year), month: Number(month), day: Number(day) },
      rest: plain.replace(found[0], ' '),
    };
  }
  return undefined;
}

const numbersOf = (found: RegExpExecArray | null): [string?, ...number[]] =>
  found ? [found[0], ...found.slice(1).map((part) => Number(part ?? 0))] : [];

interface Said {
  numbers: string[];
  month: number | undefined;
  half: number | undefined;
}

/** What the words say, and the numbers between them. Undefined where a word is unknown, or says what another one did. */
function saidBy(rest: string): Said | undefined {
  const said: Said = { numbers: rest.match(/\d+/g) ?? [], month: undefined, half: undefined };
  for (const word of rest.match(/\p{L}+/gu) ?? []) {
    const meaning = meaningOf(word);
    if (!meaning) return undefined;
    if ((meaning.month && said.month) || (meaning.half !== undefined && said.half !== undefined)) return undefined;
    said.month ??= meaning.month;
    said.half ??= meaning.half;
  }
  return said;
}

/** A day and a year of four digits, in any order, with the name of a month. */
function namedDay(said: Said | undefined): Day | undefined {
  if (said?.month === undefined || said.numbers.length !== 2) return undefined;
  const [year, day] = said.numbers.toSorted((a, b) => b.length - a.length);
  if (year?.length !== 4 || day === undefined || day.length > 2) return undefined;
  return { year: Number(year), month: said.month, day: Number(day) };
}

const two = (value: number): string => String(value).padStart(2, '0');

function localTime({ year, month, day }: Day, hour: number, minute: number, second: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1900 && year <= 2199;
  if (!isReal || hour > 23 || minute > 59 || second > 59) return undefined;
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}
