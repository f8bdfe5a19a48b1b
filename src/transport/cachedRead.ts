import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '#identity/authenticate.ts';
import { DAY } from '#platform/limits.ts';
import type { Seen, Transaction } from '#platform/postgres/database.ts';
import type { Deps } from './deps.ts';
import { execute, type RequestContext } from './execute.ts';
import type { AnyRoute } from './route.ts';
import { type CompressedBody, compressed, HASH_LENGTH, uncompressed } from './send.ts';
import { serialize } from './serialize.ts';

/** Longest that an answer is kept where its route does not say. */
const KEPT_SECONDS = 2 * DAY;
const NOTHING = Buffer.from('null');
/** Time limit for what the handler of a composed route does before the answers are read, in milliseconds. */
const LONGEST_STEP_MS = 1_000;

interface ReadAnswer {
  body: CompressedBody;
  /** Undefined for a route that does not tell. */
  cache: 'HIT' | 'MISS' | undefined;
}

/** Reads the answer of one route for a caller. */
type Reader = (context: RequestContext, caller: Caller) => Promise<ReadAnswer>;

/** A body that may be kept, and until when: seconds since 1970. */
interface Perishable extends CompressedBody {
  expiry: number;
}

/**
 * Builds the reader of a route that declares `etag`: it takes the answer from the cache or makes it.
 * @param routes all routes, because `compose` names others
 */
export function buildCachedRead(route: AnyRoute, deps: Deps, routes: AnyRoute[]): Reader {
  const told = (cache: 'HIT' | 'MISS') => (route.cache?.isTold ? cache : undefined);
  const parts = Object.entries(route.compose ?? {}).map(([name, path]) => ({ name, part: partAt(path, routes) }));
  return async (context, caller) => {
    if (route.compose) await runFirst(route, context, deps, caller);
    const cached = await findCached(route, context, deps, caller);
    if (route.cache) deps.meters.cacheRead(route.cache.namespace, cached ? 'hit' : 'miss');
    if (cached) return { body: cached, cache: told('HIT') };
    if (route.compose) {
      const { bytes, expiry } = await composed(parts, context, deps, caller);
      return { body: await store(route, context, deps, caller, bytes, expiry), cache: undefined };
    }
    const { body = NOTHING } = await execute(route, context, deps, caller, seenBy(caller, [route]));
    return { body: await store(route, context, deps, caller, body), cache: told('MISS') };
  };
}

function partAt(path: string, routes: AnyRoute[]): AnyRoute {
  const part = routes.find((other) => other.method === 'GET' && other.path === path && other.transaction === 'auto');
  if (!part) throw new Error(`${path} is no route that reads in one transaction`);
  return part;
}

/** What the handler of a composed route does before the answers are read. */
async function runFirst(route: AnyRoute, context: RequestContext, deps: Deps, caller: Caller): Promise<void> {
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    deps.db.asUser(
      caller.session,
      'write',
      work,
      AbortSignal.any([context.signal, AbortSignal.timeout(LONGEST_STEP_MS)]),
    );
  await route.handle({ ...context, transaction });
}

/**
 * Whose answer it is, and of which versions: `{namespace}:{user}:v{versions}`. The versions were read before any other
 * query of this request, so what is computed now is at least as new as they say.
 */
function keyOf(route: AnyRoute, caller: Caller): { owner: string; series: string; current: string } {
  const { namespace, dependsOn = [] } = route.cache ?? {};
  const owner = caller.id;
  const series = `${namespace}:${owner}`;
  return { owner, series, current: `${series}:v${dependsOn.map((part) => caller.versions[part]).join('.')}` };
}

/** The zone at the end of a key, where the answer depends on one. */
const zoneOf = (route: AnyRoute, context: RequestContext, deps: Deps): string =>
  route.query ? `:${context.query.tz ?? deps.config.DEFAULT_TZ}` : '';

/** What a replica must have to answer these routes; undefined when one of them does not say what it depends on. */
function seenBy(caller: Caller, routes: AnyRoute[]): Seen | undefined {
  if (routes.some(({ cache }) => cache === undefined)) return undefined;
  const parts = routes.flatMap(({ cache }) => cache?.dependsOn ?? []);
  const versions = Object.fromEntries(parts.map((part) => [`${part}_version`, caller.versions[part]]));
  return { session_epoch: caller.session.epoch, ...versions };
}

/** The body of an earlier answer to the same caller, versions and zone; undefined where there is none. */
async function findCached(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
): Promise<Perishable | undefined> {
  if (!route.cache) return undefined;
  const bytes = await deps.cache.get(keyOf(route, caller).current + zoneOf(route, context, deps));
  const shape = shapeOf(route);
  if (bytes?.toString('latin1', 0, SHAPE_LENGTH) !== shape) return undefined; // of a release with another schema
  const [expiryAt, gzipAt] = [SHAPE_LENGTH + HASH_LENGTH, SHAPE_LENGTH + HASH_LENGTH + EXPIRY_LENGTH];
  return {
    hash: bytes.toString('latin1', SHAPE_LENGTH, expiryAt),
    expiry: Number(bytes.toString('latin1', expiryAt, gzipAt)),
    gzip: bytes.subarray(gzipAt),
  };
}

const SHAPE_LENGTH = 8;
/** Digits of an instant in seconds. */
const EXPIRY_LENGTH = 10;
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

/** @param latest the answer contains others that may be kept until then */
async function store(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
  body: Buffer,
  latest = Number.POSITIVE_INFINITY,
): Promise<Perishable> {
  const kept = await compressed(body);
  const now = Math.floor(Date.now() / 1000);
  const expiry = Math.min(latest, now + (route.cache?.seconds?.(deps.config) ?? KEPT_SECONDS));
  if (route.cache && expiry > now) {
    const bytes = Buffer.concat([Buffer.from(shapeOf(route) + kept.hash + expiry, 'latin1'), kept.gzip]);
    const { current, ...rest } = keyOf(route, caller);
    deps.cache.set({ ...rest, current, key: current + zoneOf(route, context, deps), bytes, seconds: expiry - now });
  }
  return { ...kept, expiry };
}

/**
 * An object made of the answers of other routes to the same caller and query, byte for byte. Those that are not in
 * the cache are read in one transaction; one that fails is left out and does not affect the others.
 * @returns the object as JSON, and until when it may be kept: seconds since 1970
 */
async function composed(
  parts: Array<{ name: string; part: AnyRoute }>,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
): Promise<{ bytes: Buffer; expiry: number }> {
  const answers = new Map<string, Buffer>();
  let expiry = Number.POSITIVE_INFINITY;
  const cached = await Promise.all(parts.map(({ part }) => findCached(part, context, deps, caller)));
  for (const [n, { name }] of parts.entries()) {
    const found = cached[n];
    if (!found) continue;
    answers.set(name, await uncompressed(found));
    expiry = Math.min(expiry, found.expiry);
  }
  const missing = parts.filter(({ name }) => !answers.has(name));
  const readMissing = async (tx: Transaction) => {
    for (const { name, part } of missing) {
      const failure = await tx.savepoint(async () => {
        answers.set(name, serialize(part, await part.handle({ ...context, tx }), deps).body ?? NOTHING);
      });
      if (failure) deps.log.error({ requestId: context.requestId, part: name, err: failure }, 'a part failed');
    }
  };
  if (missing.length > 0) {
    const seen = seenBy(
      caller,
      missing.map(({ part }) => part),
    );
    await deps.db.asUser(caller.session, 'read', readMissing, context.signal, seen);
  }
  for (const { name, part } of missing) {
    const answer = answers.get(name);
    // What lacks a part is not kept.
    expiry = answer === undefined ? 0 : Math.min(expiry, (await store(part, context, deps, caller, answer)).expiry);
  }
  const members = parts.filter(({ name }) => answers.has(name));
  const pieces = members.flatMap(({ name }, n) => [
    Buffer.from(`${n === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    answers.get(name) ?? NOTHING,
  ]);
  return { bytes: Buffer.concat([...pieces, Buffer.from(members.length === 0 ? '{}' : '}')]), expiry };
}
