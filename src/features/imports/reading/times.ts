import { monthOf } from './months.ts';
import { BadLine } from './training.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** A local time as text, if there is such a day and time. @throws BadLine */
function local(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): string {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal || year < 1900 || year > 2199) throw new BadLine('date');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}

/** `2025-09-15 07:48:00`, also with slashes, without a time, or without seconds. @throws BadLine */
export function dateTime(text: string): string {
  const found = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (!found) throw new BadLine('date');
  const [year = 0, month = 0, day = 0, ...time] = found.slice(1).map((part) => Number(part ?? 0));
  return local(year, month, day, ...time);
}

/** `15 Sep 2025, 07:48`, the month in any language of `months.ts`. @throws BadLine */
export function dateWithMonth(text: string): string {
  const [, day, name = '', year, hour, minute] = /^(\d{1,2}) (\S+) (\d{4}), (\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const month = monthOf(name);
  if (month === undefined) throw new BadLine('date');
  return local(Number(year), month, Number(day), Number(hour), Number(minute));
}

/** `7:37 PM` or `19:37` on a day. @throws BadLine */
export function timeOn(day: string, text: string): string {
  const [, hour, minute, half] = /^(\d{1,2}):(\d{2})\s*([ap]m)?$/i.exec(text) ?? [];
  if (hour === undefined) throw new BadLine('date');
  const afternoon = half?.toLowerCase() === 'pm' ? 12 : 0;
  const [year = 0, month = 0, date = 0] = day.slice(0, 10).split('-').map(Number);
  return local(year, month, date, half ? (Number(hour) % 12) + afternoon : Number(hour), Number(minute));
}

/** In seconds. What a damaged file says beyond it is no time at all. */
const YEAR = 365 * 86_400;

/** So many seconds later on the clock on the wall, at most a year; in files it does not change for summer. */
export function later(start: string, seconds: number): string {
  return new Date(Date.parse(`${start}Z`) + Math.min(seconds, YEAR) * 1000).toISOString().slice(0, 19);
}

/** `2h 38m`, `31min`, `20s`, or a number of seconds. Undefined for anything else. */
export function duration(text: string): number | undefined {
  if (/^\d+(\.0*)?$/.test(text)) return Number(text);
  const found = /^(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?$/i.exec(text);
  if (text === '' || !found) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/** `0:01:30` in seconds, null for none. @throws BadLine */
export function clock(text: string): number | null {
  if (text === '') return null;
  const found = /^(?:(\d+):)?(\d{1,2}):(\d{2})$/.exec(text);
  if (!found) throw new BadLine('number');
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds || null;
}
