// Weeks and days of the calendar, as text `YYYY-MM-DD`. All arithmetic is on numbers: the year after 9999 is written with a
// sign, and would sort before every other one.

const DAY_MS = 86_400_000;

const numberOf = (day: string): number => Date.parse(day) / DAY_MS;
const dayOf = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** The day so many days later; earlier for a negative number. */
export const daysAfter = (day: string, days: number): string => dayOf(numberOf(day) + days);

/** First day of the week of a day. @param start days from Monday to the first day of a week, 0 to 6 */
export function weekOf(day: string, start: number): string {
  const fromMonday = (new Date(day).getUTCDay() + 6) % 7;
  return daysAfter(day, -((fromMonday - start + 7) % 7));
}

/** The first days of all weeks that a span touches. @param start as for `weekOf` */
export function weeksOf(from: string, to: string, start: number): string[] {
  const first = numberOf(weekOf(from, start));
  const weeks = Math.max(0, Math.floor((numberOf(to) - first) / 7) + 1);
  return Array.from({ length: weeks }, (_, n) => dayOf(first + 7 * n));
}
