import { readDateWithMonth } from './dateWithMonth.ts';
import { BadLine } from './training.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** A local time as text, if there is such a day and time. @throws BadLine */
function local(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): string {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal || !isInRange(date)) throw new BadLine('date');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}

/** Days from 1900 to 2199, in whatever zone, and a workout that lasts a day. */
const isInRange = (date: Date): boolean =>
  date.getTime() >= Date.UTC(1900, 0, 2) && date.getTime() < Date.UTC(2199, 11, 30);

/** Longest text that can be a date or a time. */
const LONGEST = 100;

/** What the first of two numbers before a year is. */
export type DateOrder = 'dmy' | 'mdy';

/** A date, and what may follow it: a time, seconds and their fractions, a half of the day, an offset. */
const REST =
  /^(?:[ T,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?m?\.?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i;
const YEAR_FIRST = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/;

/**
 * `2025-09-15 07:48:00`, `15/09/2025`, `9/15/2025 7:48 AM`, `15 Sep 2025, 07:48`, `2022-01-05 22:06:49 +0000`.
 * @param order for numbers of which the year is the last
 * @returns time on the clock on the wall, or an instant in `Z` where the text has an offset
 * @throws BadLine
 */
export function readDate(text: string, order: DateOrder): string {
  if (text.length > LONGEST) throw new BadLine('date');
  const first = YEAR_FIRST.exec(text);
  if (first) return timed(text.slice(first[0].length), Number(first[1]), Number(first[2]), Number(first[3]));
  const last = YEAR_LAST.exec(text);
  if (last) {
    const [a, b, year] = [Number(last[1]), Number(last[3]), fullYear(last[4] ?? '')];
    // A dot is written by those who put the day first.
    const isDayFirst = order === 'dmy' || last[2] === '.';
    return timed(text.slice(last[0].length), year, isDayFirst ? b : a, isDayFirst ? a : b);
  }
  const named = readDateWithMonth(text);
  if (named === undefined) throw new BadLine('date');
  return timed(named.slice(10), ...(named.slice(0, 10).split('-').map(Number) as [number, number, number]));
}

const fullYear = (text: string): number =>
  text.length === 4 ? Number(text) : Number(text) + (Number(text) < 70 ? 2000 : 1900);

/** @throws BadLine */
function timed(rest: string, year: number, month: number, day: number): string {
  const found = REST.exec(rest);
  if (!found) throw new BadLine('date');
  const [, hour = '0', minute = '0', second = '0', half, offset] = found;
  const time = local(year, month, day, inHalf(Number(hour), half), Number(minute), Number(second));
  if (offset === undefined) return time;
  const iso = /^(z|utc)$/i.test(offset) ? 'Z' : offset.replace(/^(...)(\d\d)$/, '$1:$2');
  const instant = new Date(`${time}${iso}`);
  if (Number.isNaN(instant.getTime()) || !isInRange(instant)) throw new BadLine('date');
  return instant.toISOString();
}

/** An hour of 24. @throws BadLine */
function inHalf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) throw new BadLine('date');
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/**
 * Whether the day or the month stands first in dates of numbers, as the whole file shows it.
 * @returns undefined: every date could be read either way
 */
export function orderOf(texts: Iterable<string>): DateOrder | 'none' | undefined {
  let [found, sawAny]: [DateOrder | undefined, boolean] = [undefined, false];
  for (const text of texts) {
    const [, first, separator, second] = YEAR_LAST.exec(text) ?? [];
    if (first === undefined || separator === '.' || YEAR_FIRST.test(text)) continue;
    sawAny = true;
    if (Number(first) > 12) found ??= 'dmy';
    else if (Number(second) > 12) found ??= 'mdy';
  }
  return sawAny ? found : 'none';
}

/** `7:37 PM` or `19:37` on a day. @throws BadLine */
export function timeOn(day: string, text: string): string {
  if (text.length > LONGEST) throw new BadLine('date');
  const [year = 0, month = 0, date = 0] = day.slice(0, 10).split('-').map(Number);
  return timed(` ${text}`, year, month, date);
}

/** What a damaged file says beyond it is not a time. */
const YEAR = 365 * 86_400;

/** So many seconds later, at most a year; on the clock on the wall, which in files does not change for summer. */
export function later(start: string, seconds: number): string {
  const isInstant = start.endsWith('Z');
  const end = new Date(Date.parse(isInstant ? start : `${start}Z`) + Math.min(seconds, YEAR) * 1000).toISOString();
  return isInstant ? end : end.slice(0, 19);
}

/** `2h 38m`, `31min`, `20s`, `1:05:00`, or a number of seconds. Undefined for anything else. */
export function duration(text: string): number | undefined {
  if (text.length > LONGEST) return undefined;
  if (/^\d+([.,]\d*)?$/.test(text)) return Math.round(Number(text.replace(',', '.')));
  const found = /^(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?$/i.exec(text);
  if (text === '' || !found) return clock(text);
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/** `0:01:30` or `1:30` in seconds; undefined for anything else. */
function clock(text: string): number | undefined {
  const found = /^(?:(\d+):)?(\d{1,3}):(\d{2})(?:[.,]\d+)?$/.exec(text);
  if (!found) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}
