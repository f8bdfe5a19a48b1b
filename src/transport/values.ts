// Values as the logbook writes them.

import { z } from 'zod';

const [EARLIEST, LATEST] = [Date.UTC(1900, 0, 1), Date.UTC(2200, 0, 1)];

/** An instant with `Z` or an offset, from 1900 to 2199; afterwards as UTC with milliseconds. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 instant with Z or an offset' })
  .refine((text) => Date.parse(text) >= EARLIEST && Date.parse(text) < LATEST, 'is out of range')
  .transform((text) => new Date(text).toISOString());

export const day = z.iso.date('must be a day, YYYY-MM-DD');

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
