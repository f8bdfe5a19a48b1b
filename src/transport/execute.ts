import type { Caller } from '#identity/authenticate.ts';
import type { Access, Seen, Transaction } from '#platform/postgres/database.ts';
import type { Deps } from './deps.ts';
import type { AnyRoute, Context } from './route.ts';
import type { SerializedAnswer } from './send.ts';
import { serialize } from './serialize.ts';

// biome-ignore lint/suspicious/noExplicitAny: each route declares its own query, params and body
type AnyContext = Context<'public' | 'user', 'auto' | 'manual', any, any, any>;
/** What is known of a request before a transaction is open. */
export type RequestContext = Omit<AnyContext, 'tx' | 'transaction'>;

/**
 * Runs the handler with the database rights of the caller (on public routes: of the service), and commits.
 * @param seen for a read that a replica may answer
 */
export async function execute(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller | undefined,
  seen?: Seen,
): Promise<SerializedAnswer> {
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    caller ? deps.db.asUser(caller.session, accessOf(route), work, context.signal, seen) : deps.db.asService(work);
  if (route.transaction === 'manual') {
    return serialize(route, await mapConstraintErrors(route, () => route.handle({ ...context, transaction })), deps);
  }
  // Serialized inside the transaction: if the answer does not match its schema, nothing is committed.
  return mapConstraintErrors(route, () =>
    transaction(async (tx) => serialize(route, await route.handle({ ...context, tx }), deps)),
  );
}

/** Begins a download; its pieces are read while it is sent, in transactions of their own. */
export async function beginDownload(
  route: AnyRoute,
  context: RequestContext,
  deps: Deps,
  caller: Caller,
): Promise<AsyncIterable<string | Buffer>> {
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    deps.db.asUser(caller.session, accessOf(route), work, context.signal);
  return (await route.handle({ ...context, transaction })).body as unknown as AsyncIterable<string | Buffer>;
}

/** A GET only reads, everything else may write, unless the route says otherwise. */
export const accessOf = (route: AnyRoute): Access => route.access ?? (route.method === 'GET' ? 'read' : 'write');

/** Runs the handler and turns violated constraints into the errors that the route declares for them. */
export async function mapConstraintErrors<T>(route: AnyRoute, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const constraint = (error as { constraint?: unknown }).constraint;
    const meaning = typeof constraint === 'string' ? route.constraints?.[constraint] : undefined;
    throw meaning ? meaning() : error;
  }
}
