import type { z } from 'zod';
import type { Access, Transaction } from '#platform/postgres/database.ts';
import type { Caller } from './authenticate.ts';
import type { ClientAddress } from './clientAddress.ts';
import type { Deps } from './deps.ts';
import type { Proof } from './dpop.ts';
import type { ApiError } from './errors.ts';
import type { LimitKey, LimitName } from './limits.ts';

type Schema = z.ZodType;
export type CacheNamespace = 'plan' | 'tracking' | 'aerobics' | 'analytics';
/** Status → schema of the body. What a handler returns beyond the schema never leaves. */
type Responses = Readonly<Record<number, Schema>>;

/** Headers that a handler may read by itself, beside those of the corridor. */
export type RequestHeader = 'DPoP' | 'DPoP-Key-Binding' | 'X-Refresh-Token' | 'X-Cron-Secret';

/** What a service needs to count a request against limits. */
export interface Counting {
  /** Where the client comes from (contract 0.1). */
  address: ClientAddress;
  /** Counts one event against a limit. @throws ApiError 429 */
  count(limit: LimitName, key: LimitKey): Promise<void>;
  /** Takes back an event that was counted. */
  giveBack(limit: LimitName, key: LimitKey): Promise<void>;
}

/** What every handler may read and do. It cannot answer by itself: it returns, the corridor commits and answers. */
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
  check(limit: LimitName, key: LimitKey): Promise<void>;
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
 * How a handler reaches the database, always in the caller's scope (public routes: as the service).
 * - `whole`: the corridor opens one transaction around the handler.
 * - `steps`: the handler opens several, because it waits for something in between (a password hash, a
 *   picture store) that must not hold a connection.
 */
interface Units {
  whole: { tx: Transaction };
  steps: { transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T> };
}

export type Context<
  Audience extends keyof Callers,
  Unit extends keyof Units,
  Query extends Schema,
  Params extends Schema,
  Body extends Schema,
> = BaseContext<Query, Params, Body> & Callers[Audience] & Units[Unit];

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
  name: LimitName;
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
  Audience extends keyof Callers = keyof Callers,
  Unit extends keyof Units = keyof Units,
  Query extends Schema = Schema,
  Params extends Schema = Schema,
  Body extends Schema = Schema,
  R extends Responses = Responses,
> {
  method: Method;
  path: Path;
  /** `public`: anybody. `user`: a signed-in person with a proof (contract 0.9). */
  audience: Audience;
  unit: Unit;
  /** One sentence for the API document. */
  summary: string;
  query?: Query;
  params?: Params;
  body?: Body;
  /** Bodies are JSON unless the route answers a browser. */
  produces?: 'application/json' | 'text/html';
  /** Heading of the page that shows an error, where the route answers a browser. */
  failureTitle?: string;
  responses: R;
  /** Statuses of the errors that the handler decides on, beyond those of `constraints`; for the API document. */
  errors?: readonly number[];
  /** Headers that the handler reads; for the API document. */
  headers?: Readonly<Partial<Record<RequestHeader, 'required' | 'optional'>>>;
  limits?: LimitUse[];
  /** Says in a person's words what a problem with the body is about; runs in a transaction of the caller's. */
  nameProblems?(tx: Transaction, body: unknown, problems: NamedProblem[]): Promise<NamedProblem[]>;
  /** Names of constraints, and what breaking one means here. */
  constraints?: Record<string, () => ApiError>;
  /** Takes a multipart upload of one file in this field instead of a JSON body. */
  upload?: { field: string; maxBytes: number };
  /** How the caller's transactions hold on to the session; default: `read` for a GET, else `write`. */
  access?: Audience extends 'user' ? Access : never;
  /** Honours the Idempotency-Key header (contract 0.13): the first answer is stored. */
  idempotent?: Unit extends 'whole' ? boolean : false;
  /** Makes the answer to a repeated Idempotency-Key anew, where the first one is too large to be stored. */
  replay?(context: Context<Audience, Unit, Query, Params, Body>): Promise<Answer<R>>;
  /**
   * The answer carries an ETag, and a client that names it gets 304. For routes of a person that only read
   * and answer nothing but 200.
   */
  revalidated?: Audience extends 'user' ? boolean : false;
  /** The answer is kept in the cache under the caller's data version, and zone if the route takes one. */
  keptAs?: CacheNamespace;
  /**
   * Name → path of a GET route: the answer is an object of what these routes answer the same caller and
   * query; `handle` runs first and adds nothing to it. A part that fails is left out.
   */
  parts?: Record<string, string>;
  handle(context: Context<Audience, Unit, Query, Params, Body>): Promise<Answer<R>>;
}

/** A route whose particular types no longer matter: what the corridor and the documents work with. */
// biome-ignore lint/suspicious/noExplicitAny: handlers take their own context; only the corridor calls them
export type AnyRoute = RouteDeclaration<any, any, any, any, any, any, any, any>;

/** Declares a route; it only infers the types. */
export function route<
  const Method extends string,
  const Path extends string,
  Audience extends keyof Callers,
  Unit extends keyof Units,
  Query extends Schema,
  Params extends Schema,
  Body extends Schema,
  const R extends Responses,
>(
  declaration: RouteDeclaration<Method, Path, Audience, Unit, Query, Params, Body, R>,
): RouteDeclaration<Method, Path, Audience, Unit, Query, Params, Body, R> {
  return declaration;
}

/** What a handler returns: a status that its route declares, and that status's body. */
export function reply<const Status extends number, Body = undefined>(status: Status, body?: Body) {
  return { status, body: body as Body };
}
