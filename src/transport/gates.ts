import type { Request } from 'express';
import type { AnyRoute } from './route.ts';

type Gates = Pick<AnyRoute, 'path' | 'gates' | 'isExempt'>;

/** Finds the declared route that a request means before Express does: gates stand in front of the router. */
export function routeFinder(routes: AnyRoute[]): (req: Request) => Gates | undefined {
  const byPath = new Map<string, Gates>(
    routes.filter(({ gates, isExempt }) => gates ?? isExempt).map((r) => [r.path, r]),
  );
  return (req) => byPath.get(req.path.length > 1 && req.path.endsWith('/') ? req.path.slice(0, -1) : req.path);
}
