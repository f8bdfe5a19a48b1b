import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import type { Transaction } from '#platform/postgres/database.ts';
import { authenticate, type Caller, proofOf } from './authenticate.ts';
import { type Received, readBody } from './body.ts';
import type { Deps } from './deps.ts';
import { ApiError, validationFailed } from './errors.ts';
import { type KeptAnswer, onceByKey, parseIdempotencyKey } from './idempotency.ts';
import type { AnyRoute, Context } from './route.ts';
import { readUpload } from './upload.ts';

interface Answer {
  status: number;
  body?: unknown;
}

interface Rendered {
  status: number;
  /** Undefined: an answer without a body. */
  body: string | undefined;
}

type AnyContext = Context<'public' | 'user', 'whole' | 'steps', z.ZodType, z.ZodType, z.ZodType>;

/**
 * Turns a declaration into an Express handler: identity → shape → limits → act → commit → answer.
 * The handler returns a value and never sees the response, so nothing is answered before the commit.
 */
export function corridor(route: AnyRoute, deps: Deps): RequestHandler {
  return async (req: Request, res: Response, next: NextFunction) => {
    try {
      const caller = route.audience === 'user' ? await authenticate(req, res.locals.requestId, deps) : undefined;
      const received = route.upload ? await readUpload(req, res, route.upload) : await readBody(req, res);
      const context = buildContext(route, req, res, deps, caller, received);
      for (const limit of route.limits ?? []) {
        await context.count(limit.name, limit.by === 'user' && caller ? caller.id : context.ip);
      }
      if (!route.idempotent || req.get('idempotency-key') === undefined || !caller) {
        const answer = await act(route, context, deps, caller);
        send(route, res, answer.status, answer.body);
        return;
      }
      const key = parseIdempotencyKey(req.get('idempotency-key'));
      const request = { route: `${route.method} ${route.path}`, key, bytes: received.bytes };
      const kept = await translated(route, () =>
        deps.db.asUser(caller.id, (tx) =>
          onceByKey(tx, request, async () => {
            const answer = rendered(route, await route.handle({ ...context, tx }), deps);
            return { status: answer.status, body: answer.body ?? '' };
          }),
        ),
      );
      sendKept(route, res, kept);
    } catch (error) {
      next(error);
    }
  };
}

function buildContext(
  route: AnyRoute,
  req: Request,
  res: Response,
  deps: Deps,
  caller: Caller | undefined,
  received: Received,
): Omit<AnyContext, 'tx' | 'transaction'> {
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
    setHeader: (name, value) => void res.set(name, value),
    file: received.file,
    ...(caller ? { caller } : {}),
  } as Omit<AnyContext, 'tx' | 'transaction'>;
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

async function act(
  route: AnyRoute,
  context: Omit<AnyContext, 'tx' | 'transaction'>,
  deps: Deps,
  caller: Caller | undefined,
): Promise<Rendered> {
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    caller ? deps.db.asUser(caller.id, work) : deps.db.asService(work);
  if (route.unit === 'steps') {
    return rendered(route, await translated(route, () => route.handle({ ...context, transaction })), deps);
  }
  // Rendered inside: an answer that the route does not declare must not be committed.
  return translated(route, () =>
    transaction(async (tx) => rendered(route, await route.handle({ ...context, tx }), deps)),
  );
}

/** Runs the handler and gives broken constraints the meaning that the route declares. */
async function translated<T>(route: AnyRoute, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const constraint = (error as { constraint?: unknown }).constraint;
    const meaning = typeof constraint === 'string' ? route.constraints?.[constraint] : undefined;
    throw meaning ? meaning() : error;
  }
}

/** The answer as it leaves: stripped of all that the declaration does not name. */
function rendered(route: AnyRoute, answer: Answer, deps: Deps): Rendered {
  const schema: z.ZodType | undefined = route.responses[answer.status];
  if (!schema) throw new Error(`${route.method} ${route.path} does not declare status ${answer.status}`);
  const body = schema.safeParse(answer.body);
  if (!body.success) {
    deps.log.error({ route: route.path, problems: body.error.issues }, 'an answer does not match its declaration');
    throw new Error(`${route.method} ${route.path} made an answer that it does not declare`);
  }
  const { status } = answer;
  if (body.data === undefined) return { status, body: undefined };
  return { status, body: route.produces === 'text/html' ? String(body.data) : JSON.stringify(body.data) };
}

function send(route: AnyRoute, res: Response, status: number, body: string | undefined): void {
  res.status(status);
  if (!res.get('Cache-Control')) res.set('Cache-Control', 'no-store');
  if (body === undefined) res.end();
  else res.type(route.produces ?? 'application/json').send(body);
}

function sendKept(route: AnyRoute, res: Response, kept: KeptAnswer): void {
  if (kept.replayed) res.set('Idempotency-Replayed', 'true');
  send(route, res, kept.status, kept.body === '' ? undefined : kept.body);
}
