import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isLogbook } from './face.ts';
import type { AnyRoute, RequestHeader } from './route.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const errorSchema = {
  type: 'object',
  required: ['success', 'message', 'code', 'requestId'],
  properties: {
    success: { const: false },
    message: { type: 'string', minLength: 1, description: 'Shown to a person as it is.' },
    code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$', description: 'Stable, UPPER_SNAKE.' },
    requestId: { type: 'string', description: 'The same as X-Request-Id.' },
    errors: {
      type: 'array',
      maxItems: 20,
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
};

/** Of the logbook's routes (RFC 9457). */
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', description: 'Where the code is explained, relative to the server.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', minLength: 1, description: 'For a person.' },
    code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$', description: 'Stable, UPPER_SNAKE.' },
    requestId: { type: 'string', description: 'The same as X-Request-Id.' },
    errors: {
      type: 'array',
      maxItems: 60,
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string', description: 'JSON pointer.' }, detail: { type: 'string' } },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
};

const MEANINGS: Record<number, string> = {
  304: 'What If-None-Match names is still what a 200 would bring',
  400: 'The request is not valid',
  401: 'Credentials are missing or do not hold',
  403: 'Not for this caller',
  404: 'Not found',
  409: 'In conflict with what is stored or running',
  412: 'If-Match names another version',
  413: 'The body is too large',
  422: 'The request can be read but is not valid, or the Idempotency-Key was used with another body',
  426: 'The app is too old or does not say its version',
  429: 'Too many requests',
  500: 'An error of the server',
  501: 'Not available',
  503: 'A service that is needed is away; try again',
};

interface HeaderParameter {
  description: string;
  schema: object;
  /** Undefined: the route does not read this header. */
  use(route: AnyRoute): 'required' | 'optional' | undefined;
}

const named =
  (header: RequestHeader) =>
  ({ headers }: AnyRoute) =>
    headers?.[header];
const text = { type: 'string' };
const hasConditionalGet = ({ etag, isDocument, method }: AnyRoute) => etag || (isDocument && method === 'GET');

/** Second segment of a path → what its routes are about. */
const TAGS: Record<string, string> = {
  auth: 'Signing in and out, refreshing, verification of addresses, new passwords.',
  users: 'Registration, the own profile, its picture, the end of the account.',
  oauth: 'Signing in with Google and Apple.',
  workouts: 'The plan, finished workouts, tracking.',
  messages: 'The inbox.',
  exercises: 'The catalogue of exercises.',
  analytics: 'One-rep maxima, goals and adherence.',
  bootstrap: 'What the app asks for when it starts, in one answer.',
  aerobics: 'Cardio.',
  ws: 'Tickets for the socket.',
  push: 'What a scheduler may call.',
  'v1 me': 'The logbook: who the caller is, units, week, zone, reminders.',
  'v1 sessions': 'The logbook: sessions beside the phone.',
  'v1 overview': 'The logbook: what a first screen shows.',
  'v1 plan': 'The logbook: the active plan.',
  'v1 workouts': 'The logbook: the whole history of workouts.',
  'v1 exercises': 'The logbook: the catalogue, own exercises, and what was done with each.',
  'v1 records': 'The logbook: bests of every exercise.',
  'v1 stats': 'The logbook: sums by day, week and muscle.',
  'v1 exports': 'The logbook: everything, to take away.',
  'v1 imports': 'The logbook: files of other programs.',
  'v1 measurements': 'The logbook: body weight and other measures.',
};

/** Without `Authorization`, which OpenAPI describes as the security scheme. */
const REQUEST_HEADERS: Record<string, HeaderParameter> = {
  'X-App-Version': {
    description: 'Version of the app, such as 4.5.0. Only what browsers and schedulers open needs none.',
    schema: text,
    use: (route) => (route.gates === 'none' || isLogbook(route.path) ? undefined : 'optional'),
  },
  DPoP: {
    description: 'A proof (RFC 9449) for this method and path. Not needed where the server runs without DPoP.',
    schema: text,
    use: (route) => (route.auth === 'user' ? 'required' : route.headers?.DPoP),
  },
  'DPoP-Key-Binding': {
    description: 'Thumbprint (RFC 7638) of the key that later proofs are made with.',
    schema: text,
    use: named('DPoP-Key-Binding'),
  },
  'X-Refresh-Token': {
    description: 'The refresh token, bare or after DPoP or Bearer.',
    schema: text,
    use: named('X-Refresh-Token'),
  },
  'X-Cron-Secret': {
    description: 'The secret of the scheduler, where the server has one; Authorization may bring it, too.',
    schema: text,
    use: named('X-Cron-Secret'),
  },
  'Idempotency-Key': {
    description: 'The same key and body within 24 hours get the first answer.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    use: (route) => (route.idempotent ? 'optional' : undefined),
  },
  'If-None-Match': {
    description: 'ETag of an earlier answer.',
    schema: text,
    use: (route) => (hasConditionalGet(route) ? 'optional' : undefined),
  },
  'If-Match': {
    description: 'ETag of the version that may be changed; without it the last write wins.',
    schema: text,
    use: named('If-Match'),
  },
};

/** Id of an operation → what is sent and answered as JSON, for instance. */
export type Examples = Record<string, Example>;
interface Example {
  body?: unknown;
  answer?: unknown;
}

/**
 * The OpenAPI 3.1 document of the declared routes.
 * @param serverUrl by default whatever server the document comes from
 */
export function openApiDocument(routes: AnyRoute[], examples: Examples, serverUrl = '/'): object {
  const tags = new Set(routes.map(tagOf));
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, examples) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Strong Together',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Send X-App-Version with every request. Protected routes take `Authorization: DPoP <access token>` and a DPoP proof (RFC 9449) in the header `DPoP`.',
    },
    servers: [{ url: serverUrl }],
    tags: [...tags].map((name) => ({ name, description: TAGS[name] })),
    paths,
    components: {
      schemas: { Error: errorSchema, Problem: problemSchema },
      securitySchemes: { dpop: { type: 'http', scheme: 'DPoP', description: 'RFC 9449, ES256' } },
    },
  };
}

/** Of the app's routes the feature; of the logbook's `v1` and what they are about. */
const tagOf = ({ path }: AnyRoute): string =>
  path
    .split('/')
    .slice(2, isLogbook(path) ? 4 : 3)
    .join(' ');

function operation(route: AnyRoute, examples: Examples): object {
  const [, , feature, name] = route.path.split('/');
  const operationId = route.operation ?? `${route.method.toLowerCase()}_${feature}_${name}`.replaceAll(/\W/g, '');
  const example = examples[operationId] ?? {};
  const body = requestBody(route, example);
  return {
    operationId,
    tags: [tagOf(route)],
    summary: route.summary,
    security: route.auth === 'user' ? [{ dpop: [] }] : [],
    parameters: [...parameters('query', route.query), ...parameters('path', route.params), ...headerParameters(route)],
    ...(body ? { requestBody: body } : {}),
    responses: {
      ...Object.fromEntries(errorStatuses(route).map((status) => [status, failure(route, status)])),
      ...(hasConditionalGet(route) ? { 304: { description: MEANINGS[304], headers: successHeaders(route) } } : {}),
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, schema]) => [
          status,
          answer(route, status, schema as z.ZodType, example),
        ]),
      ),
    },
  };
}

/** A page that a person opens in a browser: its errors are pages, too. */
const isPage = (route: AnyRoute) => route.produces === 'text/html';

/** The error statuses that a route can answer: those of the pipeline before its handler, and those that it declares. */
function errorStatuses(route: AnyRoute): number[] {
  const statuses = [
    ...[429, 500, 503],
    ...(route.gates === 'none' || isLogbook(route.path) ? [] : [404]), // the bot blocker
    ...(route.gates === undefined && !isLogbook(route.path) ? [426] : []),
    ...(route.method === 'GET' ? [] : [400, 413]), // a body that is too large or cannot be read
    ...(route.query || route.params ? [isLogbook(route.path) ? 422 : 400] : []),
    ...(route.body && isLogbook(route.path) ? [422] : []),
    ...(route.auth === 'user' ? [401] : []),
    ...(route.idempotent ? [409, 422] : []),
    ...Object.values(route.constraints ?? {}).map((meaning) => meaning().status),
    ...(route.errors ?? []),
  ];
  return [...new Set(statuses)];
}

function failure(route: AnyRoute, status: number): object {
  const challenges = status === 401 && (route.auth === 'user' || route.headers?.DPoP !== undefined);
  const content = isPage(route)
    ? { 'text/html': { schema: text } }
    : isLogbook(route.path)
      ? { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      : { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  const headers = {
    ...REQUEST_ID,
    ...(challenges ? { 'WWW-Authenticate': { required: true, schema: text } } : {}),
    ...(status === 429 || status === 503 ? { 'Retry-After': { required: true, schema: text } } : {}),
  };
  return { description: MEANINGS[status] ?? 'Error', headers, content };
}

function answer(route: AnyRoute, status: string, schema: z.ZodType, example: Example): object {
  const headers = successHeaders(route);
  if (schema instanceof z.ZodUndefined) return { description: 'No body', headers };
  const type = route.produces ?? 'application/json';
  const description = MEANINGS[Number(status)] ?? 'Answer';
  return { description, headers, content: { [type]: media(jsonSchema(schema, 'output'), example.answer) } };
}

const REQUEST_ID = { 'X-Request-Id': { required: true, schema: text } };

function successHeaders(route: AnyRoute): object {
  return {
    ...REQUEST_ID,
    ...(route.etag || route.isDocument ? { ETag: { required: !route.idempotent, schema: text } } : {}),
    ...(route.cache?.isTold ? { 'X-Cache': { required: true, schema: { enum: ['HIT', 'MISS'] } } } : {}),
    ...(route.idempotent ? { 'Idempotency-Replayed': { schema: { const: 'true' } } } : {}),
  };
}

function requestBody({ upload, body }: AnyRoute, example: Example): object | undefined {
  if (upload) {
    const file = { type: 'string', format: 'binary', description: `At most ${upload.maxBytes} bytes.` };
    const { properties, required = [] } = body ? jsonSchema(body, 'input') : {};
    const schema = {
      type: 'object',
      required: [upload.field, ...required],
      properties: { [upload.field]: file, ...properties },
    };
    return { required: true, content: { 'multipart/form-data': { schema } } };
  }
  if (!body) return undefined;
  const required = !body.safeParse(undefined).success;
  return { required, content: { 'application/json': media(jsonSchema(body, 'input'), example.body) } };
}

const media = (schema: object, example: unknown) => (example === undefined ? { schema } : { schema, example });

function parameters(place: 'query' | 'path', schema: z.ZodType | undefined): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function headerParameters(route: AnyRoute): object[] {
  return Object.entries(REQUEST_HEADERS).flatMap(([name, { description, schema, use }]) => {
    const need = use(route);
    return need ? [{ name, in: 'header', required: need === 'required', description, schema }] : [];
  });
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
