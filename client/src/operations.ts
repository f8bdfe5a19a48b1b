import type { z } from 'zod';
import type { Api } from '../../src/api.ts';
import type { RouteDeclaration } from '../../src/transport/route.ts';

// Types only: nothing of the server is in the running client.

export type Method = Api['method'];
export type PathOf<M extends Method> = Extract<Api, { method: M }>['path'];
type Operation<M extends Method, P extends string> = Extract<Api, { method: M; path: P }>;

type Parts<O> =
  // biome-ignore lint/suspicious/noExplicitAny: audience and unit do not matter to a caller
  O extends RouteDeclaration<infer _M, infer _P, any, any, infer Query, infer Params, infer Body, infer Responses>
    ? { query: z.input<Query>; params: z.input<Params>; body: z.input<Body>; responses: Responses }
    : never;

/** Optional where the route declares no such part, or nothing in it is required. */
type Part<Name extends string, Value> = unknown extends Value
  ? { [K in Name]?: undefined }
  : object extends Value
    ? { [K in Name]?: Value }
    : { [K in Name]: Value };

/** What a call sends. */
export type Input<M extends Method, P extends string> = Part<'query', Parts<Operation<M, P>>['query']> &
  Part<'params', Parts<Operation<M, P>>['params']> &
  Part<'body', Parts<Operation<M, P>>['body']> & { headers?: Record<string, string> };

type SuccessStatus = 200 | 201 | 204;
type Success<Responses> = {
  [S in keyof Responses & SuccessStatus]: Responses[S] extends z.ZodType ? z.output<Responses[S]> : never;
}[keyof Responses & SuccessStatus];

/** What a call answers when it succeeds. */
export type Output<M extends Method, P extends string> = Success<Parts<Operation<M, P>>['responses']>;
