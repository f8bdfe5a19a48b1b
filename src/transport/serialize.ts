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

/** JSON that a handler has written itself, where making objects first costs too much. */
class WrittenJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Passes on JSON that was written by hand as a body of its type. Whoever writes it writes what the schema declares. */
export const writtenJson = <Body>(text: string): Body => new WrittenJson(text) as Body;

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

/** The answer as text, without the fields that its schema does not declare. */
export function serialize(route: AnyRoute, { status, body }: Answer, deps: Deps): SerializedAnswer {
  const schema: z.ZodType | undefined = route.responses[status];
  if (!schema) throw new Error(`${route.method} ${route.path} does not declare status ${status}`);
  if (body === undefined) return { status, body };
  if (route.produces === 'text/html') return { status, body: String(body) };
  const text = body instanceof WrittenJson ? body.text : writerOf(schema)(body);
  // Types promise that answers are what they declare; the tests hold every single one against its schema.
  if (deps.config.NODE_ENV === 'test')
    assertDeclared(schema, body instanceof WrittenJson ? JSON.parse(text) : body, text);
  return { status, body: text };
}

function assertDeclared(schema: z.ZodType, body: unknown, text: string): void {
  const declared = JSON.stringify(schema.parse(body));
  if (text !== declared) throw new Error(`an answer is not what its schema makes of it: ${text} is not ${declared}`);
}
