import { randomUUID } from 'node:crypto';
import cors, { type CorsOptions } from 'cors';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { html } from '#platform/html.ts';
import type { Log } from '#platform/log/log.ts';
import { toApiError } from './errors.ts';
import { page } from './page.ts';

/** Gives the request its id and logs one line when it is answered: never a query, a token, an address or a body. */
export function requestLog(log: Log): RequestHandler {
  return (req, res, next) => {
    const requestId = randomUUID();
    const started = performance.now();
    res.locals.requestId = requestId;
    res.set('X-Request-Id', requestId);
    res.on('close', () => {
      const milliseconds = Math.round((performance.now() - started) * 10) / 10;
      const status = res.writableFinished ? res.statusCode : 'aborted';
      log.info({ requestId, method: req.method, path: safePath(req), status, milliseconds }, 'request');
    });
    next();
  };
}

/** While the process stops, a connection ends with its answer: the next request goes to another instance. */
export function connectionEnd(lifecycle: { isDraining: boolean }): RequestHandler {
  return (_req, res, next) => {
    if (lifecycle.isDraining) res.set('Connection', 'close');
    next();
  };
}

/** Paths can carry ids and scanners' text: what is not a plain path is not logged. */
function safePath(req: Request): string {
  const path = req.originalUrl.split('?')[0] ?? '';
  return /^[A-Za-z0-9/_.-]{1,200}$/.test(path) ? path : '(other)';
}

/** The usual hardening headers. Pages load scripts and styles from their own origin only. */
export function hardening(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'self'"],
        formAction: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'https:'],
      },
    },
    // Pictures are shown by apps and pages of other origins.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    xFrameOptions: { action: 'sameorigin' },
  });
}

const ALLOWED_HEADERS = [
  'Content-Type',
  'Authorization',
  'DPoP',
  'DPoP-Key-Binding',
  'X-Refresh-Token',
  'X-App-Version',
  'X-Username',
  'Idempotency-Key',
];
const EXPOSED_HEADERS = [
  'X-Request-Id',
  'X-Cache',
  'X-Min-Version',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
  'Idempotency-Replayed',
  'WWW-Authenticate',
];

const isAllowed = (origin: string, allowedOrigins: string[] | undefined) => allowedOrigins?.includes(origin) ?? true;

/** Whether a WebSocket may be opened: CORS does not apply to it, so the origin that a browser names is looked at. */
export const mayConnect = (origin: string | undefined, allowedOrigins: string[] | undefined): boolean =>
  origin === undefined || isAllowed(origin, allowedOrigins);

export const corsOptions = (allowedOrigins: string[] | undefined): CorsOptions => ({
  origin: (origin, answer) => answer(null, origin !== undefined && isAllowed(origin, allowedOrigins)),
  credentials: true,
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
  allowedHeaders: ALLOWED_HEADERS,
  exposedHeaders: EXPOSED_HEADERS,
  optionsSuccessStatus: 204,
});

/** Any origin unless a list narrows it; safe because no cookie ever authenticates an API call. Preflights end here. */
export function crossOrigin(allowedOrigins: string[] | undefined): RequestHandler {
  const reflect = cors(corsOptions(allowedOrigins));
  return (req, res, next) => {
    res.vary('Origin');
    reflect(req, res, (error?: unknown) => {
      const isPreflight = req.method === 'OPTIONS' && req.get('access-control-request-method') !== undefined;
      if (!error && isPreflight) res.status(204).end();
      else next(error);
    });
  };
}

/**
 * The one place where an error becomes an answer (contract 0.3).
 * @param pages path → heading, for what a person opens in a browser
 */
export function errorAnswer(log: Log, pages: Map<string, string>): ErrorRequestHandler {
  return (thrown: unknown, req: Request, res: Response, _next: NextFunction) => {
    const error = toApiError(thrown);
    const requestId = res.locals.requestId as string;
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
    res.type('json').json({
      success: false,
      message: error.message,
      code: error.code,
      ...(error.errors ? { errors: error.errors } : {}),
      requestId,
    });
  };
}
