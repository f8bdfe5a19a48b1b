import { act, rendered, type Scopeless } from './act.ts';
import type { Caller } from './authenticate.ts';
import type { Deps } from './deps.ts';
import type { AnyRoute, CacheNamespace } from './route.ts';
import { HASH_LENGTH, type PackedBody, packed, textOf } from './send.ts';

/** The setting of each namespace's lifetime (contract 0.11). */
const LIFETIMES = {
  plan: 'CACHE_TTL_PLAN_SEC',
  tracking: 'CACHE_TTL_TRACKING_SEC',
  aerobics: 'CACHE_TTL_AEROBICS_SEC',
  analytics: 'CACHE_TTL_ANALYTICS_SEC',
} as const satisfies Record<CacheNamespace, string>;

interface ReadAnswer {
  body: PackedBody;
  /** Undefined for a route that is never cached. */
  cache: 'HIT' | 'MISS' | undefined;
}

/** Reads the answer of one route for a caller. */
type Reader = (context: Scopeless, caller: Caller) => Promise<ReadAnswer>;

/**
 * The reader of a route that declares `revalidated`.
 * @param routes all routes: what `parts` names is among them
 */
export function readerOf(route: AnyRoute, deps: Deps, routes: AnyRoute[]): Reader {
  if (route.parts) {
    const parts = Object.entries(route.parts).map(([name, path]) => ({ name, part: partAt(path, routes) }));
    return async (context, caller) => {
      const text = await composed(route, parts, context, deps, caller);
      return { body: await packed(text), cache: undefined };
    };
  }
  return async (context, caller) => {
    const kept = await findKept(route, context, deps, caller);
    if (kept) return { body: kept, cache: 'HIT' };
    const { body = '' } = await act(route, context, deps, caller);
    return { body: await keep(route, context, deps, caller, body), cache: route.keptAs && 'MISS' };
  };
}

function partAt(path: string, routes: AnyRoute[]): AnyRoute {
  const part = routes.find((other) => other.method === 'GET' && other.path === path && other.unit === 'whole');
  if (!part) throw new Error(`${path} is no route that reads in one transaction`);
  return part;
}

/**
 * `{namespace}:{user}:v{data version}[:{zone}]`. The guard read the version before any query of this
 * request: whatever is computed now is at least as new.
 */
function keyOf(route: AnyRoute, context: Scopeless, deps: Deps, caller: Caller): string {
  const zone = route.query ? [context.query.tz ?? deps.config.DEFAULT_TZ] : [];
  return [route.keptAs, caller.id, `v${caller.dataVersion}`, ...zone].join(':');
}

/** The body of an earlier answer to the same caller, version and zone; undefined where there is none. */
async function findKept(
  route: AnyRoute,
  context: Scopeless,
  deps: Deps,
  caller: Caller,
): Promise<PackedBody | undefined> {
  if (!route.keptAs) return undefined;
  const bytes = await deps.cache.get(keyOf(route, context, deps, caller));
  return bytes && { hash: bytes.toString('latin1', 0, HASH_LENGTH), gzip: bytes.subarray(HASH_LENGTH) };
}

async function keep(
  route: AnyRoute,
  context: Scopeless,
  deps: Deps,
  caller: Caller,
  text: string,
): Promise<PackedBody> {
  const body = await packed(text);
  const seconds = route.keptAs ? deps.config[LIFETIMES[route.keptAs]] : 0;
  if (seconds > 0) {
    const bytes = Buffer.concat([Buffer.from(body.hash, 'latin1'), body.gzip]);
    deps.cache.set({ key: keyOf(route, context, deps, caller), owner: caller.id, bytes, seconds });
  }
  return body;
}

/**
 * An answer made of the answers of other routes to the same caller and query, byte for byte. What is not
 * in the cache is read in one transaction; a part that fails is left out and spoils no other.
 */
async function composed(
  route: AnyRoute,
  parts: Array<{ name: string; part: AnyRoute }>,
  context: Scopeless,
  deps: Deps,
  caller: Caller,
): Promise<string> {
  const texts = new Map<string, string>();
  for (const { name, part } of parts) {
    const kept = await findKept(part, context, deps, caller);
    if (kept) texts.set(name, await textOf(kept));
  }
  const missing = parts.filter(({ name }) => !texts.has(name));
  await deps.db.asUser(caller.id, async (tx) => {
    await route.handle({ ...context, tx });
    for (const { name, part } of missing) {
      const failure = await tx.attempt(async () => {
        texts.set(name, rendered(part, await part.handle({ ...context, tx }), deps).body ?? 'null');
      });
      if (failure) deps.log.error({ requestId: context.requestId, part: name, err: failure }, 'a part failed');
    }
  });
  for (const { name, part } of missing) {
    const text = texts.get(name);
    if (part.keptAs && text !== undefined) await keep(part, context, deps, caller, text);
  }
  const members = parts.flatMap(({ name }) => (texts.has(name) ? [`${JSON.stringify(name)}:${texts.get(name)}`] : []));
  return `{${members.join(',')}}`;
}
