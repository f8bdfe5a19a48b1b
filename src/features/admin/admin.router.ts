import { createHash } from 'node:crypto';
import cookieParser from 'cookie-parser';
import { type RequestHandler, Router } from 'express';
import { ApiError, forbidden } from '#platform/apiError.ts';
import type { JobQueues } from '#platform/jobQueues.ts';
import type { Deps } from '#transport/deps.ts';
import { USE_ONCE } from './admin.queries.ts';
import { COOKIE_SECONDS, readAdminToken, signAdminToken } from './adminTokens.ts';

const COOKIE = 'strong_together_admin';
const CONSOLE = '/admin/queues';

const signInNeeded = () =>
  new ApiError(401, 'ADMIN_SIGN_IN_REQUIRED', 'Sign in with a fresh link from `npm run admin:link`');

/** The operator's view of the queues, for people with the role Admin who hold a link from the command line. */
export function adminRouter(deps: Deps, jobs: JobQueues): Router {
  let board: Promise<RequestHandler> | undefined;
  const router = Router();
  router.get('/admin/sign-in', signIn(deps));
  router.use(CONSOLE, cookieParser(), authorizeRoles(deps, 'Admin'), async (req, res, next) => {
    board ??= buildBoard(jobs);
    (await board)(req, res, next);
  });
  return router;
}

/** Imported by the first who looks at it: few processes ever show it. */
async function buildBoard(jobs: JobQueues): Promise<RequestHandler> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(CONSOLE);
  createBullBoard({
    queues: jobs.queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Strong Together' } },
  });
  return serverAdapter.getRouter() as RequestHandler;
}

/** Exchanges a link, once, for a short-lived cookie that only pages of this site can use. */
function signIn(deps: Deps): RequestHandler {
  return async (req, res, next) => {
    try {
      const link = await readAdminToken(deps.config, 'admin-link', req.query.token);
      if (!link) throw signInNeeded();
      const state = await deps.sessionStates(link.sub);
      if (state?.session_epoch !== link.epoch) throw signInNeeded();
      const jti = createHash('sha256').update(link.jti).digest('base64url');
      const [used] = await deps.db.queryUnscoped('admin', USE_ONCE, [jti, res.locals.requestId, link.exp + 60]);
      if (!used?.first) throw signInNeeded();
      res.cookie(COOKIE, await signAdminToken(deps.config, 'admin-cookie', link.sub, link.epoch), {
        httpOnly: true,
        sameSite: 'strict',
        secure: deps.config.PUBLIC_BASE_URL.startsWith('https:'),
        path: '/admin',
        maxAge: COOKIE_SECONDS * 1000,
      });
      res.set('Cache-Control', 'no-store').set('Referrer-Policy', 'no-referrer').redirect(303, CONSOLE);
    } catch (error) {
      next(error);
    }
  };
}

/**
 * Lets people with one of these roles pass; the role is read anew for every request.
 * @returns a handler that answers 401 without a sign-in and 403 without one of the roles
 */
function authorizeRoles(deps: Deps, ...roles: string[]): RequestHandler {
  return async (req, res, next) => {
    try {
      // SameSite keeps requests of other sites without the cookie; this refuses those of sibling domains, too.
      const site = req.get('sec-fetch-site');
      if (site !== undefined && site !== 'same-origin' && site !== 'none') throw forbidden();
      const signedIn = await readAdminToken(deps.config, 'admin-cookie', req.cookies[COOKIE]);
      if (!signedIn) throw signInNeeded();
      const state = await deps.sessionStates(signedIn.sub);
      if (state && state.session_epoch !== signedIn.epoch) throw signInNeeded();
      if (!state || !roles.includes(state.role)) throw forbidden();
      res.set('Cache-Control', 'no-store');
      // The console's page has a <base> element.
      const policy = String(res.get('Content-Security-Policy'));
      res.set('Content-Security-Policy', policy.replace("base-uri 'none'", "base-uri 'self'"));
      next();
    } catch (error) {
      next(error);
    }
  };
}
