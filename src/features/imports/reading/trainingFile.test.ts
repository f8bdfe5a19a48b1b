import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrainingFile } from './trainingFile.ts';

const CORPUS = join(import.meta.dirname, '../../../../tests/imports');
const files = readdirSync(CORPUS).filter((name) => !/\.(json|md)$/.test(name));

describe('files of other programs', () => {
  it.for(files)('%s', async (name) => {
    const expected = JSON.parse(readFileSync(join(CORPUS, name.replace(/\.\w+$/, '.expected.json')), 'utf8'));
    const { categories, ...read } = await readTrainingFile(readFileSync(join(CORPUS, name)));
    expect({ ...read, categories: Object.fromEntries(categories) }).toEqual(expected);
  });
});
