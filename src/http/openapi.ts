import { z } from 'zod';
import type { AnyRoute } from './route.ts';

const errorSchema = {
  type: 'object',
  required: ['success', 'message', 'code', 'requestId'],
  properties: {
    success: { const: false },
    message: { type: 'string', description: 'Shown to a person as it is.' },
    code: { type: 'string', description: 'Stable, UPPER_SNAKE.' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** The OpenAPI 3.1 document of the declared routes. */
export function openApiDocument(routes: AnyRoute[], serverUrl: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Strong Together',
      version: '1.0.0',
      description:
        'Send X-App-Version with every request. Protected routes take `Authorization: DPoP <access token>` and a DPoP proof (RFC 9449) in the header `DPoP`.',
    },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: { dpop: { type: 'http', scheme: 'DPoP', description: 'RFC 9449, ES256' } },
    },
  };
}

function operation(route: AnyRoute): object {
  const [, , feature, name] = route.path.split('/');
  return {
    operationId: `${route.method.toLowerCase()}_${feature ?? 'root'}_${name ?? ''}`.replaceAll(/\W/g, ''),
    tags: [feature ?? 'service'],
    summary: route.summary,
    ...(route.audience === 'user' ? { security: [{ dpop: [] }] } : {}),
    parameters: [...parameters('query', route.query), ...parameters('path', route.params)],
    ...(route.body
      ? { requestBody: { content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } } }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, schema]) => [status, response(route, schema as z.ZodType)]),
      ),
      default: {
        description: 'Any error',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function response(route: AnyRoute, schema: z.ZodType): object {
  if (schema instanceof z.ZodUndefined) return { description: 'No body' };
  const type = route.produces ?? 'application/json';
  return { description: 'Answer', content: { [type]: { schema: jsonSchema(schema, 'output') } } };
}

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

function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
