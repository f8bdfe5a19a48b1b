import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { act, rendered, type Scopeless, translated } from './act.ts';
import { authenticate, type Caller, proofOf } from './authenticate.ts';
import { type Received, readBody } from './body.ts';
import type { Deps } from './deps.ts';
import { ApiError, validationFailed } from './errors.ts';
import { type KeptAnswer, onceByKey, parseIdempotencyKey } from './idempotency.ts';
import { readerOf } from './read.ts';
import type { AnyRoute } from './route.ts';
import { send, sendRevalidated } from './send.ts';
import { readUpload } from './upload.ts';

/**
 * Turns a declaration into an Express handler: identity → shape → limits → act → commit → answer.
 * The handler returns a value and never sees the response, so nothing is answered before the commit.
 * @param routes all routes: an answer may be made of those of others
 */
export function corridor(route: AnyRoute, deps: Deps, routes: AnyRoute[]): RequestHandler {
  const read = route.revalidated ? readerOf(route, deps, routes) : undefined;
  return async (req: Request, res: Response, next: NextFunction) => {
    try {
      const caller = route.audience === 'user' ? await authenticate(req, res.locals.requestId, deps) : undefined;
      const received = route.upload ? await readUpload(req, res, route.upload) : await readBody(req, res);
      const context = buildContext(route, req, res, deps, caller, received);
      for (const limit of route.limits ?? []) {
        await context.count(limit.name, limit.by === 'user' && caller ? caller.id : context.ip);
      }
      if (read && caller) {
        const answer = await read(context, caller);
        if (answer.cache) res.set('X-Cache', answer.cache);
        await sendRevalidated(req, res, answer.body);
      } else if (route.idempotent && caller && req.get('idempotency-key') !== undefined) {
        sendKept(route, res, await actOnce(route, context, deps, caller, received.bytes));
      } else {
        send(route, res, await act(route, context, deps, caller));
      }
    } catch (error) {
      next(error);
    }
  };
}

/** Acts once for an Idempotency-Key; later requests get the first answer. */
async function actOnce(
  route: AnyRoute,
  context: Scopeless,
  deps: Deps,
  caller: Caller,
  bytes: Buffer,
): Promise<KeptAnswer> {
  const key = parseIdempotencyKey(context.header('idempotency-key'));
  const request = { route: `${route.method} ${route.path}`, key, bytes };
  return translated(route, () =>
    deps.db.asUser(caller.id, (tx) =>
      onceByKey(tx, request, async () => {
        const answer = rendered(route, await route.handle({ ...context, tx }), deps);
        return { status: answer.status, body: answer.body ?? '' };
      }),
    ),
  );
}

function buildContext(
  route: AnyRoute,
  req: Request,
  res: Response,
  deps: Deps,
  caller: Caller | undefined,
  received: Received,
): Scopeless {
  const parsed = validated(route, { query: req.query, params: req.params, body: received.body });
  return {
    deps,
    requestId: res.locals.requestId,
    ip: req.ip ?? '',
    ...parsed,
    header: (name) => req.get(name),
    proof: () => proofOf(req, deps),
    count: async (limit, key) => void res.set(await deps.limits.count(limit, key)),
    check: async (limit, key) => void res.set(await deps.limits.check(limit, key)),
    file: received.file,
    ...(caller ? { caller } : {}),
  } as Scopeless;
}

/** @throws ApiError 400 with every problem of the first part that has any */
function validated(route: AnyRoute, parts: { query: unknown; params: unknown; body: unknown }) {
  const check = (schema: z.ZodType | undefined, value: unknown) => {
    if (!schema) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const problems = result.error.issues.map((issue) => ({
      path: issue.path.join('.'),
      message: issue.message,
      issue,
    }));
    for (const { issue } of problems) {
      // A schema may name its own answer, such as 400 INVALID_TIMEZONE.
      if (issue.code === 'custom' && issue.params?.answer instanceof ApiError) throw issue.params.answer;
    }
    throw validationFailed(problems.map(({ path, message }) => ({ path, message })));
  };
  return {
    params: check(route.params, parts.params),
    query: check(route.query, parts.query),
    body: check(route.body, parts.body),
  };
}

function sendKept(route: AnyRoute, res: Response, kept: KeptAnswer): void {
  if (kept.replayed) res.set('Idempotency-Replayed', 'true');
  send(route, res, { status: kept.status, body: kept.body === '' ? undefined : kept.body });
}
