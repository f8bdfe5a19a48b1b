import type { Request, RequestHandler } from 'express';
import { ApiError } from '#platform/apiError.ts';

/**
 * Asks old apps to update: 426 with the lowest version that is served (behaviour 0.5).
 * @param isOpen whether the request is for a route that apps of any age may call
 */
export function versionGate(minimum: string, isOpen: (req: Request) => boolean): RequestHandler {
  return (req, _res, next) => {
    if (isOpen(req)) return next();
    const version = req.get('x-app-version');
    if (version && compareVersions(version, minimum) >= 0) return next();
    const headers = { 'x-min-version': minimum };
    next(new ApiError(426, 'APP_UPDATE_REQUIRED', 'Please update the app on AppStore', { headers }));
  };
}

/** Compares major.minor.patch as numbers; a `v` prefix and missing parts are tolerated, anything else is 0.0.0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)];
  for (const index of [0, 1, 2]) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionParts(text: string): number[] {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[.+-].*)?$/i.exec(text.trim());
  return match ? match.slice(1, 4).map((part) => Number(part ?? 0)) : [];
}
