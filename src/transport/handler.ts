import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import type { Caller } from '#identity/authenticate.ts';
import { ApiError, MOST_PROBLEMS, validationFailed } from '#platform/apiError.ts';
import { clientAddress } from '#platform/clientAddress.ts';
import { QueueFull, WaitedTooLong } from '#platform/fairQueue.ts';
import { RowLocked } from '#platform/postgres/connection.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { NOTHING_RECEIVED, type Received, readBody } from './body.ts';
import { buildCachedRead } from './cachedRead.ts';
import type { Deps } from './deps.ts';
import { hungUp } from './errors.ts';
import { accessOf, beginDownload, execute, mapConstraintErrors, type RequestContext } from './execute.ts';
import { isLogbook } from './face.ts';
import { limitOfPerson } from './gates.ts';
import { onceByKey, parseIdempotencyKey, type StoredAnswer, stillRunning } from './idempotency.ts';
import type { AnyRoute, NamedProblem } from './route.ts';
import { send, sendDownload, sendWithEtag } from './send.ts';
import { serialize } from './serialize.ts';
import { readUpload } from './upload.ts';

/**
 * Turns a declaration into an Express handler: identity → validation → limits → handler → commit → answer.
 * The handler returns a value and never sees the response, so nothing is answered before the commit.
 * @param routes all routes, because `compose` names others
 */
export function createHandler(route: AnyRoute, deps: Deps, routes: AnyRoute[]): RequestHandler {
  const admitted = route.sessions ?? (isLogbook(route.path) ? 'all' : 'phone');
  const read = route.etag ? buildCachedRead(route, deps, routes) : undefined;
  return async (req: Request, res: Response, next: NextFunction) => {
    try {
      const caller =
        route.auth === 'user' ? await deps.identity.authenticate(req, res.locals.requestId, admitted) : undefined;
      if (caller) {
        // After authentication: nobody can use up a person's limit with a captured request or a token without its key.
        const { limit, subject } = limitOfPerson(route, caller.session);
        res.set(await deps.limits.consume(limit, subject));
      }
      const countRequest = async () => {
        for (const { limit, by } of route.limits ?? []) {
          const key = by === 'user' && caller ? caller.id : { address: clientAddress(req.ip) };
          res.set(await deps.limits.consume(limit, key));
        }
      };
      const answer = async () => {
        if (route.upload) await countRequest(); // a refused request does not get to send its file
        const received = await receive(route, req, res);
        const context = await buildContext(route, req, res, deps, caller, received);
        if (!route.upload) await countRequest();
        if (read && caller) {
          const found = await read(context, caller);
          if (found.cache) res.set('X-Cache', found.cache);
          await sendWithEtag(req, res, found.body);
        } else if (route.idempotent && caller && req.get('idempotency-key') !== undefined) {
          const stored = await actOnce(route, context, deps, caller, received.bytes);
          if (stored.replayed) res.set('Idempotency-Replayed', 'true');
          await send(route, req, res, stored);
        } else if (route.download !== undefined && caller) {
          await sendDownload(route, res, await beginDownload(route, context, deps, caller));
        } else {
          await send(route, req, res, await execute(route, context, deps, caller));
        }
      };
      if (route.upload?.inTurn && caller) await inTurn(deps, caller, res, answer);
      else await answer();
    } catch (error) {
      next(error);
    }
  };
}

/** Takes an upload when its turn comes; before that nothing of its body is read. @throws ApiError 503 */
async function inTurn(deps: Deps, caller: Caller, res: Response, answer: () => Promise<void>): Promise<void> {
  try {
    await deps.uploads(caller.id, answer, signalOf(res));
  } catch (error) {
    if (!(error instanceof QueueFull)) throw error;
    throw new ApiError(503, 'SERVICE_UNAVAILABLE', 'Other files are being read. Try again in a moment.', {
      headers: { 'Retry-After': '5', Connection: 'close' },
    });
  }
}

/** The body of a GET is not read, so that nobody can hold a GET up by sending its body slowly. */
async function receive(route: AnyRoute, req: Request, res: Response): Promise<Received> {
  if (route.upload) return readUpload(req, res, route.upload);
  return route.method === 'GET' ? NOTHING_RECEIVED : readBody(req, res);
}

/** Runs the handler once for an Idempotency-Key; later requests get the first answer. */
async function actOnce(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
  bytes: Buffer,
): Promise<StoredAnswer> {
  const key = parseIdempotencyKey(context.header('idempotency-key'));
  const request = { route: `${route.method} ${route.path}`, key, bytes };
  const { replay } = route;
  const work = {
    first: async (tx: Transaction) => serialize(route, await route.handle({ ...context, tx }), deps),
    replay: replay && (async (tx: Transaction) => serialize(route, await replay({ ...context, tx }), deps)),
  };
  try {
    return await mapConstraintErrors(route, () =>
      deps.db.asUser(caller.session, accessOf(route), (tx) => onceByKey(tx, request, work), context.signal),
    );
  } catch (error) {
    // Changes of one person run one after the other: it is the first request with this key that this one waited for.
    if (error instanceof RowLocked || error instanceof WaitedTooLong) throw stillRunning();
    throw error;
  }
}

async function buildContext(
  route: AnyRoute,
  req: Request,
  res: Response,
  deps: Deps,
  caller: Caller | undefined,
  received: Received,
): Promise<RequestContext> {
  const { nameProblems } = route;
  const parsed = await validated(
    route,
    { query: req.query, params: req.params, body: received.body },
    async (problems) =>
      caller && nameProblems
        ? deps.db.asUser(caller.session, 'read', (tx) => nameProblems(tx, received.body, problems))
        : problems,
  );
  return {
    deps,
    requestId: res.locals.requestId,
    address: clientAddress(req.ip),
    ...parsed,
    header: (name) => req.get(name),
    proof: () => deps.identity.proofOf(req),
    consume: async (limit, key) => void res.set(await deps.limits.consume(limit, key)),
    peek: async (limit, key) => void res.set(await deps.limits.peek(limit, key)),
    reward: (limit, key) => deps.limits.reward(limit, key),
    file: received.file,
    signal: signalOf(res),
    ...(caller ? { caller } : {}),
  } as RequestContext;
}

function signalOf(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(hungUp());
  });
  return controller.signal;
}

/** What is wrong in words for whoever wrote the request; undefined: as the schema says it. */
const plainly: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'unrecognized_keys') return `Unknown field: ${issue.keys.slice(0, 5).join(', ').slice(0, 100)}`;
  if (issue.code !== 'invalid_type') return undefined;
  return issue.input === undefined ? 'is required' : `must be of type ${issue.expected}`;
};

/** Checks params, query and body, in this order. @throws ApiError 400 with the problems of the first that has any */
async function validated(
  route: AnyRoute,
  parts: { query: unknown; params: unknown; body: unknown },
  nameProblems: (problems: NamedProblem[]) => Promise<NamedProblem[]>,
) {
  const check = async (schema: z.ZodType | undefined, value: unknown) => {
    if (!schema) return undefined;
    const result = schema.safeParse(value, isLogbook(route.path) ? { error: plainly } : undefined);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      // A schema may bring its own error, such as 400 INVALID_TIMEZONE.
      if (issue.code === 'custom' && issue.params?.answer instanceof ApiError) throw issue.params.answer;
    }
    const problems = await nameProblems(result.error.issues.slice(0, MOST_PROBLEMS));
    throw validationFailed(problems.map(({ path, message }) => ({ path: path.map(String).join('.'), message })));
  };
  return {
    params: await check(route.params, parts.params),
    query: await check(route.query, parts.query),
    body: await check(route.body, parts.body),
  };
}
