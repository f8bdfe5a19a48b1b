import fastJson from 'fast-json-stringify';
import { z } from 'zod';
import type { Deps } from './deps.ts';
import type { AnyRoute } from './route.ts';
import type { SerializedAnswer } from './send.ts';

/** What a handler returns. */
interface Answer {
  status: number;
  body?: unknown;
}

/** Passes on JSON that a handler has written itself, where making objects first costs too much, as a body of its type. */
export const writtenJson = <Body>(json: Buffer): Body => json as unknown as Body;

type Write = (body: unknown) => string;
const writers = new WeakMap<z.ZodType, Write>();

/** Writes bodies of a schema as JSON, without the fields that it does not declare; compiled when it is first needed. */
function writerOf(schema: z.ZodType): Write {
  const known = writers.get(schema);
  if (known) return known;
  const write = fastJson(plain(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })) as fastJson.Schema);
  writers.set(schema, write);
  return write;
}

/** The same schema without checks, and with nulls in the form that needs no validator at run time. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { anyOf, minimum: _minimum, maximum: _maximum, ...rest } = schema as Record<string, unknown>;
  const [some, nothing, ...more] = Array.isArray(anyOf) ? anyOf : [];
  if (some && nothing?.type === 'null' && more.length === 0) {
    return { ...(plain(rest) as object), ...(plain(some) as object), nullable: true };
  }
  const entries = Object.entries(anyOf ? { ...rest, anyOf } : rest);
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
}

/** The answer as JSON, without the fields that its schema does not declare. */
export function serialize(route: AnyRoute, { status, body }: Answer, deps: Deps): SerializedAnswer {
  const schema: z.ZodType | undefined = route.responses[status];
  if (!schema) throw new Error(`${route.method} ${route.path} does not declare status ${status}`);
  if (body === undefined) return { status, body };
  if (route.produces === 'text/html') return { status, body: Buffer.from(String(body)) };
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(writerOf(schema)(body));
  // Types promise that answers are what they declare; the tests hold every single one against its schema.
  if (deps.config.NODE_ENV === 'test')
    assertDeclared(schema, Buffer.isBuffer(body) ? JSON.parse(`${body}`) : body, bytes);
  const version = route.isDocument ? (body as { version?: number }).version : undefined;
  return { status, body: bytes, ...(version === undefined ? {} : { version }) };
}

function assertDeclared(schema: z.ZodType, body: unknown, bytes: Buffer): void {
  const declared = JSON.stringify(schema.parse(body));
  if (`${bytes}` !== declared)
    throw new Error(`an answer is not what its schema makes of it: ${bytes}, not ${declared}`);
}
