import cors, { type CorsOptions } from 'cors';
import type { RequestHandler } from 'express';

const ALLOWED_HEADERS = [
  'Content-Type',
  'Authorization',
  'DPoP',
  'DPoP-Key-Binding',
  'X-Refresh-Token',
  'X-App-Version',
  'X-Username',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
];
const EXPOSED_HEADERS = [
  'ETag',
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

/** Whether a WebSocket may be opened. CORS does not apply to WebSockets, so the `Origin` header is checked here. */
export const mayConnect = (origin: string | undefined, allowedOrigins: string[] | undefined): boolean =>
  origin === undefined || isAllowed(origin, allowedOrigins);

export const corsOptions = (allowedOrigins: string[] | undefined): CorsOptions => ({
  origin: (origin, answer) => answer(null, origin !== undefined && isAllowed(origin, allowedOrigins)),
  credentials: true,
  methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  allowedHeaders: ALLOWED_HEADERS,
  exposedHeaders: EXPOSED_HEADERS,
  optionsSuccessStatus: 204,
});

/** Allows any origin unless a list narrows it: no cookie ever authenticates an API call. Answers preflights itself. */
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
