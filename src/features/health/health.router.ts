import { Router } from 'express';
import { unavailable } from '#platform/apiError.ts';
import type { Deps } from '#transport/deps.ts';
import { PROBE } from './health.queries.ts';

/** Liveness and readiness, without bot blocker, version gate and limits. */
export function healthRouter(deps: Deps): Router {
  const router = Router();
  router.get('/health', (_req, res) => void res.json({ status: 'ok' }));
  router.get('/health/ready', async (_req, res, next) => {
    try {
      if (deps.lifecycle.isDraining) throw unavailable();
      await deps.db.queryUnscoped('health', PROBE, []);
      res.json({ status: 'ready' });
    } catch (error) {
      deps.log.warn({ err: error }, 'not ready');
      next(unavailable());
    }
  });
  return router;
}
