import type { Request } from 'express';
import type { AnyRoute } from './route.ts';

type Gates = Pick<AnyRoute, 'path' | 'gates' | 'isExempt' | 'sessions'>;

/** Finds the route of a request by its path, for the middleware that runs before Express has chosen a route. */
export function routeFinder(routes: AnyRoute[]): (req: Request) => Gates | undefined {
  const byPath = new Map<string, Gates>(
    routes.filter(({ gates, isExempt, sessions }) => gates ?? isExempt ?? sessions).map((r) => [r.path, r]),
  );
  return (req) => byPath.get(req.path.length > 1 && req.path.endsWith('/') ? req.path.slice(0, -1) : req.path);
}
