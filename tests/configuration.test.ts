import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { openApiDocument } from '#transport/openapi.ts';
import { testConfig } from './helpers/testConfig.ts';

const textOf = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');
const NAME = '[A-Z][A-Z0-9_]*';

/** The names of the schema in src/config.ts, as they are written there. */
const [, schema = ''] = /^const environment = z\.object\(\{\n(.*?)^\}\);/ms.exec(textOf('src/config.ts')) ?? [];
const names = [...schema.matchAll(new RegExp(`^ {2}(${NAME}):`, 'gm'))].map(([, name]) => name ?? '').sort();

/** The settings of .env.example, as if every comment sign in front of one had been removed. */
const example = parseEnv(textOf('.env.example').replaceAll(new RegExp(`^# (?=${NAME}=)`, 'gm'), ''));

it('the schema is found', () => {
  expect(names).toEqual(expect.arrayContaining(['PORT', 'DATABASE_URL', 'JWT_ACCESS_SECRET', 'LOG_LEVEL']));
});

it('.env.example has every setting', () => {
  expect(Object.keys(example).sort()).toEqual(names);
});

it('.env.example shows the defaults', () => {
  expect(testConfig(example as Record<string, string>)).toEqual(testConfig({ NODE_ENV: 'development' }));
  const defaults = testConfig({ NODE_ENV: 'development' }) as unknown as Record<string, unknown>;
  const hidden = names.filter((name) => example[name] === '' && defaults[name] !== undefined);
  expect(hidden).toEqual([]);
});

it('the table of the README has every setting, once', () => {
  const [, table = ''] = /^## Configuration\n(.*?)^## /ms.exec(textOf('README.md')) ?? [];
  const cells = [...table.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell]) => cell ?? '');
  const listed = cells.flatMap((cell) => [...cell.matchAll(new RegExp(`\`(${NAME})\``, 'g'))].map(([, name]) => name));
  expect(listed.sort()).toEqual(names);
});

it('there is one version number', () => {
  const { version } = JSON.parse(textOf('package.json'));
  expect(JSON.parse(textOf('client/package.json')).version).toBe(version);
  expect(JSON.parse(textOf('package-lock.json')).version).toBe(version);
  expect(openApiDocument([], {})).toMatchObject({ info: { version } });
  expect(/^## (?:\[)?(\d+\.\d+\.\d+)/m.exec(textOf('CHANGELOG.md'))?.[1]).toBe(version);
});
