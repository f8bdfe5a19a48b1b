import type { RequestHandler } from 'express';

/** While the process is stopping, every answer closes its connection: the next request goes to another instance. */
export function connectionClose(lifecycle: { isDraining: boolean }): RequestHandler {
  return (_req, res, next) => {
    if (lifecycle.isDraining) res.set('Connection', 'close');
    next();
  };
}
