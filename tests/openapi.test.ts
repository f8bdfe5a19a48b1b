import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: object;
}
interface Response {
  description: string;
  headers?: Record<string, { schema: object }>;
  content?: Record<string, { schema: object }>;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: Array<Record<string, string[]>>;
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, Response>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string; description: string; license: Record<string, string> };
  servers: Array<{ url: string }>;
  tags: Array<{ name: string; description: string }>;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}

/** The committed document; that it is what the routes declare is looked at where the client is tested. */
const text = readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8');
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, name: `${method} ${path}`, operation })),
);

/** Operations that only say no: the contract has them, but they do nothing. */
const NEVER_SUCCEEDS = ['delete /api/workouts/delete'];

/** The names of the operations for which something does not hold. */
const except = (holds: (operation: Operation, path: string, method: string) => boolean) =>
  operations.filter(({ operation, path, method }) => !holds(operation, path, method)).map(({ name }) => name);
const duplicates = (values: string[]) => values.filter((value, index) => values.indexOf(value) !== index);
const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, target]) => target ?? '');
const parametersIn = (operation: Operation, place: string) =>
  operation.parameters.filter((parameter) => parameter.in === place).map(({ name }) => name);

describe('the document as a whole', () => {
  it('says what it is, which version, and under which licence', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: {
        title: 'Strong Together',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        license: { name: 'MIT', identifier: 'MIT' },
      },
    });
  });

  it('names no machine of its maker', () => {
    expect(document.servers).toEqual([{ url: '/' }]);
    expect(text).not.toMatch(/localhost|127\.0\.0\.1|example\.com/);
  });

  it('describes every tag, and every tag is used', () => {
    expect(document.tags.filter(({ description }) => !description)).toEqual([]);
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    expect(document.tags.map(({ name }) => name).sort()).toEqual([...used].sort());
    expect(except(({ tags }) => tags.length === 1)).toEqual([]);
  });

  it('has no reference without a target and no component without a use', () => {
    const defined = Object.entries(document.components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    const schemes = operations.flatMap(({ operation }) => operation.security.flatMap((one) => Object.keys(one)));
    const used = [...references, ...schemes.map((name) => `#/components/securitySchemes/${name}`)];
    expect([...new Set(used)].sort()).toEqual(defined.sort());
  });

  it('has no two paths that mean the same', () => {
    const paths = Object.keys(document.paths);
    expect(duplicates(paths.map((path) => path.replaceAll(/\{\w+\}/g, '{}')))).toEqual([]);
    expect(paths.filter((path) => /\/$|[?#]/.test(path))).toEqual([]);
  });
});

describe('every operation', () => {
  it('has an id that is its own and can be the name of a function', () => {
    expect(duplicates(operations.map(({ operation }) => operation.operationId))).toEqual([]);
    expect(except(({ operationId }) => /^[a-z][A-Za-z0-9_]*$/.test(operationId))).toEqual([]);
  });

  it('has a summary', () => {
    expect(except(({ summary }) => summary.length > 0)).toEqual([]);
  });

  it('says whether it needs a signed-in person; if so, a proof as well', () => {
    expect(except(({ security }) => Array.isArray(security))).toEqual([]);
    const needsProof = ({ parameters }: Operation) =>
      parameters.some(({ name, required }) => name === 'DPoP' && required);
    expect(except((operation) => operation.security.length === 0 || needsProof(operation))).toEqual([]);
  });

  it('declares a success, and each error by its status', () => {
    expect(except(({ responses }) => Object.keys(responses).some((status) => /^2\d\d$/.test(status)))).toEqual(
      NEVER_SUCCEEDS,
    );
    expect(except(({ responses }) => Object.keys(responses).some((status) => /^4\d\d$/.test(status)))).toEqual([]);
    expect(except(({ responses }) => Object.keys(responses).every((status) => /^[2-5]\d\d$/.test(status)))).toEqual([]);
    expect(except(({ responses, security }) => security.length === 0 || '401' in responses)).toEqual([]);
    expect(except(({ responses }) => Object.values(responses).every(({ description }) => description !== ''))).toEqual(
      [],
    );
  });

  it('declares each placeholder of its path, and no other', () => {
    const placeholders = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(
      except((operation, path) => `${parametersIn(operation, 'path').sort()}` === `${placeholders(path).sort()}`),
    ).toEqual([]);
    expect(except(({ parameters }) => parameters.every((one) => one.in !== 'path' || one.required))).toEqual([]);
  });

  it('declares each parameter once, and says what its headers mean', () => {
    const keys = ({ parameters }: Operation) => parameters.map((one) => `${one.in} ${one.name.toLowerCase()}`);
    expect(except((operation) => duplicates(keys(operation)).length === 0)).toEqual([]);
    expect(except(({ parameters }) => parameters.every((one) => one.in !== 'header' || one.description))).toEqual([]);
    // OpenAPI ignores these: they have their own places in the document.
    const reserved = ['accept', 'content-type', 'authorization'];
    expect(
      except((operation) => !parametersIn(operation, 'header').some((name) => reserved.includes(name.toLowerCase()))),
    ).toEqual([]);
  });

  it('has a body only where a body means something, and says whether it may be missing', () => {
    expect(except(({ requestBody }, _, method) => method !== 'get' || requestBody === undefined)).toEqual([]);
    expect(except(({ requestBody }) => typeof (requestBody?.required ?? true) === 'boolean')).toEqual([]);
    const upload = document.paths['/api/users/setprofilepic']?.put?.requestBody;
    expect([upload?.required, Object.keys(upload?.content ?? {})]).toEqual([true, ['multipart/form-data']]);
  });
});
