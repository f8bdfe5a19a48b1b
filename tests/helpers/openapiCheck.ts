import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { api } from '#src/api.ts';
import { openApiDocument } from '#transport/openapi.ts';

interface DeclaredResponse {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, unknown>;
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, DeclaredResponse> }>>;
}

/** One answer as it left the server. */
interface Answer {
  method: string;
  /** Path as requested, without the query. */
  path: string;
  status: number;
  header(name: string): string | undefined;
  body: Buffer;
}

const document = openApiDocument(api, {}, 'http://127.0.0.1') as Document;
// Formats are not looked at: where they matter, the schemas have a pattern, too.
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, 'api');

const templates = Object.keys(document.paths).map((template) => ({
  template,
  pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}));
const exact = new Set(Object.keys(document.paths));

/** The path of the document that a request means, if it has one: a literal one, unless only another has that method. */
function templateOf(path: string, method: string): string | undefined {
  const fitting = templates.filter(({ pattern }) => pattern.test(path)).map(({ template }) => template);
  const best = exact.has(path) ? [path, ...fitting] : fitting;
  return best.find((template) => document.paths[template]?.[method.toLowerCase()]) ?? best[0];
}

/** Statuses of a path or a method under /api/ that nobody declared: refused by a gate, or not there. */
const UNDECLARED = [404, 426, 429, 500, 503];

/** What is wrong with an answer by the OpenAPI document; undefined: nothing, or not of the API. */
export function judge(answer: Answer): string | undefined {
  const { method, path, status, body } = answer;
  const template = templateOf(path, method);
  if (template === undefined && !path.startsWith('/api/')) return undefined;
  if (method === 'OPTIONS' && status === 204) return body.length === 0 ? undefined : 'a body';
  const methods = template === undefined ? undefined : document.paths[template];
  const declared = methods?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
  const response = declared?.responses[status];
  if (method === 'HEAD') return response || UNDECLARED.includes(status) ? undefined : 'not declared';
  if (template === undefined || !declared) {
    if (!UNDECLARED.includes(status)) return 'no such route';
    return misfit(answer, ['components', 'schemas', path.startsWith('/api/v1/') ? 'Problem' : 'Error']);
  }
  if (!response) return 'not declared';
  for (const [name, { required }] of Object.entries(response.headers ?? {})) {
    if (required && !answer.header(name)) return `without ${name}`;
  }
  if (!response.content) return body.length === 0 ? undefined : 'a body that is not declared';
  const type = answer.header('content-type')?.split(';')[0] ?? '';
  if (!Object.hasOwn(response.content, type)) return `${type} is not declared`;
  if (['text/html', 'text/csv', 'application/zip'].includes(type)) return undefined;
  const operation = ['paths', template, method.toLowerCase()];
  return misfit(answer, [...operation, 'responses', String(status), 'content', type, 'schema']);
}

/** What is wrong with a body by the schema at a place of the document. */
function misfit(answer: Answer, place: string[]): string | undefined {
  const type = answer.header('content-type') ?? '';
  if (!/^application\/(problem\+)?json; charset=utf-8$/.test(type)) return `the content type ${type}`;
  const validate = validatorAt(place);
  try {
    const text = answer.header('content-encoding') === 'gzip' ? gunzipSync(answer.body) : answer.body;
    return validate(JSON.parse(text.toString())) ? undefined : ajv.errorsText(validate.errors);
  } catch {
    return 'no JSON';
  }
}

function validatorAt(place: string[]): ValidateFunction {
  const pointer = place.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`api#/${pointer}`);
  if (!validate) throw new Error(`the document has no schema at ${pointer}`);
  return validate;
}

/** Port of a watched server → what was wrong with its answers, each with the start of such a body. */
const watched = new Map<number, Map<string, string>>();

subscribe('http.server.request.start', (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const problems = watched.get(request.socket.localPort ?? 0);
  const path = pathOf(request.url ?? '');
  const { method = '' } = request;
  if (!problems || (templateOf(path, method) === undefined && !path.startsWith('/api/'))) return;
  whenFinished(response, (body) => {
    const status = response.statusCode;
    const header = (name: string) => response.getHeader(name)?.toString();
    const problem = judge({ method, path, status, header, body });
    if (problem === undefined) return;
    const name = `${method} ${templateOf(path, method) ?? path} → ${status}: ${problem}`;
    problems.set(name, body.toString().slice(0, 300));
  });
});

function pathOf(target: string): string {
  if (target.startsWith('/')) return target.split('?')[0] ?? '';
  return URL.canParse(target) ? new URL(target).pathname : target;
}

/** Hands over the whole body of an answer when its last byte was given to the operating system. */
function whenFinished(response: ServerResponse, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const { write, end } = response;
  const keep = ([chunk, encoding]: unknown[]) => {
    if (typeof chunk === 'string') chunks.push(Buffer.from(chunk, encoding as BufferEncoding | undefined));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  response.write = ((...args: unknown[]) => {
    keep(args);
    return Reflect.apply(write, response, args);
  }) as typeof write;
  response.end = ((...args: unknown[]) => {
    keep(args);
    return Reflect.apply(end, response, args);
  }) as typeof end;
  response.once('finish', () => done(Buffer.concat(chunks)));
}

interface Watch {
  /** Ends the watch. @throws Error with every answer that the document does not declare */
  finish(): void;
}

/** Looks at every answer of the HTTP server of this process on a port, whoever asked. It reads along and changes nothing. */
export function watchAnswers(port: number): Watch {
  const problems = new Map<string, string>();
  watched.set(port, problems);
  return {
    finish: () => {
      watched.delete(port);
      if (problems.size === 0) return;
      const lines = [...problems].slice(0, 20).map(([problem, body]) => `${problem}: ${body}`);
      throw new Error(`answers that the OpenAPI document does not declare:\n${lines.join('\n')}`);
    },
  };
}
