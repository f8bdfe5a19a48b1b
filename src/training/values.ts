import { z } from 'zod';
import { canonicalZone } from '#platform/zone.ts';

/** Days and instants that the logbook knows lie in the years from 1900 to 2199. */
const [EARLIEST, LATEST] = [Date.UTC(1900, 0, 1), Date.UTC(2200, 0, 1)];
const isInRange = (text: string): boolean => Date.parse(text) >= EARLIEST && Date.parse(text) < LATEST;

/** An instant with `Z` or an offset, from 1900 to 2199; afterwards as UTC with milliseconds. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 instant with Z or an offset' })
  .refine(isInRange, 'must lie between 1900 and 2199')
  .transform((text) => new Date(text).toISOString());

/** `YYYY-MM-DD`, from 1900 to 2199. */
export const day = z.iso.date('must be a day, YYYY-MM-DD').refine(isInRange, 'must lie between 1900 and 2199');

/** Kilograms or pounds. */
export const weightUnit = z.enum(['kg', 'lb']);

/** @param places most decimals that are kept exactly */
export const decimal = (least: number, most: number, places: number) =>
  z
    .number()
    .min(least)
    .max(most)
    .refine((value) => Number(value.toFixed(places)) === value, `may have at most ${places} decimals`);

/** Days that a week may start on. */
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** An IANA zone of the logbook, in its canonical spelling. */
export const zoneName = z
  .string()
  .max(100)
  .meta({ example: 'Europe/Paris' })
  .transform((sent, context) => {
    try {
      const known = canonicalZone(sent);
      if (known !== undefined) return known;
    } catch {
      // Told below.
    }
    context.addIssue({ code: 'custom', message: 'must be an IANA time zone, such as Europe/Paris' });
    return z.NEVER;
  });
