import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Log } from '#platform/log.ts';
import { underRequestId } from '#platform/requestId.ts';
import { enterSpan } from '#platform/tracing.ts';
import type { Meters } from '#transport/meters.ts';

/**
 * Gives the request its id; measures it, ends its span and logs one line when it is answered, with the `code` of a
 * refusal: never a query, a token, an address or a body.
 */
export function requestLog(log: Log, meters: Meters): RequestHandler {
  return (req, res, next) => {
    const requestId = randomUUID();
    const started = performance.now();
    res.locals.requestId = requestId;
    res.set('X-Request-Id', requestId);
    const span = enterSpan('SERVER', () => underRequestId(requestId, next));
    res.on('close', () => {
      const milliseconds = Math.round((performance.now() - started) * 10) / 10;
      const status = res.writableFinished ? res.statusCode : 'aborted';
      const [method, route] = [methodOf(req), req.route?.path ?? '(none)'];
      meters.answered(method, route, status, milliseconds / 1000);
      const attributes = { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status };
      span?.end(
        `${method} ${route}`,
        { ...attributes, 'strong_together.request_id': requestId },
        res.statusCode >= 500,
      );
      const { code } = res.locals as { code?: string };
      const refusal = code === undefined ? {} : { code };
      const ids = { requestId, ...(span && { traceId: span.traceId }) };
      log.info({ ...ids, method: req.method, path: safePath(req), status, ...refusal, milliseconds }, 'request');
    });
  };
}

/** Anybody may invent methods; those that no route has are one. */
const methodOf = ({ route, method }: Request): string => (route === undefined ? '(any)' : method);

/** Paths can carry ids and scanners' text: what is not a plain path is not logged. */
function safePath(req: Request): string {
  const path = req.originalUrl.split('?')[0] ?? '';
  return /^[A-Za-z0-9/_.-]{1,200}$/.test(path) ? path : '(other)';
}
