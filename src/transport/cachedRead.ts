import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '#identity/authenticate.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Deps } from './deps.ts';
import { execute, type RequestContext, serialize } from './execute.ts';
import type { AnyRoute } from './route.ts';
import { type CompressedBody, compressed, HASH_LENGTH, textOf } from './send.ts';

/** Time limit for what the handler of a composed route does before the answers are read, in milliseconds. */
const LONGEST_STEP_MS = 1_000;

interface ReadAnswer {
  body: CompressedBody;
  /** Undefined for a route that is never cached. */
  cache: 'HIT' | 'MISS' | undefined;
}

/** Reads the answer of one route for a caller. */
type Reader = (context: RequestContext, caller: Caller) => Promise<ReadAnswer>;

/**
 * Builds the reader of a route that declares `etag`: it takes the answer from the cache or runs the handler.
 * @param routes all routes, because `compose` names others
 */
export function buildCachedRead(route: AnyRoute, deps: Deps, routes: AnyRoute[]): Reader {
  if (route.compose) {
    const parts = Object.entries(route.compose).map(([name, path]) => ({ name, part: partAt(path, routes) }));
    return async (context, caller) => {
      const text = await composed(route, parts, context, deps, caller);
      return { body: await compressed(text), cache: undefined };
    };
  }
  return async (context, caller) => {
    const cached = await findCached(route, context, deps, caller);
    if (cached) return { body: cached, cache: 'HIT' };
    const { body = '' } = await execute(route, context, deps, caller);
    return { body: await store(route, context, deps, caller, body), cache: route.cache && 'MISS' };
  };
}

function partAt(path: string, routes: AnyRoute[]): AnyRoute {
  const part = routes.find((other) => other.method === 'GET' && other.path === path && other.transaction === 'auto');
  if (!part) throw new Error(`${path} is no route that reads in one transaction`);
  return part;
}

/**
 * The cache key: `{namespace}:{user}:v{data version}[:{zone}]`. The version was read before any other query of this
 * request, so what is computed now is at least as new as the key says.
 */
function keyOf(route: AnyRoute, context: RequestContext, deps: Deps, caller: Caller): string {
  const zone = route.query ? [context.query.tz ?? deps.config.DEFAULT_TZ] : [];
  return [route.cache?.namespace, caller.id, `v${caller.dataVersion}`, ...zone].join(':');
}

/** The body of an earlier answer to the same caller, version and zone; undefined where there is none. */
async function findCached(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
): Promise<CompressedBody | undefined> {
  if (!route.cache) return undefined;
  const bytes = await deps.cache.get(keyOf(route, context, deps, caller));
  const shape = shapeOf(route);
  if (bytes?.toString('latin1', 0, SHAPE_LENGTH) !== shape) return undefined; // of a release with another schema
  const [hashAt, gzipAt] = [SHAPE_LENGTH, SHAPE_LENGTH + HASH_LENGTH];
  return { hash: bytes.toString('latin1', hashAt, gzipAt), gzip: bytes.subarray(gzipAt) };
}

const SHAPE_LENGTH = 8;
const shapes = new WeakMap<AnyRoute, string>();

/**
 * A short hash of the response schema, stored in front of the cached bytes: during a deploy, instances of two
 * releases share one cache, and neither may serve an answer that was made for the other's schema.
 */
function shapeOf(route: AnyRoute): string {
  const known = shapes.get(route);
  if (known !== undefined) return known;
  const schema = JSON.stringify(z.toJSONSchema(route.responses[200], { unrepresentable: 'any' }));
  const shape = createHash('sha256').update(schema).digest('base64url').slice(0, SHAPE_LENGTH);
  shapes.set(route, shape);
  return shape;
}

async function store(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
  text: string,
): Promise<CompressedBody> {
  const body = await compressed(text);
  const seconds = route.cache?.seconds(deps.config) ?? 0;
  if (seconds > 0) {
    const bytes = Buffer.concat([Buffer.from(shapeOf(route) + body.hash, 'latin1'), body.gzip]);
    const key = keyOf(route, context, deps, caller);
    deps.cache.set({ key, owner: caller.id, version: caller.dataVersion, bytes, seconds });
  }
  return body;
}

/**
 * An object made of the answers of other routes to the same caller and query, byte for byte. Those that are not in
 * the cache are read in one transaction; one that fails is left out and does not affect the others.
 */
async function composed(
  route: AnyRoute,
  parts: Array<{ name: string; part: AnyRoute }>,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
): Promise<string> {
  const texts = new Map<string, string>();
  for (const { name, part } of parts) {
    const cached = await findCached(part, context, deps, caller);
    if (cached) texts.set(name, await textOf(cached));
  }
  const missing = parts.filter(({ name }) => !texts.has(name));
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    deps.db.asUser(
      caller.session,
      'write',
      work,
      AbortSignal.any([context.signal, AbortSignal.timeout(LONGEST_STEP_MS)]),
    );
  await route.handle({ ...context, transaction });
  const readMissing = async (tx: Transaction) => {
    for (const { name, part } of missing) {
      const failure = await tx.savepoint(async () => {
        texts.set(name, serialize(part, await part.handle({ ...context, tx }), deps).body ?? 'null');
      });
      if (failure) deps.log.error({ requestId: context.requestId, part: name, err: failure }, 'a part failed');
    }
  };
  if (missing.length > 0) await deps.db.asUser(caller.session, 'read', readMissing, context.signal);
  for (const { name, part } of missing) {
    const text = texts.get(name);
    if (part.cache && text !== undefined) await store(part, context, deps, caller, text);
  }
  const members = parts.flatMap(({ name }) => (texts.has(name) ? [`${JSON.stringify(name)}:${texts.get(name)}`] : []));
  return `{${members.join(',')}}`;
}
