import type { Request, RequestHandler } from 'express';
import { tokenOf } from '#identity/sessionTokens.ts';
import { clientAddress } from '#platform/clientAddress.ts';
import { defineLimit, type Limit, type LimitKey, MINUTE } from '#platform/limits.ts';
import type { Deps } from '#transport/deps.ts';
import { type Counted, limitOfPerson } from '#transport/gates.ts';
import type { AnyRoute } from '#transport/route.ts';

interface Finders {
  routeOf(req: Request): Pick<AnyRoute, 'method' | 'isExempt'> | undefined;
  protectedRouteOf(req: Request): Counted | undefined;
}

/**
 * Counts every request before anything else is done for it: by address, or by person where a protected request has an
 * access token that verifies, because a gym full of phones behind one address must not keep anybody out. A route may
 * exempt requests from the limit by address.
 */
export function generalLimit(deps: Deps, { routeOf, protectedRouteOf }: Finders): RequestHandler {
  const general = defineLimit('general', deps.config.RATE_LIMIT_GENERAL_PER_MIN, MINUTE);

  /** What a request counts against; undefined: nothing. */
  async function countedBy(req: Request): Promise<[Limit, LimitKey] | undefined> {
    const address = clientAddress(req.ip);
    const route = protectedRouteOf(req);
    const token = route && tokenOf(req.get('authorization'));
    const claims = token && (await deps.sessionTokens.readAccess(token));
    if (route && claims) {
      const { limit, subject } = limitOfPerson(route, claims);
      return [limit, { address, subject }];
    }
    const open = routeOf(req);
    const isExempt = open?.method === req.method && (await open.isExempt?.((name) => req.get(name), deps));
    return isExempt ? undefined : [general, { address }];
  }

  return async (req, res, next) => {
    try {
      const counted = await countedBy(req);
      if (counted) res.set(await deps.limits.consume(...counted));
      next();
    } catch (error) {
      next(error);
    }
  };
}
