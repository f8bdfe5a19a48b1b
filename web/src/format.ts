import { language } from './language.ts';

/** The pound of 1959: exactly so many kilograms. */
const KG_PER_LB = 0.45359237;

export type Unit = 'kg' | 'lb';

export const fromKg = (kg: number, unit: Unit): number => (unit === 'lb' ? kg / KG_PER_LB : kg);
export const inUnit = (value: number, from: string, to: Unit): number =>
  from === to ? value : fromKg(from === 'lb' ? value * KG_PER_LB : value, to);

export const number = (value: number, places = 1): string =>
  value.toLocaleString(language, { maximumFractionDigits: places });
/** A number as a field shows it: with the separator of the language, without grouping of thousands. */
export const decimalText = (value: number | null): string =>
  value?.toLocaleString(language, { maximumFractionDigits: 3, useGrouping: false }) ?? '';
export const day = (instant: string | number | Date): string =>
  new Date(instant).toLocaleDateString(language, { dateStyle: 'medium' });
export const moment = (instant: string): string =>
  new Date(instant).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
export const minutes = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 60_000);

/** `YYYY-MM-DD` on the clock of this browser. */
export function localDay(date: Date): string {
  const text = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${text(date.getMonth() + 1)}-${text(date.getDate())}`;
}

/** Days before today, as the server takes them. */
export function daysAgo(days: number): string {
  const date = new Date();
  date.setDate(date.getDate() - days);
  return localDay(date);
}

/** The first day of the week that a day is in. @param weekStart days from Monday to the one that weeks start on */
export function weekOf(text: string, weekStart: number): string {
  const date = new Date(`${text}T12:00`);
  date.setDate(date.getDate() - ((date.getDay() + 6 - weekStart + 7) % 7));
  return localDay(date);
}

/** What an `input` of type datetime-local holds. */
export const localTime = (instant: string): string => {
  const date = new Date(instant);
  return `${localDay(date)}T${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
};

export const zone = (): string => Intl.DateTimeFormat(language).resolvedOptions().timeZone;

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

interface Loaded {
  weight: number | null;
  unit: string | null;
  reps: number | null;
  seconds?: number | null;
  distanceM?: number | null;
}

/** `100 kg × 5`, `0:45`, `5 km`: what of it there is. */
export function setText({ weight, unit, reps, seconds, distanceM }: Loaded): string {
  const load = weight === null ? '' : `${number(weight, 3)} ${unit}`;
  const count = reps === null ? '' : load ? `× ${reps}` : `${reps} reps`;
  const time = seconds ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}` : '';
  const way = distanceM ? (distanceM >= 1000 ? `${number(distanceM / 1000, 2)} km` : `${number(distanceM)} m`) : '';
  return [load, count, time, way].filter(Boolean).join(' ') || '–';
}

/** `1 workout`, `12 workouts`. */
export const workoutsIn = (count: number): string => (count === 1 ? '1 workout' : `${count} workouts`);
