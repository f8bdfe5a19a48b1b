// Writes what is made from the route declarations: the OpenAPI document, and the client's types. `npm run openapi`
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExamples } from '#features/docs/examples.ts';
import { api } from '#src/api.ts';
import { openApiDocument } from '#transport/openapi.ts';
import { type ApiDocument, clientApi } from './clientApi.ts';

/** Path in the repository → text, of every file that is made. */
export function madeFiles(): Record<string, string> {
  const document = openApiDocument(api, readExamples());
  return {
    'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
    'client/src/api.ts': clientApi(document as ApiDocument),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(madeFiles())) writeFileSync(join(import.meta.dirname, '..', path), text);
}
