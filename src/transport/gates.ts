import type { Request } from 'express';
import { requestsOfPerson, requestsToEnd } from '#identity/signInLimits.ts';
import type { AnyRoute } from './route.ts';

type Gates = Pick<AnyRoute, 'method' | 'path' | 'gates' | 'isExempt' | 'sessions'>;
/** What of a route decides how its requests count. */
export type Counted = Pick<AnyRoute, 'endsSessions'>;

/** Finds the route of a request by its path, for the middleware that runs before Express has chosen a route. */
export function routeFinder(routes: AnyRoute[]): (req: Request) => Gates | undefined {
  const byPath = new Map<string, Gates>(
    routes.filter(({ gates, isExempt, sessions }) => gates ?? isExempt ?? sessions).map((r) => [r.path, r]),
  );
  return (req) => byPath.get(req.path.length > 1 && req.path.endsWith('/') ? req.path.slice(0, -1) : req.path);
}

/** Finds the protected route of a request, with the parameters in its path, before Express has chosen a route. */
export function protectedRouteFinder(routes: AnyRoute[]): (req: Request) => Counted | undefined {
  const declared = routes
    .filter(({ auth }) => auth === 'user')
    .map((route) => {
      const path = route.path
        .split('/')
        .map((part: string) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')))
        .join('/');
      return { route, pattern: new RegExp(`^${route.method} ${path}/?$`) };
    });
  return ({ method, path }) => {
    const asked = `${method === 'HEAD' ? 'GET' : method} ${path}`;
    return declared.find(({ pattern }) => pattern.test(asked))?.route;
  };
}

/** The limit of a person's requests for a route, and the person or session that it counts by. */
export function limitOfPerson(
  { endsSessions }: Counted,
  { userId, otherId }: { userId: string; otherId?: string | undefined },
) {
  return endsSessions
    ? { limit: requestsToEnd, subject: otherId ?? userId }
    : { limit: requestsOfPerson, subject: userId };
}
