import { resolve } from 'node:path';
import express, { type Express } from 'express';
import { adminRouter } from '#features/admin/admin.router.ts';
import { resetPageRouter } from '#features/auth/resetPage.router.ts';
import { docsRouter } from '#features/docs/docs.router.ts';
import { mailboxRouter } from '#features/mailbox/mailbox.router.ts';
import { healthRouter } from '#features/service/service.routes.ts';
import { corridor } from '#http/corridor.ts';
import type { Deps } from '#http/deps.ts';
import { connectionEnd, crossOrigin, errorAnswer, hardening, requestLog } from '#http/edge.ts';
import { notFound } from '#http/errors.ts';
import { botBlocker, generalLimit, versionGate } from '#http/gates.ts';
import type { AnyRoute } from '#http/route.ts';
import { api } from './api.ts';

/** Puts the gates and the routes into the order of contract 0.2; nothing else. */
export function buildApp(deps: Deps): Express {
  const { config, log } = deps;
  const routes: AnyRoute[] = api;
  const pages = new Map(
    routes.filter((r) => r.produces === 'text/html').map((r) => [r.path, r.failureTitle ?? 'Error']),
  );
  const app = express();
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.disable('etag');
  app.disable('x-powered-by');

  app.use(requestLog(log), hardening(), connectionEnd(deps.lifecycle));
  app.use(crossOrigin(config.CORS_ORIGINS));
  app.use(healthRouter(deps));
  app.use(generalLimit(deps));
  app.get('/', (_req, res) => void res.type('html').send('Server is running...'));
  // Pages for a person's browser: before the gates that only let the app through.
  app.use(docsRouter(routes, config.PUBLIC_BASE_URL));
  if (deps.jobs) app.use(adminRouter(deps, deps.jobs));
  if (deps.mailbox) app.use(mailboxRouter(deps.mailbox));
  if (!config.SUPABASE_URL) {
    const pictures = express.static(resolve(config.DATA_DIR, 'pictures'), { index: false });
    app.use('/storage/v1/object/public', pictures, (_req, _res, next) => next(notFound()));
  }
  app.use(botBlocker);
  app.use(versionGate(config.MIN_APP_VERSION));
  app.use(resetPageRouter());
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
    // Opening a link has an effect; only asking about it has none.
    if (route.produces === 'text/html') app.head(route.path, (_req, _res, next) => next(notFound()));
    app[method](route.path, corridor(route, deps, routes));
  }
  app.use((_req, _res, next) => next(notFound()));
  app.use(errorAnswer(log, pages));
  return app;
}
