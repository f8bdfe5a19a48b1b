import { z } from 'zod';
import { badRequest } from '#platform/apiError.ts';
import { canonicalZone } from '#platform/zone.ts';

const invalidZone = () => badRequest('INVALID_TIMEZONE', 'Invalid timezone');

/** A field `tz`; undefined when the request names none: then `DEFAULT_TZ` counts. */
export const timeZone = z
  .unknown()
  .meta({ type: 'string', description: 'IANA zone, such as Europe/Paris', example: 'Europe/Paris' })
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
