import { Router } from 'express';
import type { Deps } from '#http/deps.ts';
import { unavailable } from '#http/errors.ts';
import { sql } from '#platform/postgres/query.ts';

const PROBE = sql('service.probe')`
  select s.role from app.session_state('00000000-0000-0000-0000-000000000000') s`;

/** Liveness and readiness: outside every gate and limit. */
export function healthRouter(deps: Deps): Router {
  const router = Router();
  router.get('/health', (_req, res) => void res.json({ status: 'ok' }));
  router.get('/health/ready', async (_req, res, next) => {
    try {
      if (deps.lifecycle.isDraining) throw unavailable();
      await deps.db.lookUp(PROBE, []);
      res.json({ status: 'ready' });
    } catch (error) {
      deps.log.warn({ err: error }, 'not ready');
      next(unavailable());
    }
  });
  return router;
}
