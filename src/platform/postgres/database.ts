import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { fairQueue } from '#platform/fairQueue.ts';
import type { Log } from '#platform/log.ts';
import type { Query } from './query.ts';

/** PostgreSQL could not be asked, or the answer was lost. Never a statement about the caller's request. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('PostgreSQL is not available', { cause });
  }
}

/** Somebody else holds what a transaction needs, for longer than it may wait. The connection is fine. */
export class RowLocked extends DatabaseUnavailable {}

/** The session in which a transaction was to act has ended: nothing was read or written. */
export class SessionEnded extends Error {
  constructor() {
    super('the session has ended');
  }
}

/** A person's session: it goes on for as long as the person's row has this epoch. */
export interface Session {
  userId: string;
  epoch: number;
}

/**
 * How a person's transaction holds on to its session.
 * - `read`: reads only, from one snapshot that was taken while the session was current.
 * - `write`: the person's row is locked from the first statement on. Whatever ends the session waits for the
 *   commit, and a session that has ended lets nothing in. Changes of one person follow one another.
 * - `late`: as `write`, but the lock is taken by `tx.holdSession()`, for work that must lock something else first.
 */
export type Access = 'read' | 'write' | 'late';

/** Statements of one open transaction. Values of int8 columns arrive as numbers, timestamps as Dates. */
export interface Transaction {
  rows<Row>(query: Query<Row>, values?: unknown[]): Promise<Row[]>;
  /** The only row, or undefined. */
  maybe<Row>(query: Query<Row>, values?: unknown[]): Promise<Row | undefined>;
  /** The only row; throws if there is none. */
  one<Row>(query: Query<Row>, values?: unknown[]): Promise<Row>;
  /**
   * Runs `work` inside a savepoint. If it throws, its changes are undone, the transaction goes on,
   * and the error is returned, not thrown. A lost connection is thrown all the same.
   */
  savepoint(work: () => Promise<void>): Promise<unknown>;
  /**
   * Runs some statements of this transaction with the rights of the service: what a person may cause
   * but not write, such as an outbox entry. Inside a service's transaction it changes nothing.
   */
  asService<T>(work: () => Promise<T>): Promise<T>;
  /** Locks the row of the person for whom this transaction was opened. @throws SessionEnded */
  holdSession(): Promise<void>;
  /** Runs after the commit, and only then. What it throws is logged: the commit stands. */
  afterCommit(work: () => unknown): void;
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  preparedStatements: boolean;
  log: Log;
}

export type Database = ReturnType<typeof openDatabase>;

/** Longest that one statement of a request or a job may run, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 1_500;
/** Longest that a burst may wait for a connection of the pool. */
const QUEUE_TIMEOUT_MS = 5_000;
/** Longest for statements that touch one row or none: a server that accepts and says nothing must not hang a request. */
const QUICK_TIMEOUT_MS = 1_500;
/**
 * How long the first statement waits for the person's row, twice at most (behind others that wait, and for the holder);
 * then the connection is given back, and it tries again.
 */
const LOCK_WAIT_MS = 500;
/** The same where everybody needs the connections, or where something is locked before the person's row. */
const SHORT_LOCK_WAIT_MS = 20;
/** Longest that a change waits for the changes of the same person before it. */
const LONGEST_WAIT_MS = 9_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 400;

/**
 * Transactions of one person in this process: one change and two reads at a time, some waiting, before any of them
 * takes a connection. So one account never has more than three, whatever it sends.
 */
const PER_PERSON = {
  atOnce: Number.POSITIVE_INFINITY,
  waiting: Number.POSITIVE_INFINITY,
  waitingPerKey: 50,
  longestWaitMs: LONGEST_WAIT_MS,
};
const READS_AT_ONCE = 2;
/** Share of the connections that is kept for what everybody needs: the guard's question and refreshes. */
const RESERVED_SHARE = 0.2;

const LOCK_NOT_AVAILABLE = '55P03';

const INT8 = 20;
const INT8_ARRAY = 1016;
const FLOAT4_ARRAY = 1021;
/** One-dimensional arrays of numbers without nulls: braces apart they are JSON. Saves a quarter of reading the tracking rows. */
const parseNumbers = (text: string): number[] => JSON.parse(`[${text.slice(1, -1)}]`) as number[];
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8) return Number;
    if (format !== 'binary' && (oid === INT8_ARRAY || oid === FLOAT4_ARRAY)) return parseNumbers;
    return pg.types.getTypeParser(oid, format);
  }) as typeof pg.types.getTypeParser,
};

/**
 * Opens the pools and the only two ways to run statements: as a person, or as the service.
 * It works behind a transaction-mode pooler: no session state outlives a transaction.
 */
export function openDatabase({ url, poolSize, preparedStatements, log }: DatabaseOptions) {
  const reservedSize = Math.max(1, Math.round(poolSize * RESERVED_SHARE));
  const pool = openPool(Math.max(1, poolSize - reservedSize));
  const reserved = openPool(reservedSize);
  const changes = fairQueue({ ...PER_PERSON, atOncePerKey: 1 });
  const reads = fairQueue({ ...PER_PERSON, atOncePerKey: READS_AT_ONCE });
  const urgent = fairQueue({ ...PER_PERSON, atOncePerKey: 1 });
  // Those who ask take turns at the reserved connections: a flood of one person's requests delays nobody's guard.
  const lookUps = fairQueue({
    atOnce: reservedSize,
    atOncePerKey: 1,
    waitingPerKey: 100,
    waiting: 10_000,
    longestWaitMs: QUEUE_TIMEOUT_MS,
  });

  function openPool(max: number): pg.Pool {
    const opened = new pg.Pool({
      connectionString: url,
      max,
      Client: QuickClient,
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

  async function connect(from: pg.Pool): Promise<pg.PoolClient> {
    try {
      return await from.connect();
    } catch (error) {
      throw new DatabaseUnavailable(error);
    }
  }

  async function send<Row>(
    client: pg.PoolClient,
    query: Query<Row>,
    values: unknown[],
    silenceMs = STATEMENT_TIMEOUT_MS + 1_000,
  ): Promise<Row[]> {
    const statement = preparedStatements
      ? { name: query.name, text: query.text, values }
      : { text: query.text, values };
    return (await answered(client, silenceMs, () => client.query(statement))).rows as Row[];
  }

  async function scope<T>(
    { from, timeoutMs = STATEMENT_TIMEOUT_MS, ...options }: Scope,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const { role, session } = options;
    const client = await connect(from);
    const afterCommit: Array<() => unknown> = [];
    let currentRole = role;
    const rows = <Row>(query: Query<Row>, values: unknown[] = []) => send(client, query, values, timeoutMs + 1_000);
    const maybe = async <Row>(query: Query<Row>, values: unknown[] = []) => (await rows(query, values))[0];
    const tx: Transaction = {
      rows,
      maybe,
      one: async (query, values) => {
        const row = await maybe(query, values);
        if (row === undefined) throw new Error(`${query.name} returned no row`);
        return row;
      },
      savepoint: async (step) => {
        await send(client, SAVEPOINT, []);
        try {
          await step();
          await send(client, RELEASE, []);
          return undefined;
        } catch (error) {
          if (error instanceof DatabaseUnavailable) throw error;
          await send(client, UNDO, []);
          return error;
        }
      },
      asService: async (work) => {
        if (currentRole === 'service') return work();
        await send(client, SET_ROLE, ['service']);
        currentRole = 'service';
        try {
          return await work();
        } finally {
          currentRole = role;
          // PermanentError after a failed statement; then it is the rollback that restores the role.
          await send(client, SET_ROLE, [role]).catch(() => undefined);
        }
      },
      holdSession: async () => {
        const held = session && (await maybe(HOLD_SESSION, [session.userId, session.epoch]));
        if (!held) throw new SessionEnded();
      },
      afterCommit: (step) => afterCommit.push(step),
    };
    let broken: Error | undefined;
    // A connection that dies between two statements says so here; the next statement fails.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    let result: T;
    try {
      const opening = openingStatement({ ...options, timeoutMs });
      // A text of several statements has several results: the last but one is that of the person's row.
      const opened = [await answered(client, QUICK_TIMEOUT_MS, () => client.query(opening))].flat();
      if (session && opened.at(-2)?.rowCount !== 1) throw new SessionEnded();
      result = await work(tx);
      const { command } = await answered(client, timeoutMs + 1_000, () => client.query('commit'));
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back instead of committed');
    } catch (error) {
      if (error instanceof DatabaseUnavailable && !(error instanceof RowLocked)) broken = error;
      else if (!broken) {
        await answered(client, QUICK_TIMEOUT_MS, () => client.query('rollback')).catch((failure: Error) => {
          broken = failure;
        });
      }
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
    for (const step of afterCommit) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'work after a commit failed');
      }
    }
    return result;
  }

  return {
    /**
     * One transaction with the rights of a signed-in person, under row-level security, for as long as the session
     * goes on.
     * @param signal the client has hung up: what still waits for its turn is given up
     * @throws SessionEnded; QueueFull and WaitedTooLong when this person sends more than is served;
     *   DatabaseUnavailable
     */
    asUser: <T>(
      session: Session,
      access: Access,
      work: (tx: Transaction) => Promise<T>,
      signal?: AbortSignal,
    ): Promise<T> => {
      const { userId } = session;
      const claims = { sub: userId, role: 'authenticated', aud: 'authenticated' };
      const attempt = () => scope({ from: pool, role: 'authenticated', claims, session, access }, work);
      if (access === 'read') return reads(userId, attempt, signal);
      return changes(userId, () => untilUnlocked(attempt, signal), signal);
    },
    /**
     * One transaction of a public flow, a worker or the schedule.
     * @param timeoutMs for one statement; the schedule's touch everybody's rows and take their time
     */
    asService: <T>(work: (tx: Transaction) => Promise<T>, timeoutMs?: number) =>
      scope({ from: pool, role: 'service', claims: { role: 'service' }, timeoutMs }, work),
    /**
     * As `asService`, for something about one person whose row it locks, such as a sign-in: it stands in line with the
     * changes of this person before it takes a connection.
     * @param key the person, or what stands for somebody who is not known yet
     */
    asServiceFor: <T>(key: string, work: (tx: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> => {
      const options = { from: pool, role: 'service', claims: { role: 'service' }, lockTimeoutMs: LOCK_WAIT_MS };
      return changes(key, () => untilUnlocked(() => scope(options, work), signal), signal);
    },
    /**
     * As `asService`, on the connections that are kept for what everybody needs: short, about one person, and one
     * at a time for each.
     * @throws RowLocked when the person's row is not free: waiting is the caller's matter, without a connection
     */
    asServiceUrgently: <T>(userId: string, work: (tx: Transaction) => Promise<T>): Promise<T> =>
      urgent(userId, () =>
        scope(
          { from: reserved, role: 'service', claims: { role: 'service' }, lockTimeoutMs: SHORT_LOCK_WAIT_MS },
          work,
        ),
      ),
    /**
     * One statement outside any scope, with the few rights of the login itself, on a connection kept for this.
     * @param asker who takes turns with others
     * @throws QueueFull, WaitedTooLong, DatabaseUnavailable
     */
    queryUnscoped: <Row>(asker: string, query: Query<Row>, values: unknown[]): Promise<Row | undefined> =>
      lookUps(asker, async () => {
        const client = await connect(reserved);
        let failure: Error | undefined;
        try {
          return (await send(client, query, values, QUICK_TIMEOUT_MS))[0];
        } catch (error) {
          if (error instanceof DatabaseUnavailable && !(error instanceof RowLocked)) failure = error;
          throw error;
        } finally {
          client.release(failure);
        }
      }),
    close: async () => {
      await Promise.all([pool.end(), reserved.end()]);
    },
  };
}

interface Scope {
  from: pg.Pool;
  role: string;
  claims: object;
  session?: Session | undefined;
  access?: Access | undefined;
  timeoutMs?: number | undefined;
  /** Longest wait for any lock; absent: the first statement's is bounded, the others are by `timeoutMs`. */
  lockTimeoutMs?: number | undefined;
}

/** Tries again while somebody else, such as another instance, holds the person's row; holds no connection meanwhile. */
async function untilUnlocked<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RowLocked) || performance.now() > deadline) throw error;
      signal?.throwIfAborted();
      await pause(wait);
    }
  }
}

/**
 * Waits for the answer to a statement. A server that says nothing for so long is given up; time in which this
 * process was too busy to read, or in which an answer arrives bit by bit, does not count.
 * @throws DatabaseUnavailable, RowLocked, or what PostgreSQL says about the statement
 */
async function answered<T>(client: pg.PoolClient, silenceMs: number, ask: () => Promise<T>): Promise<T> {
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

/** Ends a connection on which nothing arrives for so long. @returns stops looking */
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

const SET_ROLE = { name: 'scope.setRole', text: "select set_config('role', $1, true)" };
const SAVEPOINT = { name: '', text: 'savepoint step' };
const RELEASE = { name: '', text: 'release savepoint step' };
const HOLD_SESSION: Query<{ held: boolean }> = {
  name: 'scope.holdSession',
  text: `/* scope.holdSession */
    select true as held
    from public.users u
    where u.id = $1
      and u.session_epoch = $2
    for no key update`,
};
const UNDO = { name: '', text: 'rollback to savepoint step' };

/** Gives up on a server that does not answer sooner than on a pool that is busy. */
class QuickClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: 0 });
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
    const stopWatching = endSilence(this, CONNECT_TIMEOUT_MS);
    const connecting = super.connect().finally(stopWatching);
    if (!callback) return connecting;
    connecting.then(() => callback(undefined as unknown as Error), callback); // as the library calls it
    return undefined;
  }
}

/**
 * Begins, sets role, claims and time limits, and asks whether the session goes on, in one round trip; all local to
 * the transaction.
 */
function openingStatement({ role, claims, session, access, timeoutMs, ...options }: Omit<Scope, 'from'>) {
  const lockTimeoutMs = options.lockTimeoutMs ?? (access === 'late' ? SHORT_LOCK_WAIT_MS : 0);
  const begin = access === 'read' ? 'begin isolation level repeatable read read only' : 'begin';
  const sessionRow =
    session &&
    `select 1
     from public.users u
     where u.id = ${pg.escapeLiteral(session.userId)}
       and u.session_epoch = ${Math.trunc(session.epoch)}
     ${access === 'write' ? 'for no key update' : ''};`;
  return `${begin};
    select
      set_config('role', ${pg.escapeLiteral(role)}, true),
      set_config('request.jwt.claims', ${pg.escapeLiteral(JSON.stringify(claims))}, true),
      set_config('search_path', 'public', true),
      set_config('statement_timeout', '${timeoutMs}', true),
      set_config('lock_timeout', '${session ? LOCK_WAIT_MS : lockTimeoutMs}', true);
    ${sessionRow ?? ''}
    select set_config('lock_timeout', '${lockTimeoutMs}', true)`;
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
