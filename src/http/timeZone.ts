import { z } from 'zod';
import { canonicalZone } from '#platform/zone.ts';
import { badRequest } from './errors.ts';

const invalidZone = () => badRequest('INVALID_TIMEZONE', 'Invalid timezone');

/** A field `tz`; undefined when the request names none (`zoneOf` then gives the default). */
export const timeZone = z
  .unknown()
  .transform((sent, context) => {
    try {
      return canonicalZone(sent);
    } catch {
      context.addIssue({ code: 'custom', message: 'Invalid timezone', params: { answer: invalidZone() } });
      return z.NEVER;
    }
  })
  .optional();

/** Query string of routes that take a zone. */
export const timeZoneQuery = z.object({ tz: timeZone });
