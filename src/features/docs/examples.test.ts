import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { api } from '#src/api.ts';
import { isLogbook } from '#transport/face.ts';
import { openApiDocument } from '#transport/openapi.ts';
import { readExamples } from './examples.ts';

interface Media {
  schema: object;
  example?: unknown;
}
type Content = Record<string, Media>;
interface Operation {
  operationId: string;
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

const JSON_TYPE = 'application/json';
const examples = readExamples();
const document = openApiDocument(api, examples) as Document;
/** Every JSON body and 2xx answer of the logbook. */
const bodies = Object.entries(document.paths)
  .filter(([path]) => isLogbook(path))
  .flatMap(([, methods]) => Object.values(methods))
  .flatMap(({ operationId, requestBody, responses }) => [
    { name: `${operationId}.body`, media: requestBody?.content[JSON_TYPE] },
    ...Object.entries(responses)
      .filter(([status]) => status.startsWith('2'))
      .map(([, { content }]) => ({ name: `${operationId}.answer`, media: content?.[JSON_TYPE] })),
  ])
  .flatMap(({ name, media }) => (media ? [{ name, media }] : []));
// Formats are not looked at: where they matter, the schemas have a pattern, too.
const ajv = new Ajv2020({ strict: false, validateFormats: false });

it('each body and each answer of the logbook has an example, and no example is left over', () => {
  const given = Object.entries(examples).flatMap(([id, parts]) => Object.keys(parts).map((part) => `${id}.${part}`));
  expect(given.sort()).toEqual([...new Set(bodies.map(({ name }) => name))].sort());
  expect(bodies.filter(({ media }) => media.example === undefined)).toEqual([]);
});

it.for(bodies)('the example $name fits its schema', ({ media }) => {
  const validate = ajv.compile(media.schema);
  expect([validate(media.example), ajv.errorsText(validate.errors)]).toEqual([true, 'No errors']);
});

it.for(
  api.flatMap(({ operation = '', body }) =>
    body && examples[operation]?.body !== undefined ? [{ operation, body }] : [],
  ),
)('the body of $operation keeps the rules that its schema cannot say', ({ operation, body }) => {
  expect(body.safeParse(examples[operation]?.body).error?.issues).toBeUndefined();
});
