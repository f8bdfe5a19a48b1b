import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Log } from '#platform/log.ts';

/**
 * Gives the request its id and logs one line when it is answered, with the `code` of a refusal: never a query, a
 * token, an address or a body.
 */
export function requestLog(log: Log): RequestHandler {
  return (req, res, next) => {
    const requestId = randomUUID();
    const started = performance.now();
    res.locals.requestId = requestId;
    res.set('X-Request-Id', requestId);
    res.on('close', () => {
      const milliseconds = Math.round((performance.now() - started) * 10) / 10;
      const status = res.writableFinished ? res.statusCode : 'aborted';
      const { code } = res.locals as { code?: string };
      const refusal = code === undefined ? {} : { code };
      log.info({ requestId, method: req.method, path: safePath(req), status, ...refusal, milliseconds }, 'request');
    });
    next();
  };
}

/** Paths can carry ids and scanners' text: what is not a plain path is not logged. */
function safePath(req: Request): string {
  const path = req.originalUrl.split('?')[0] ?? '';
  return /^[A-Za-z0-9/_.-]{1,200}$/.test(path) ? path : '(other)';
}
