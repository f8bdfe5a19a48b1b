import type { z } from 'zod';
import type { Admitted, Caller, DataVersions } from '#identity/authenticate.ts';
import type { Proof } from '#identity/dpop.ts';
import type { ApiError } from '#platform/apiError.ts';
import type { Counting, Limit, LimitKey } from '#platform/limits.ts';
import type { Access, Transaction } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import type { Deps } from './deps.ts';

type Schema = z.ZodType;
/** Status → schema of the body. Fields that a handler returns beyond the schema are not sent. */
type Responses = Readonly<Record<number, Schema>>;

/** Headers that a handler may read itself, besides those that the pipeline reads. */
export type RequestHeader = 'If-Match' | 'DPoP' | 'DPoP-Key-Binding' | 'X-Refresh-Token' | 'X-Cron-Secret';

/** What every handler may read and do. It returns its answer; the pipeline commits, and only then sends it. */
interface BaseContext<Query extends Schema, Params extends Schema, Body extends Schema> extends Counting {
  deps: Deps;
  requestId: string;
  query: z.output<Query>;
  params: z.output<Params>;
  body: z.output<Body>;
  header(name: string): string | undefined;
  /** Checks 1 to 7 of the request's DPoP proof, for public routes that need one. @throws ApiError 401 */
  proof(): Proof;
  /** Looks at a limit without counting. @throws ApiError 429 */
  peek(limit: Limit, key: LimitKey): Promise<void>;
  /** Aborts when the client hangs up before it is answered. */
  signal: AbortSignal;
  /** The uploaded file's bytes, on routes that declare `upload`; undefined when there was none. */
  file: Buffer | undefined;
}

interface Callers {
  public: { caller?: never };
  user: { caller: Caller };
}

/**
 * How a handler reaches the database, always with the rights of the caller (on public routes: of the service).
 * - `auto`: the pipeline opens one transaction around the handler.
 * - `manual`: the handler opens them, because it waits for something in between (a password hash, a
 *   picture store) that must not hold a connection.
 */
interface Transactions {
  auto: { tx: Transaction };
  manual: { transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T> };
}

export type Context<
  Auth extends keyof Callers,
  Tx extends keyof Transactions,
  Query extends Schema,
  Params extends Schema,
  Body extends Schema,
> = BaseContext<Query, Params, Body> & Callers[Auth] & Transactions[Tx];

type Answer<R extends Responses> = {
  [Status in keyof R & number]: undefined extends z.input<R[Status]>
    ? { status: Status; body?: undefined }
    : { status: Status; body: z.input<R[Status]> };
}[keyof R & number];

/** A problem with a field of the request. */
export interface NamedProblem {
  path: PropertyKey[];
  message: string;
}

interface LimitUse {
  limit: Limit;
  /** What the limit counts by. */
  by: 'address' | 'user';
}

/**
 * A route as data. The same declaration drives Express, validation, the OpenAPI document and the
 * types of the client.
 */
export interface RouteDeclaration<
  Method extends string = string,
  Path extends string = string,
  Auth extends keyof Callers = keyof Callers,
  Tx extends keyof Transactions = keyof Transactions,
  Query extends Schema = Schema,
  Params extends Schema = Schema,
  Body extends Schema = Schema,
  R extends Responses = Responses,
> {
  method: Method;
  path: Path;
  /** `public`: anybody. `user`: a signed-in person with a proof (behaviour 0.9). */
  auth: Auth;
  transaction: Tx;
  /** One sentence for the API document. */
  summary: string;
  /** Name of the operation in the API document; made of the path where there is none. */
  operation?: string;
  query?: Query;
  params?: Params;
  body?: Body;
  /** Bodies are JSON unless the route answers a browser. */
  produces?: 'application/json' | 'application/zip' | 'text/html' | 'text/csv';
  /** The answer is a file of this name, sent piece by piece: the body is an async iterable of text or bytes. For `manual` routes. */
  download?: string;
  /** Heading of the page that shows an error, where the route answers a browser. */
  failureTitle?: string;
  responses: R;
  /** Statuses of the errors that the handler decides on, beyond those of `constraints`; for the API document. */
  errors?: readonly number[];
  /** Headers that the handler reads; for the API document. */
  headers?: Readonly<Partial<Record<RequestHeader, 'required' | 'optional'>>>;
  limits?: LimitUse[];
  /** Adds to problems with the body what a person knows, such as exercise and set; in a transaction of the caller. */
  nameProblems?(tx: Transaction, body: unknown, problems: NamedProblem[]): Promise<NamedProblem[]>;
  /** Name of a database constraint → the error that is answered when it is violated. */
  constraints?: Record<string, () => ApiError>;
  /** Takes a multipart upload of one file in this field instead of a JSON body; `body` is then the schema of its other fields. */
  upload?: {
    field: string;
    maxBytes: number;
    /** One at a time of a person, and few in all: what is read of the file costs memory. For routes with `auth: 'user'`. */
    inTurn?: boolean;
  };
  /**
   * Which sessions a route with `auth: 'user'` is for; default: below `/api/v1` all, elsewhere the phone's (behaviour 6.5).
   */
  sessions?: Admitted;
  /** How the caller's transactions hold on to the session (see `Access`); default: `read` for a GET, else `write`. */
  access?: Auth extends 'user' ? Access : never;
  /** Honours the Idempotency-Key header (behaviour 0.13): the first answer is stored. */
  idempotent?: Tx extends 'auto' ? boolean : false;
  /** Makes the answer to a repeated Idempotency-Key anew, where the first one is too large to be stored. */
  replay?(context: Context<Auth, Tx, Query, Params, Body>): Promise<Answer<R>>;
  /** Answers a document with a `version`, which is its ETag: for `If-Match`, and 304 for a GET. */
  isDocument?: boolean;
  /**
   * The answer has an ETag, and a client that sends it back gets 304. For routes with `auth: 'user'` that only read
   * and answer nothing but 200.
   */
  etag?: Auth extends 'user' ? boolean : false;
  /** The answer is cached under the versions of what it depends on, and zone if the route takes one. */
  cache?: {
    namespace: string;
    dependsOn: ReadonlyArray<keyof DataVersions>;
    /** Absent: two days. */
    seconds?: (config: Config) => number;
    /** Whether the header X-Cache tells where the answer came from. */
    isTold?: boolean;
  };
  /**
   * Name → path of a GET route. The answer is an object with what these routes answer to the same caller and query;
   * one that fails is left out. `handle` runs first and adds nothing to the answer.
   */
  compose?: Record<string, string>;
  /**
   * Which of bot blocker and version gate let every request for the route pass (behaviour 0.5). `none`: both, because
   * browsers, monitors and schedulers open it. `no-version`: the version gate, because apps of any age call it.
   */
  gates?: 'none' | 'no-version';
  /** Requests count by session, not with the others of their person, whom they let end a session that sends too much. */
  endsSessions?: Auth extends 'user' ? boolean : false;
  /** Whether a request is exempt from the general limit by address. */
  isExempt?(header: (name: string) => string | undefined, deps: Deps): Promise<boolean>;
  handle(context: Context<Auth, Tx, Query, Params, Body>): Promise<Answer<R>>;
}

/** A route without its particular types, as the pipeline and the OpenAPI document work with it. */
// biome-ignore lint/suspicious/noExplicitAny: handlers take their own context; only the pipeline calls them
export type AnyRoute = RouteDeclaration<any, any, any, any, any, any, any, any>;

/** Declares a route: returns the declaration, with its types inferred. */
export function route<
  const Method extends string,
  const Path extends string,
  Auth extends keyof Callers,
  Tx extends keyof Transactions,
  Query extends Schema,
  Params extends Schema,
  Body extends Schema,
  const R extends Responses,
>(
  declaration: RouteDeclaration<Method, Path, Auth, Tx, Query, Params, Body, R>,
): RouteDeclaration<Method, Path, Auth, Tx, Query, Params, Body, R> {
  return declaration;
}

/** Makes what a handler returns: a status that its route declares, and the body of that status. */
export function reply<const Status extends number, Body = undefined>(status: Status, body?: Body) {
  return { status, body: body as Body };
}
