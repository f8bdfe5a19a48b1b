import type { Request, RequestHandler } from 'express';
import { notFound } from '#platform/apiError.ts';

const BOT_AGENTS = /curl|wget|python|go-http-client|zgrab|masscan|ahrefsbot|semrushbot/i;
const BOT_ACCEPTS = /text\/html|application\/xml/i;
const SCANNER_PATHS =
  /\/\.env|\/\.git\/|\/\.aws|\/\.ssh|\/wp-(admin|login|content|includes)|\/phpmyadmin|\/actuator\/|\/_all_dbs|\.well-known\/|etc\/passwd|\/cgi-bin\/|\/vendor\/phpunit|\.php$/i;

/**
 * Answers 404 to what is plainly not the app, as if nothing were here (behaviour 0.5).
 * @param isOpen whether the request is for a route that anybody may open, such as a browser
 */
export const botBlocker =
  (isOpen: (req: Request) => boolean): RequestHandler =>
  (req, _res, next) => {
    if (req.get('x-app-version') || isOpen(req)) return next();
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
