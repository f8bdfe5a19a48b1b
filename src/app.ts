import { resolve } from 'node:path';
import express, { type Express, type Request } from 'express';
import { adminRouter } from '#features/admin/admin.router.ts';
import { resetPageRouter } from '#features/auth/resetPage.router.ts';
import { docsRouter } from '#features/docs/docs.router.ts';
import { healthRouter } from '#features/health/health.router.ts';
import { mailboxRouter } from '#features/mailbox/mailbox.router.ts';
import { type PageFiles, pageRouter } from '#features/page/page.router.ts';
import { saysOtherSession } from '#identity/sessionTokens.ts';
import { notFound } from '#platform/apiError.ts';
import type { Deps } from '#transport/deps.ts';
import { isLogbook } from '#transport/face.ts';
import { protectedRouteFinder, routeFinder } from '#transport/gates.ts';
import { createHandler } from '#transport/handler.ts';
import { botBlocker } from '#transport/middleware/botBlocker.ts';
import { connectionClose } from '#transport/middleware/connectionClose.ts';
import { crossOrigin } from '#transport/middleware/cors.ts';
import { errorHandler } from '#transport/middleware/errorHandler.ts';
import { generalLimit } from '#transport/middleware/generalLimit.ts';
import { requestLog } from '#transport/middleware/requestLog.ts';
import { securityHeaders } from '#transport/middleware/securityHeaders.ts';
import { versionGate } from '#transport/middleware/versionGate.ts';
import { ICON } from '#transport/page.ts';
import type { AnyRoute } from '#transport/route.ts';
import { api } from './api.ts';

/** Puts middleware and routes into the order of behaviour 0.2; nothing else. */
export function buildApp(deps: Deps, pageFiles: PageFiles | undefined): Express {
  const { config, log } = deps;
  const routes: AnyRoute[] = api;
  const pages = new Map(
    routes.filter((r) => r.produces === 'text/html').map((r) => [r.path, r.failureTitle ?? 'Error']),
  );
  const routeOf = routeFinder(routes);
  const app = express();
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.disable('etag');
  app.disable('x-powered-by');

  app.use(requestLog(log, deps.meters), securityHeaders(), connectionClose(deps.lifecycle));
  app.use(crossOrigin(config.CORS_ORIGINS));
  app.use(healthRouter(deps));
  app.use(generalLimit(deps, { routeOf, protectedRouteOf: protectedRouteFinder(routes) }));
  app.get('/', (req, res) => {
    if (req.get('sec-fetch-mode') === 'navigate') res.vary('Sec-Fetch-Mode').redirect('/app');
    else res.type('html').send('Server is running...');
  });
  // Pages for a person's browser come before the bot blocker and the version gate, which let only the app pass.
  app.get('/favicon.ico', (_req, res) => void res.set('Cache-Control', 'public, max-age=86400').type('svg').send(ICON));
  app.use(pageRouter(deps, pageFiles));
  app.use(docsRouter(routes, config.MIN_APP_VERSION));
  if (deps.jobs) app.use(adminRouter(deps, deps.jobs));
  if (deps.mailbox) app.use(mailboxRouter(deps.mailbox, config));
  if (!config.SUPABASE_URL) {
    const pictures = express.static(resolve(config.DATA_DIR, 'pictures'), { index: false });
    app.use('/storage/v1/object/public', pictures, (_req, _res, next) => next(notFound()));
  }
  app.use(resetPageRouter(deps));
  // Sessions beside the phone are of browsers and programs, on the one route of the app that is for them, too.
  const isOfOthers = (req: Request) =>
    isLogbook(req.path) || (routeOf(req)?.sessions === 'all' && saysOtherSession(req.get('authorization')));
  app.use(botBlocker((req) => isOfOthers(req) || routeOf(req)?.gates === 'none'));
  app.use(versionGate(config.MIN_APP_VERSION, (req) => isOfOthers(req) || routeOf(req)?.gates !== undefined));
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
    // Opening a link changes something, and Express would answer a HEAD by doing the same: it is a 404 instead.
    if (route.produces === 'text/html') app.head(route.path, (_req, _res, next) => next(notFound()));
    app[method](route.path, createHandler(route, deps, routes));
  }
  app.use((_req, _res, next) => next(notFound()));
  app.use(errorHandler(log, pages));
  return app;
}
