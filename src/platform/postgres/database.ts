import pg from 'pg';
import type { Log } from '#platform/log/log.ts';
import type { Query } from './query.ts';

/** PostgreSQL could not be asked, or the answer was lost. Never a statement about the caller's request. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('PostgreSQL is not available', { cause });
  }
}

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
  attempt(work: () => Promise<void>): Promise<unknown>;
  /**
   * Runs some statements of this transaction with the rights of the service: what a person may cause
   * but not write, such as an outbox entry. Inside a service's transaction it changes nothing.
   */
  asService<T>(work: () => Promise<T>): Promise<T>;
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
 * Opens the pool and the only two ways to run statements: as a person, or as the service.
 * It works behind a transaction-mode pooler: no session state outlives a transaction.
 */
export function openDatabase({ url, poolSize, preparedStatements, log }: DatabaseOptions) {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    Client: QuickClient,
    connectionTimeoutMillis: QUEUE_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'strong-together',
    types,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'));
  // Without a listener, a connection that dies while it is checked out would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      throw new DatabaseUnavailable(error);
    }
  }

  async function send<Row>(
    client: pg.PoolClient,
    query: Query<Row>,
    values: unknown[],
    timeout = STATEMENT_TIMEOUT_MS + 1_000,
  ): Promise<Row[]> {
    try {
      const statement = { text: query.text, values, query_timeout: timeout };
      return (await client.query(preparedStatements ? { ...statement, name: query.name } : statement)).rows as Row[];
    } catch (error) {
      throw isConnectionFailure(error) ? new DatabaseUnavailable(error) : error;
    }
  }

  async function scope<T>(
    role: string,
    claims: object,
    work: (tx: Transaction) => Promise<T>,
    timeoutMs = STATEMENT_TIMEOUT_MS,
  ): Promise<T> {
    const client = await connect();
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
      attempt: async (step) => {
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
          // Refused after a failed statement; then it is the rollback that restores the role.
          await send(client, SET_ROLE, [role]).catch(() => undefined);
        }
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
      await send(client, { name: '', text: openingStatement(role, claims, timeoutMs) }, [], QUICK_TIMEOUT_MS);
      result = await work(tx);
      const [ended] = await commit(client);
      if (ended !== 'COMMIT') throw new Error('the transaction was rolled back instead of committed');
    } catch (error) {
      if (error instanceof DatabaseUnavailable) broken = error;
      else if (!broken) {
        await client.query('rollback').catch((failure: Error) => {
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
     * One transaction with the rights of a signed-in person, under row-level security.
     * @throws DatabaseUnavailable
     */
    asUser: <T>(userId: string, work: (tx: Transaction) => Promise<T>) =>
      scope('authenticated', { sub: userId, role: 'authenticated', aud: 'authenticated' }, work),
    /**
     * One transaction of a public flow, a worker or the schedule.
     * @param timeoutMs for one statement; the schedule's touch everybody's rows and take their time
     */
    asService: <T>(work: (tx: Transaction) => Promise<T>, timeoutMs?: number) =>
      scope('service', { role: 'service' }, work, timeoutMs),
    /** One statement outside any scope, with the few rights of the login itself. */
    lookUp: async <Row>(query: Query<Row>, values: unknown[]): Promise<Row | undefined> => {
      const client = await connect();
      let failure: Error | undefined;
      try {
        return (await send(client, query, values, QUICK_TIMEOUT_MS))[0];
      } catch (error) {
        if (error instanceof DatabaseUnavailable) failure = error;
        throw error;
      } finally {
        client.release(failure);
      }
    },
    close: () => pool.end(),
  };
}

const SET_ROLE = { name: 'scope.setRole', text: "select set_config('role', $1, true)" };
const SAVEPOINT = { name: '', text: 'savepoint attempt' };
const RELEASE = { name: '', text: 'release savepoint attempt' };
const UNDO = { name: '', text: 'rollback to savepoint attempt' };

/** Gives up on a server that does not answer sooner than on a pool that is busy. */
class QuickClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }
}

/** Begins, and sets role, claims and time limit in one statement and one round trip; all local to the transaction. */
function openingStatement(role: string, claims: object, timeoutMs: number): string {
  return `begin;
    select
      set_config('role', ${pg.escapeLiteral(role)}, true),
      set_config('request.jwt.claims', ${pg.escapeLiteral(JSON.stringify(claims))}, true),
      set_config('statement_timeout', '${timeoutMs}', true)`;
}

async function commit(client: pg.PoolClient): Promise<string[]> {
  try {
    return [(await client.query('commit')).command];
  } catch (error) {
    throw isConnectionFailure(error) ? new DatabaseUnavailable(error) : error;
  }
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
