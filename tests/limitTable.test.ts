import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Limit } from '#platform/limits.ts';
import { codesIn, documentTable } from './helpers/documentTable.ts';

/* The tables of behaviour 0.6 are the data of this test: every limit that the source declares is in them as it is. */

const ROOT = join(import.meta.dirname, '../src');
const SECONDS: Record<string, number> = { s: 1, min: 60, h: 3600 };

const declaring: string[] = [];
const declaredNames: string[] = [];
for await (const file of glob('**/*.ts', { cwd: ROOT, exclude: ['**/*.test.ts', 'platform/limits.ts'] })) {
  const names = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/defineLimit\(\s*'(\w+)'/g)];
  if (names.length > 0) declaring.push(file);
  declaredNames.push(...names.map(([, name = '']) => name));
}

const isLimit = (value: unknown): value is Limit => typeof value === 'object' && value !== null && 'points' in value;

/** Every limit but the general one, which is a setting. */
async function declared(): Promise<Limit[]> {
  const modules: object[] = await Promise.all(declaring.map((file) => import(join(ROOT, file))));
  return modules.flatMap((module) => Object.values(module).flat().filter(isLimit));
}

function documented() {
  const texts = new Map(
    documentTable('behaviour/conventions.md', 'text', 'what it says').map((row) => [
      row.text ?? '',
      codesIn(row['what it says'])[0],
    ]),
  );
  return documentTable('behaviour/conventions.md', 'counter', 'limit', 'per').flatMap((row) => {
    const list = (cell = '') => cell.split(', ');
    return codesIn(row.counter).map((name, n) => {
      const [amount = '', unit = ''] = (list(row.per)[n] ?? '').split(' ');
      const text = list(row.text)[n] ?? '';
      const seconds = Number(amount) * (SECONDS[unit] ?? Number.NaN);
      return { name, points: Number(list(row.limit)[n]), seconds, message: texts.get(text) };
    });
  });
}

it('every limit is in the table of behaviour 0.6, with its figures and its text, and no other', async () => {
  const [general, ...rows] = documented();
  expect(general).toMatchObject({ name: 'general', seconds: 60 });
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  expect(rows.toSorted(byName)).toEqual((await declared()).toSorted(byName));
});

it('every limit has a counter of its own, and is found here', async () => {
  expect(declaredNames.length).toBeGreaterThan(20);
  expect(declaredNames.filter((name, n) => declaredNames.indexOf(name) !== n)).toEqual([]);
  const found = (await declared()).map(({ name }) => name);
  expect([...found, 'general'].toSorted()).toEqual(declaredNames.toSorted());
});
