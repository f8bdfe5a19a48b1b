import type { Request, RequestHandler } from 'express';
import { clientAddress } from '#platform/clientAddress.ts';
import { defineLimit, MINUTE } from '#platform/limits.ts';
import type { Deps } from '#transport/deps.ts';
import type { AnyRoute } from '#transport/route.ts';

/**
 * The general limit by address. A route may exempt requests. Refreshes are exempt, because a gym full of phones
 * behind one address must not sign anybody out.
 */
export function generalLimit(
  deps: Deps,
  routeOf: (req: Request) => Pick<AnyRoute, 'isExempt'> | undefined,
): RequestHandler {
  const general = defineLimit('general', deps.config.RATE_LIMIT_GENERAL_PER_MIN, MINUTE);
  return async (req, res, next) => {
    try {
      if (await routeOf(req)?.isExempt?.((name) => req.get(name), deps)) return next();
      res.set(await deps.limits.consume(general, { address: clientAddress(req.ip) }));
      next();
    } catch (error) {
      next(error);
    }
  };
}
