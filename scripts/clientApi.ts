/** The parts of an OpenAPI 3.1 document that the client is made of. */
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  summary: string;
  security: object[];
  parameters: Array<{ name: string; in: 'query' | 'path' | 'header'; required: boolean; schema: Schema }>;
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
}

type Content = Record<string, { schema: Schema }>;

/** The keywords of JSON Schema that say something about a type. */
interface Schema {
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
}

/** Keywords that narrow values, which TypeScript cannot say. */
const WITHOUT_TYPE =
  'default example multipleOf maximum minimum exclusiveMinimum maxItems minItems maxLength minLength pattern propertyNames';
const WITH_TYPE = 'type format description properties required additionalProperties items anyOf enum const';
const KNOWN = new Set([...WITHOUT_TYPE.split(' '), ...WITH_TYPE.split(' ')]);

const HEADER = `// Made by \`npm run openapi\` from openapi.json. Do not edit.

/** A file to upload: bytes with their type, or where React Native finds them. */
export type Upload = Blob | { uri: string; name: string; type: string };

/** Method → path → what a call sends and what it answers when it succeeds. */
`;

/** The module of the client that holds types and traits of all routes, as text. */
export function clientApi({ paths }: ApiDocument): string {
  const methods: Record<string, string[]> = {};
  const traits: string[] = [];
  for (const [template, operations] of Object.entries(paths)) {
    const path = template.replaceAll(/\{(\w+)\}/g, ':$1');
    for (const [name, operation] of Object.entries(operations)) {
      const method = name.toUpperCase();
      methods[method] ??= [];
      methods[method].push(`${comment(operation.summary)}'${path}': ${operationType(operation)};\n`);
      const found = traitsOf(operation);
      if (found.length > 0) traits.push(`'${method} ${path}': { ${found.join(', ')} },\n`);
    }
  }
  const types = Object.entries(methods).map(([method, members]) => `${method}: ${block(members)};\n`);
  return `${HEADER}export interface Api ${block(types)}

/** What the client has to know of a route while it runs. */
export interface Traits {
  /** \`token\`: access token and proof. \`proof\`: a proof alone. \`binding\`: the thumbprint of the key. */
  credentials?: 'token' | 'proof' | 'binding';
  /** Honours an Idempotency-Key. */
  idempotent?: true;
  /** Takes a form instead of JSON. */
  form?: true;
  /** Answers new tokens. */
  tokens?: true;
  /** Answers bytes instead of text. */
  bytes?: true;
}

export const traits: Readonly<Record<string, Traits>> = ${block(traits)};
`;
}

function operationType({ parameters, requestBody, responses }: Operation): string {
  const parts = (['query', 'path'] as const).flatMap((place) => {
    const found = parameters.filter((parameter) => parameter.in === place);
    if (found.length === 0) return [];
    const properties = Object.fromEntries(found.map(({ name, schema }) => [name, schema]));
    const required = found.filter((parameter) => parameter.required).map(({ name }) => name);
    const type = typeOf({ type: 'object', properties, required }, 'input');
    return [member(place === 'query' ? 'query' : 'params', type, required.length > 0, 'input')];
  });
  if (requestBody)
    parts.push(member('body', typeOf(schemaOf(requestBody.content), 'input'), requestBody.required, 'input'));
  if (parameters.some(isIdempotencyKey)) {
    parts.push(comment('Makes repetitions harmless; by itself one for each call.'));
    parts.push(member('idempotencyKey', 'string', false, 'input'));
  }
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  const output = answers.map(([, { content }]) => (content ? typeOf(schemaOf(content), 'output') : 'undefined'));
  return block([
    `input: ${parts.length > 0 ? block(parts) : 'object'};\n`,
    `output: ${output.join(' | ') || 'never'};\n`,
  ]);
}

function traitsOf({ parameters, requestBody, responses, security }: Operation): string[] {
  const needs = (name: string) => parameters.some((parameter) => parameter.name === name && parameter.required);
  const credentials =
    security.length > 0 ? 'token' : needs('DPoP') ? 'proof' : needs('DPoP-Key-Binding') ? 'binding' : '';
  const answer = (responses[200] ?? responses[201])?.content?.['application/json']?.schema.properties ?? {};
  return [
    ...(credentials ? [`credentials: '${credentials}'`] : []),
    ...(parameters.some(isIdempotencyKey) ? ['idempotent: true'] : []),
    ...(requestBody?.content['multipart/form-data'] ? ['form: true'] : []),
    ...('accessToken' in answer && 'refreshToken' in answer ? ['tokens: true'] : []),
    ...(responses[200]?.content?.['application/zip'] ? ['bytes: true'] : []),
  ];
}

const isIdempotencyKey = ({ name }: { name: string }) => name === 'Idempotency-Key';

function schemaOf(content: Content): Schema {
  const [[type, { schema }] = ['', { schema: {} }], ...others] = Object.entries(content);
  if (others.length > 0) throw new Error('a body of several types');
  if (type === 'application/zip') return { type: 'blob' };
  return type.startsWith('text/') ? { type: 'string' } : schema;
}

/** Inputs may hold undefined where they may be absent: JSON leaves both out. */
type Direction = 'input' | 'output';

function typeOf(schema: Schema, direction: Direction): string {
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (unknown.length > 0) throw new Error(`schemas of the client know nothing of ${unknown.join(', ')}`);
  if (schema.anyOf) return union(schema.anyOf.map((choice) => typeOf(choice, direction)));
  if (schema.enum) return union(schema.enum.map(literal));
  if ('const' in schema) return literal(schema.const);
  if (schema.type === undefined) return 'unknown';
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => typeOf({ ...schema, type }, direction)));
  switch (schema.type) {
    case 'string':
      return schema.format === 'binary' ? 'Upload' : 'string';
    case 'blob':
      return 'Blob';
    case 'integer':
      return 'number';
    case 'array':
      return `Array<${typeOf(schema.items ?? {}, direction)}>`;
    case 'object':
      return objectType(schema, direction);
    default:
      return schema.type; // null, boolean, number
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema, direction: Direction): string {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties, direction) : 'unknown';
    return `Record<string, ${values}>`;
  }
  const members = Object.entries(properties).map(
    ([name, schema]) =>
      comment(schema.description) + member(name, typeOf(schema, direction), required.includes(name), direction),
  );
  return block(members);
}

function member(name: string, type: string, isRequired: boolean, direction: Direction): string {
  const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
  if (isRequired) return `${key}: ${type};\n`;
  return direction === 'input' && type !== 'unknown' ? `${key}?: ${type} | undefined;\n` : `${key}?: ${type};\n`;
}

const union = (types: string[]) => [...new Set(types)].join(' | ');
const literal = (value: unknown) =>
  typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : JSON.stringify(value);
const comment = (text: string | undefined) => (text ? `/** ${text.replaceAll('*/', '* /')} */\n` : '');
const block = (members: string[]) => `{\n${members.join('').replaceAll(/^(?=.)/gm, '  ')}}`;
