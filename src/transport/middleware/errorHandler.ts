import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import type { ApiError } from '#platform/apiError.ts';
import { html } from '#platform/html.ts';
import type { Log } from '#platform/log.ts';
import { toApiError } from '#transport/errors.ts';
import { isLogbook } from '#transport/face.ts';
import { page } from '#transport/page.ts';

/**
 * The one place where an error becomes an answer (behaviour 0.3).
 * @param pages path → heading of the error page, for routes that a person opens in a browser
 */
export function errorHandler(log: Log, pages: Map<string, string>): ErrorRequestHandler {
  return (thrown: unknown, req: Request, res: Response, _next: NextFunction) => {
    const error = toApiError(thrown);
    const requestId = res.locals.requestId as string;
    res.locals.code = error.code; // for the line in the log
    if (error.status >= 500) log.error({ requestId, method: req.method, err: thrown }, 'request failed');
    if (res.headersSent) {
      res.destroy();
      return;
    }
    res.status(error.status).set(error.headers).set('Cache-Control', 'no-store');
    const title = req.method === 'GET' ? pages.get(req.path.replace(/(.)\/$/, '$1')) : undefined;
    if (title !== undefined) {
      const reason = error.code === 'INTERNAL_ERROR' ? 'Server error' : error.message;
      res.type('html').send(page(title, html`<p>${reason}</p>`));
      return;
    }
    if (isLogbook(req.path)) {
      const problem = problemOf(error, requestId);
      res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
      return;
    }
    res.type('json').json({
      success: false,
      message: error.message,
      code: error.code,
      ...(error.errors ? { errors: error.errors } : {}),
      requestId,
    });
  };
}

/** Problem details (RFC 9457) of the logbook's routes. A body that was read but is not valid is a 422 there. */
function problemOf({ status: given, code, message, errors }: ApiError, requestId: string) {
  const status = code === 'VALIDATION_FAILED' && given === 400 ? 422 : given;
  return {
    type: `/docs/problems#${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    requestId,
    ...(errors ? { errors: errors.map(({ path, message: detail }) => ({ pointer: pointerTo(path), detail })) } : {}),
  };
}

/** A dotted path as a JSON pointer (RFC 6901). */
const pointerTo = (path: string): string => (path === '' ? '' : `/${path.replaceAll('~', '~0').replaceAll('.', '/')}`);
