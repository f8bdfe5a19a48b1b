import type { Request, RequestHandler } from 'express';
import { clientAddress } from './clientAddress.ts';
import type { Deps } from './deps.ts';
import { ApiError, notFound } from './errors.ts';
import { tokenOf } from './sessionTokens.ts';

/** Paths that browsers, monitors and schedulers open: neither gate asks for the app's headers there. */
const OPEN_PATHS = new Set([
  '/',
  '/health',
  '/health/ready',
  '/reset-password',
  '/reset-password/page.js',
  '/api/auth/verify',
  '/api/auth/resetpassword',
  '/api/users/changeemail',
  '/api/push/daily',
  '/api/push/hourlyreminder',
]);
const OPEN_TO_OLD_APPS = new Set(['/api/auth/forgotpassemail']);
const REFRESH_PATH = '/api/auth/refresh';

const BOT_AGENTS = /curl|wget|python|go-http-client|zgrab|masscan|ahrefsbot|semrushbot/i;
const BOT_ACCEPTS = /text\/html|application\/xml/i;
const SCANNER_PATHS =
  /\/\.env|\/\.git\/|\/\.aws|\/\.ssh|\/wp-(admin|login|content|includes)|\/phpmyadmin|\/actuator\/|\/_all_dbs|\.well-known\/|etc\/passwd|\/cgi-bin\/|\/vendor\/phpunit|\.php$/i;

const pathOf = (req: Request) => (req.path.length > 1 && req.path.endsWith('/') ? req.path.slice(0, -1) : req.path);

/** Turns away what is plainly not the app: 404, as if nothing were here (contract 0.5). */
export const botBlocker: RequestHandler = (req, _res, next) => {
  if (req.get('x-app-version') || OPEN_PATHS.has(pathOf(req))) return next();
  const agent = req.get('user-agent');
  const isBot =
    !agent ||
    BOT_AGENTS.test(agent) ||
    BOT_ACCEPTS.test(req.get('accept') ?? '') ||
    SCANNER_PATHS.test(decoded(req.path));
  next(isBot ? notFound() : undefined);
};

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Asks old apps to update: 426 with the lowest version that is served (contract 0.5). */
export function versionGate(minimum: string): RequestHandler {
  return (req, _res, next) => {
    const path = pathOf(req);
    if (OPEN_PATHS.has(path) || OPEN_TO_OLD_APPS.has(path)) return next();
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

/**
 * The general limit by address. A refresh whose token verifies does not count: a gym full of phones
 * behind one address must not sign anybody out.
 */
export function generalLimit({ limits, sessionTokens }: Deps): RequestHandler {
  return async (req, res, next) => {
    try {
      if (pathOf(req) === REFRESH_PATH) {
        const token = tokenOf(req.get('x-refresh-token'));
        if (token && (await sessionTokens.readRefresh(token))) return next();
      }
      res.set(await limits.count('general', { address: clientAddress(req.ip) }));
      next();
    } catch (error) {
      next(error);
    }
  };
}
