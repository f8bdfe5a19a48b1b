import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { fairQueue } from '#platform/fairQueue.ts';
import type { Log } from '#platform/log.ts';
import { traced } from '#platform/tracing.ts';
import { answered, DatabaseUnavailable, isOutdated, openPool, QUEUE_TIMEOUT_MS, RowLocked } from './connection.ts';
import type { Query } from './query.ts';

/** The session in which a transaction was to act has ended: nothing was read or written. */
export class SessionEnded extends Error {
  constructor() {
    super('the session has ended');
  }
}

/** A person's session: the phone's has ended when the person's row has another epoch. */
export interface Session {
  userId: string;
  /** The phone's, as the guard saw it. */
  epoch: number;
  /** Of a session beside the phone: it has ended when there is no such row. */
  otherId?: string | undefined;
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
   * Runs some statements of this transaction with the rights of the service, for what a person's request may
   * cause but the person may not write, such as an outbox message. In a transaction of the service it changes nothing.
   * Other statements of this transaction that come meanwhile are refused: they would have these rights.
   */
  asService<T>(work: () => Promise<T>): Promise<T>;
  /** Locks the row of the person for whom this transaction of the phone was opened. @throws SessionEnded */
  holdSession(): Promise<void>;
  /** Runs after the commit, and only then. Errors are logged, because the commit cannot be undone. */
  afterCommit(work: () => unknown): void;
}

/**
 * What the guard saw of a person on the primary: the epoch of the session, and versions of data. A replica with exactly
 * these has every change that the versions tell of.
 */
export type Seen = { session_epoch: number } & Record<string, number>;

export interface DatabaseOptions {
  url: string;
  /** A hot standby of the server, for reads that say what they must see. */
  replicaUrl?: string | undefined;
  /** Is told where such a read found its answer: `behind`, `away`: on the primary after all. */
  onReplicaRead?: (outcome: 'replica' | 'behind' | 'away') => void;
  poolSize: number;
  preparedStatements: boolean;
  log: Log;
  /** Is told how long a statement waited for a connection, in seconds. */
  onConnected?: (pool: PoolName, seconds: number) => void;
}

/** `reserved`: what everybody needs, such as authentication. */
type PoolName = 'requests' | 'reserved' | 'replica';

export type Database = ReturnType<typeof openDatabase>;

/** Longest that one statement of a request or a job may run, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longest for statements that touch one row or none, so that a server that never answers cannot hang a request. */
const QUICK_TIMEOUT_MS = 1_500;
/**
 * Longest that the first statement waits for the lock on the person's row (up to twice as long: once behind others that
 * wait, once for the holder). Then it gives the connection back, and tries again after a pause.
 */
const LOCK_WAIT_MS = 500;
const STATEMENT_SPAN = { kind: 'CLIENT', attributes: { 'db.system.name': 'postgresql' } } as const;
/** The same on the reserved connections, and where something else is locked before the person's row. */
const SHORT_LOCK_WAIT_MS = 20;
/** Longest that a change waits for earlier changes of the same person. */
const LONGEST_WAIT_MS = 9_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 400;

/**
 * Bounds for the transactions of one person in this process: one change and two reads at a time. The others wait
 * before they take a connection, so that one account never has more than three, whatever it sends.
 */
const PER_PERSON = {
  atOnce: Number.POSITIVE_INFINITY,
  waiting: Number.POSITIVE_INFINITY,
  waitingPerKey: 50,
  longestWaitMs: LONGEST_WAIT_MS,
};
const READS_AT_ONCE = 2;
/** Share of the connections that is reserved for what everybody needs: authentication and refreshes. */
const RESERVED_SHARE = 0.2;

/**
 * Opens the pools and the only two ways to run statements: as a person, or as the service.
 * It works behind a pooler in transaction mode, because no session state outlives a transaction.
 */
export function openDatabase({ url, poolSize, preparedStatements, log, ...options }: DatabaseOptions) {
  const reservedSize = Math.max(1, Math.round(poolSize * RESERVED_SHARE));
  const pool = openPool(url, Math.max(1, poolSize - reservedSize), log);
  const reserved = openPool(url, reservedSize, log);
  const replica = options.replicaUrl ? openPool(options.replicaUrl, poolSize, log, true) : undefined;
  const pools = new Map<pg.Pool, PoolName>([
    [pool, 'requests'],
    [reserved, 'reserved'],
    ...(replica ? [[replica, 'replica'] as const] : []),
  ]);
  let replicaAwayUntil = 0;
  let isTryingReplica = false;
  const changes = fairQueue({ ...PER_PERSON, atOncePerKey: 1 });
  const reads = fairQueue({ ...PER_PERSON, atOncePerKey: READS_AT_ONCE });
  // People take turns at the reserved connections: one person's flood of requests delays nobody else's authentication.
  const lookUps = fairQueue({
    atOnce: reservedSize,
    atOncePerKey: 1,
    waitingPerKey: 100,
    waiting: 10_000,
    longestWaitMs: QUEUE_TIMEOUT_MS,
  });

  async function connect(from: pg.Pool): Promise<pg.PoolClient> {
    const asked = performance.now();
    try {
      const client = await from.connect();
      options.onConnected?.(pools.get(from) ?? 'requests', (performance.now() - asked) / 1000);
      return client;
    } catch (error) {
      throw new DatabaseUnavailable(error);
    }
  }

  /**
   * Does something on a connection of its own. Where PostgreSQL refuses what was prepared there, because the schema has
   * changed since, nothing was done: it is done once more with nothing prepared, and the connection is closed afterwards.
   */
  async function holding<T>(from: pg.Pool, ask: (held: Held) => Promise<T>): Promise<T> {
    const client = await connect(from);
    const held: Held = { client, broken: undefined, outdated: undefined };
    // A connection that dies between two statements says so here; the next statement fails.
    const onError = (error: Error) => {
      held.broken = error;
    };
    client.on('error', onError);
    try {
      return await ask(held).catch((error) => {
        if (held.broken || !held.outdated) throw error;
        log.info({ err: held.outdated }, 'the schema has changed: a transaction is repeated with new statements');
        return ask(held);
      });
    } finally {
      client.off('error', onError);
      client.release(held.broken ?? held.outdated);
    }
  }

  /** Sends a statement, and notes what its failure says about the connection. */
  async function send<Result>(held: Held, silenceMs: number, query: () => Promise<Result>): Promise<Result> {
    try {
      gatherWrites(held.client);
      return await answered(held.client, silenceMs, query);
    } catch (error) {
      if (isOutdated(error)) held.outdated ??= error;
      if (error instanceof DatabaseUnavailable && !(error instanceof RowLocked)) held.broken = error;
      throw error;
    }
  }

  async function sendNamed<Row>(held: Held, query: Query<Row>, values: unknown[], silenceMs: number): Promise<Row[]> {
    const { name, text } = query;
    const statement = preparedStatements && !held.outdated ? { name, text, values } : { text, values };
    const result = await traced(name, STATEMENT_SPAN, () => send(held, silenceMs, () => held.client.query(statement)));
    return result.rows as Row[];
  }

  async function scope<T>(options: Scope, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { result, afterCommit } = await holding(options.from, (held) => transact(held, options, work));
    for (const step of afterCommit) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'work after a commit failed');
      }
    }
    return result;
  }

  async function transact<T>(
    held: Held,
    { from, timeoutMs = STATEMENT_TIMEOUT_MS, openingMs = QUICK_TIMEOUT_MS, ...options }: Scope,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<{ result: T; afterCommit: Array<() => unknown> }> {
    const { role, session } = options;
    const { client } = held;
    const isRepeated = held.outdated !== undefined;
    const afterCommit: Array<() => unknown> = [];
    let currentRole = role;
    let isOver = false;
    const rows = async <Row>(query: Query<Row>, values: unknown[] = []): Promise<Row[]> => {
      // The connection may be another request's by now.
      if (isOver) throw new Error(`${query.name} came after the end of its transaction`);
      if (currentRole !== role && serviceWork.getStore() !== client) {
        throw new Error(`${query.name} would run with the rights of the service`);
      }
      return sendNamed(held, query, values, timeoutMs + 1_000);
    };
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
        try {
          await Promise.all([rows(SAVEPOINT), step()]);
          unawaited(rows(RELEASE));
          return undefined;
        } catch (error) {
          // The primary can do what a replica could not: nothing is left out because of it.
          const isOfReplica = from === replica && error instanceof pg.DatabaseError;
          const isToRepeat = held.outdated && !isRepeated;
          if (error instanceof DatabaseUnavailable || isOfReplica || isToRepeat) throw error;
          await rows(UNDO);
          return error;
        }
      },
      asService: async (work) => {
        if (currentRole === 'service') return work();
        unawaited(rows(SET_ROLE, ['service']));
        currentRole = 'service';
        try {
          return await serviceWork.run(client, work);
        } finally {
          currentRole = role;
          unawaited(rows(SET_ROLE, [role])); // after a failed statement the rollback does it
        }
      },
      holdSession: async () => {
        const held =
          session && session.otherId === undefined && (await maybe(HOLD_SESSION, [session.userId, session.epoch]));
        if (!held) throw new SessionEnded();
      },
      afterCommit: (step) => afterCommit.push(step),
    };
    try {
      const opening = openingStatement({ ...options, timeoutMs });
      const opened = send(held, openingMs, () => client.query(opening)).catch((error) => {
        const { code } = error as { code?: unknown };
        if (code === REPLICA_DIFFERS || (code === SESSION_HAS_ENDED && options.seen)) throw new ReplicaBehind();
        throw code === SESSION_HAS_ENDED ? new SessionEnded() : error;
      });
      // The first statements travel with the opening: if that fails, PostgreSQL refuses them.
      const [isOpen, worked] = await Promise.allSettled([opened, work(tx)]);
      isOver = true;
      if (isOpen.status === 'rejected') throw isOpen.reason;
      if (worked.status === 'rejected') throw worked.reason;
      const { command } = await send(held, timeoutMs + 1_000, () => client.query('commit'));
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back instead of committed');
      return { result: worked.value, afterCommit };
    } catch (error) {
      if (!held.broken) {
        await send(held, QUICK_TIMEOUT_MS, () => client.query('rollback')).catch((failure: Error) => {
          held.broken = failure;
        });
      }
      throw error;
    }
  }

  /** Whether the replica may be asked now: it has a connection free, and after a failure one read tries first. */
  function mayAskReplica(askedAt: number): boolean {
    const now = performance.now();
    if (!replica || now < replicaAwayUntil || isTryingReplica) return false;
    if (now - askedAt > FRESH_MS) return false; // what the guard saw may be over: the primary knows
    return replica.idleCount > 0 || replica.totalCount < poolSize;
  }

  /** On the replica, if it has what the guard saw, or else on the primary. Until it is open, `work` only sends. */
  async function readAnywhere<T>(
    scopeOf: Omit<Scope, 'from'>,
    seen: Seen,
    askedAt: number,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    if (!replica || !mayAskReplica(askedAt)) return scope({ ...scopeOf, from: pool }, work);
    isTryingReplica = replicaAwayUntil > 0;
    try {
      const result = await scope({ ...scopeOf, ...REPLICA_TIMES, from: replica, seen }, work);
      replicaAwayUntil = 0;
      options.onReplicaRead?.('replica');
      return result;
    } catch (error) {
      const isBehind = error instanceof ReplicaBehind || (error as { code?: unknown }).code === CANCELLED_BY_REPLICA;
      if (!isBehind && !(error instanceof DatabaseUnavailable || error instanceof pg.DatabaseError)) throw error;
      if (!isBehind) {
        replicaAwayUntil = performance.now() + REPLICA_PAUSE_MS;
        log.warn({ err: error }, 'the replica did not answer; the primary does for a while');
      }
      options.onReplicaRead?.(isBehind ? 'behind' : 'away');
      return scope({ ...scopeOf, from: pool }, work);
    } finally {
      isTryingReplica = false;
    }
  }

  return {
    /**
     * One transaction with the rights of a signed-in person, under row-level security, if the session has not ended.
     * `work` begins before that is known, so until its first answer it does nothing but send statements. It is run
     * again after a change of the schema (`holding`), so what must happen once outside belongs into `afterCommit`.
     * @param signal aborts when the client hangs up: a transaction that still waits for its turn is given up
     * @param seen for a read: a replica that has the same may answer it
     * @throws SessionEnded; QueueFull and WaitedTooLong when this person sends more than is served;
     *   DatabaseUnavailable
     */
    asUser: <T>(
      session: Session,
      access: Access,
      work: (tx: Transaction) => Promise<T>,
      signal?: AbortSignal,
      seen?: Seen,
    ): Promise<T> => {
      const { userId } = session;
      const claims = { sub: userId, role: 'authenticated', aud: 'authenticated' };
      const scopeOf = { role: 'authenticated', claims, session, access };
      const attempt = () => scope({ ...scopeOf, from: pool }, work);
      if (access === 'read') {
        const askedAt = performance.now();
        return reads(userId, seen ? () => readAnywhere(scopeOf, seen, askedAt, work) : attempt, signal);
      }
      return changes(userId, () => untilUnlocked(attempt, signal), signal);
    },
    /**
     * One transaction of a public flow, a worker or the schedule; run again as in `asUser`.
     * @param timeoutMs time limit for one statement; those of the schedule touch everybody's rows and need longer
     */
    asService: <T>(work: (tx: Transaction) => Promise<T>, timeoutMs?: number) =>
      scope({ from: pool, role: 'service', claims: { role: 'service' }, timeoutMs }, work),
    /**
     * As `asService`, for work that locks the row of one person, such as a sign-in: it waits in the same queue as the
     * changes of this person before it takes a connection.
     * @param key id of the person; while that is not known, another text that is always the same for them
     */
    asServiceFor: <T>(key: string, work: (tx: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> => {
      const options = { from: pool, role: 'service', claims: { role: 'service' }, lockTimeoutMs: LOCK_WAIT_MS };
      return changes(key, () => untilUnlocked(() => scope(options, work), signal), signal);
    },
    /**
     * One statement with the few rights of the login itself, without a transaction or a role, on a reserved connection.
     * @param asker key of the fair queue, such as the id of a person
     * @throws QueueFull, WaitedTooLong, DatabaseUnavailable; RowLocked when a function does not wait for a row: the caller
     *   waits without a connection and tries again
     */
    queryUnscoped: <Row>(asker: string, query: Query<Row>, values: unknown[]): Promise<Row[]> =>
      lookUps(asker, () => holding(reserved, (held) => sendNamed(held, query, values, QUICK_TIMEOUT_MS))),
    /** Connections of each pool, and what waits for one. */
    saturation: () =>
      [...pools].map(([{ totalCount, idleCount, waitingCount }, name]) => ({
        pool: name,
        busy: totalCount - idleCount,
        idle: idleCount,
        waiting: waitingCount,
      })),
    close: async () => {
      await Promise.all([...pools.keys()].map((each) => each.end()));
    },
  };
}

/**
 * Lets a statement travel with the next ones. In a transaction nothing is lost by that: after a statement that failed,
 * PostgreSQL refuses every other one and the commit.
 */
function unawaited(sent: Promise<unknown>): void {
  sent.catch(() => undefined);
}

/** What is sent to a server in one turn of the event loop goes out in one piece. */
function gatherWrites(client: pg.PoolClient): void {
  const stream = client.connection.stream as unknown as Socket;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** The connection on which the present work has the rights of the service, in `asService`. */
const serviceWork = new AsyncLocalStorage<pg.PoolClient>();

/** A connection that is in use, and what was found out about it. */
interface Held {
  client: pg.PoolClient;
  /** It is of no use any more. */
  broken: Error | undefined;
  /** What is prepared there does not fit the schema any more. */
  outdated: Error | undefined;
}

interface Scope {
  from: pg.Pool;
  role: string;
  claims: object;
  session?: Session | undefined;
  /** Only on the replica. */
  seen?: Seen | undefined;
  access?: Access | undefined;
  timeoutMs?: number | undefined;
  /** Longest that the first answer may take, in milliseconds. */
  openingMs?: number | undefined;
  /** Longest wait for any lock; absent: only that for the person's row has a bound of its own. */
  lockTimeoutMs?: number | undefined;
}

/** Tries again while the person's row is locked, for example by another instance; has no connection in between. */
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

/** SQLSTATE of app.hold_session and app.check_session. */
const SESSION_HAS_ENDED = 'ST001';
/** SQLSTATE of app.check_replica. */
const REPLICA_DIFFERS = 'ST002';
/** How long a replica that could not be reached is left alone, in milliseconds. */
const REPLICA_PAUSE_MS = 10_000;

/** The replica does not have the state that the guard saw on the primary. */
class ReplicaBehind extends Error {}

/** SQLSTATE: a replica cancels reads that stand in the way of changes. */
const CANCELLED_BY_REPLICA = '40001';
/** Shorter than the primary's: it can stand in. In milliseconds. */
const REPLICA_TIMES = { openingMs: 300, timeoutMs: 1_000, lockTimeoutMs: 300 };
/** A read whose turn came later than so long after the guard goes to the primary, in milliseconds. */
const FRESH_MS = 200;
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

function sessionOf({ userId, epoch, otherId }: Session): string {
  const person = pg.escapeLiteral(userId);
  if (otherId !== undefined) return `other_session(${person}, ${pg.escapeLiteral(otherId)})`;
  return `session(${person}, ${Math.trunc(epoch)})`;
}

/**
 * Begins a transaction, sets its role, claims and time limits, and checks that the session has not ended, in one round
 * trip.
 */
function openingStatement({ role, claims, session, seen, access, timeoutMs, ...options }: Omit<Scope, 'from'>) {
  const lockTimeoutMs = options.lockTimeoutMs ?? (access === 'late' ? SHORT_LOCK_WAIT_MS : 0);
  const begin = access === 'read' ? 'begin isolation level repeatable read read only' : 'begin';
  const verb = access === 'write' ? 'hold' : 'check';
  const sessionRow = session && `select app.${verb}_${sessionOf(session)};`;
  // The phone's epoch is in what the guard saw; a session beside it must be there as well.
  const replicaRow = seen && `select app.check_replica(${pg.escapeLiteral(JSON.stringify(seen))});`;
  const check = replicaRow ? replicaRow + (session?.otherId === undefined ? '' : sessionRow) : sessionRow;
  return `${begin};
    select
      set_config('role', ${pg.escapeLiteral(role)}, true),
      set_config('request.jwt.claims', ${pg.escapeLiteral(JSON.stringify(claims))}, true),
      set_config('search_path', 'public', true),
      set_config('statement_timeout', '${timeoutMs}', true),
      set_config('lock_timeout', '${session ? LOCK_WAIT_MS : lockTimeoutMs}', true);
    ${check ?? ''}
    select set_config('lock_timeout', '${lockTimeoutMs}', true)`;
}
