import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '#platform/log.ts';

/** PostgreSQL could not be reached, or its answer was lost. It says nothing about the caller's request. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('PostgreSQL is not available', { cause });
  }
}

/** A row that a transaction needs was locked for longer than it may wait. The connection is fine. */
export class RowLocked extends DatabaseUnavailable {}

const CONNECT_TIMEOUT_MS = 1_500;
/** The same for a server that another one can stand in for. */
const REPLICA_CONNECT_TIMEOUT_MS = 300;
/** Longest wait for a free connection of the pool. */
export const QUEUE_TIMEOUT_MS = 5_000;
const LOCK_NOT_AVAILABLE = '55P03';

const INT8 = 20;
const INT8_ARRAY = 1016;
const FLOAT4_ARRAY = 1021;
/**
 * For one-dimensional arrays of numbers without nulls, which are JSON but for their braces. Saves a quarter of the time
 * that reading the rows of tracking takes.
 */
const parseNumbers = (text: string): number[] => JSON.parse(`[${text.slice(1, -1)}]`) as number[];
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8) return Number;
    if (format !== 'binary' && (oid === INT8_ARRAY || oid === FLOAT4_ARRAY)) return parseNumbers;
    return pg.types.getTypeParser(oid, format);
  }) as typeof pg.types.getTypeParser,
};

/** The connections to a server; each is opened when it is first needed. @param isReplica another server can stand in for it */
export function openPool(url: string, max: number, log: Log, isReplica = false): pg.Pool {
  const opened = new pg.Pool({
    connectionString: url,
    max,
    Client: isReplica ? ReplicaClient : QuickClient,
    pipeline: true, // statements that are sent without waiting travel together
    connectionTimeoutMillis: QUEUE_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'strong-together',
    types,
  });
  opened.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'));
  // Without a listener, a connection that dies while it is checked out would end the process.
  opened.on('connect', (client) => client.on('error', () => undefined));
  return opened;
}

/** A client that waits a shorter time for a server that does not answer than the pool waits for a free connection. */
class QuickClient extends pg.Client {
  protected readonly connectTimeoutMs: number = CONNECT_TIMEOUT_MS;

  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: 0 });
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
    const stopWatching = endSilence(this, this.connectTimeoutMs);
    const connecting = super.connect().finally(stopWatching);
    if (!callback) return connecting;
    connecting.then(() => callback(undefined as unknown as Error), callback); // as the library calls it
    return undefined;
  }
}

class ReplicaClient extends QuickClient {
  protected override readonly connectTimeoutMs = REPLICA_CONNECT_TIMEOUT_MS;
}

/**
 * Waits for the answer to a statement, and gives up when nothing arrives for `silenceMs`. Time in which this process
 * was too busy to read, or in which the answer arrives bit by bit, does not count.
 * @throws DatabaseUnavailable, RowLocked, or what PostgreSQL says about the statement
 */
export async function answered<T>(client: pg.PoolClient, silenceMs: number, ask: () => Promise<T>): Promise<T> {
  const stopWatching = endSilence(client, silenceMs);
  try {
    return await ask();
  } catch (error) {
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) throw new RowLocked(error);
    throw isConnectionFailure(error) ? new DatabaseUnavailable(error) : error;
  } finally {
    stopWatching();
  }
}

/** Closes a connection when nothing arrives on it for `silenceMs`. @returns a function that stops watching it */
function endSilence(client: pg.Client | pg.PoolClient, silenceMs: number): () => void {
  const stream = () => client.connection.stream as unknown as Socket;
  let [isOver, read] = [false, stream().bytesRead];
  const look = async (): Promise<void> => {
    await nextTurn(); // what has arrived meanwhile is read first
    if (isOver) return;
    if (stream().bytesRead === read) {
      stream().destroy(new Error('PostgreSQL says nothing'));
      return;
    }
    read = stream().bytesRead;
    timer = setTimeout(look, silenceMs);
  };
  let timer = setTimeout(look, silenceMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/**
 * Whether the connection failed rather than the statement: SQLSTATE classes 08 (connection), 57P
 * (shutdown), 57014 (took too long), 53 (out of connections), read-only after a failover, or an error without SQLSTATE.
 */
function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof pg.DatabaseError) return /^(08|57P|57014|53|25006)/.test(error.code ?? '');
  return true;
}

/** SQLSTATE: a statement that this connection had prepared is gone, as behind a pooler that changed the server. */
const NO_SUCH_STATEMENT = '26000';
const FEATURE_NOT_SUPPORTED = '0A000';
const INTERNAL_ERROR = 'XX000';
const DEADLOCK = '40P01';

/**
 * Whether PostgreSQL refuses a statement because the schema has changed since it was prepared ("cached plan must not
 * change result type") or while it ran (an object that it was planned with is gone, or a deadlock with the change),
 * or because it is not prepared at all. Sent anew, the same statement can succeed. Messages of internal errors are
 * not translated.
 */
export function isOutdated(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false;
  const { code, routine, message } = error;
  if (code === FEATURE_NOT_SUPPORTED) return routine === 'RevalidateCachedQuery';
  if (code === INTERNAL_ERROR) return /^(cache lookup failed|could not open relation with OID)/.test(message);
  return code === NO_SUCH_STATEMENT || code === DEADLOCK;
}
