import { readFileSync } from 'node:fs';
import type { Examples } from '#transport/openapi.ts';

/** One person's requests to the logbook, with the answers. */
export const readExamples = (): Examples =>
  JSON.parse(readFileSync(new URL('examples.json', import.meta.url), 'utf8')) as Examples;
