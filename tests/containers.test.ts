// The files that hosts read name commands, paths and settings that exist, and every setting that production needs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type ConfigError, loadConfig } from '#src/config.ts';

const ROOT = join(import.meta.dirname, '..');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const [, schema = ''] = /^const environment = z\.object\(\{\n(.*?)^\}\);/ms.exec(textOf('src/config.ts')) ?? [];
const SETTINGS = new Set([...schema.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name));
/** Of Node and of the hosts. */
const FOREIGN = new Set(['NODE_OPTIONS', 'NODE_VERSION', 'POSTGRES_PASSWORD', 'SERVER_PASSWORD']);
const ROLES = /'all', 'api', 'worker', 'migrate'/;

/** Every value in a tree, with the keys that lead to it. */
function* walk(node: unknown, path: string[] = []): Generator<{ path: string[]; value: unknown }> {
  yield { path, value: node };
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) yield* walk(value, [...path, key]);
}
const unknownOf = (names: string[]) => names.filter((name) => !SETTINGS.has(name) && !FOREIGN.has(name));

describe('the Dockerfile', () => {
  const text = textOf('Dockerfile');
  it('copies what is there and is not kept from it by .dockerignore', () => {
    const ignored = textOf('.dockerignore').split('\n');
    const sources = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
    expect(sources).toEqual([
      ...['package.json', 'package-lock.json', 'client/package.json'],
      ...['package.json', 'package-lock.json', 'tsconfig.json', 'client', 'web'],
      ...['package.json', 'db', 'src'],
    ]);
    for (const source of sources) {
      expect(existsSync(join(ROOT, source))).toBe(true);
      expect(ignored).toContain(`!${source}`);
    }
  });
  it('takes the page from where it is built, and the server looks for it there', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    expect(text).toMatch(/^RUN npm run web$/m);
    expect(scripts.web).toBe('node web/build.ts');
    expect(text).toMatch(/^COPY --from=page \/app\/web\/dist web\/dist$/m);
    expect(textOf('src/pageFiles.ts')).toContain("'../web'");
  });

  it('runs as nobody special, from a program that is there, with known settings', () => {
    expect(text).toMatch(/^USER node$/m);
    expect(JSON.parse(/^CMD (.+)$/m.exec(text)?.[1] ?? '')).toEqual(['node', 'src/main.ts']);
    const [, env = ''] = /^ENV (.+)$/m.exec(text) ?? [];
    expect(unknownOf(env.split(' ').map((pair) => pair.split('=')[0] ?? ''))).toEqual([]);
    const removed = [...text.matchAll(/node_modules\/(@?[\w-]+)(?= |$)/gm)].map(([, name]) => name ?? '');
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies).filter((name) => removed.includes(name.split('/')[0] ?? ''))).toEqual([]);
  });
});

it('the unit for systemd starts what npm start does, and sets what the server knows', () => {
  const unit = textOf('ops/strong-together.service');
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const [, command = ''] = /^ExecStart=\/opt\/strong-together\/node_modules\/node\/bin\/(.+)$/m.exec(unit) ?? [];
  expect(command).toBe(scripts.start);
  expect(textOf('docs/operations.md')).toContain(`\`${scripts.start}\``);
  const [, env = ''] = /^Environment=(.+)$/m.exec(unit) ?? [];
  expect(unknownOf(env.split(' ').map((pair) => pair.split('=')[0] ?? ''))).toEqual([]);
});

const compose = spawnSync('docker-compose', ['--file', join(ROOT, 'docker-compose.yml'), 'config', '--quiet']);
it.skipIf(compose.error)('docker-compose.yml is what docker-compose understands', () => {
  expect(compose.stderr.toString()).toBe('');
  expect(compose.status).toBe(0);
});

describe.each([
  ['docker-compose.yml', [parse(textOf('docker-compose.yml'), { merge: true })], []],
  [
    'ops/kubernetes.yaml',
    parseAllDocuments(textOf('ops/kubernetes.yaml')).map((document) => document.toJS()),
    ['/health', '/health', '/health/ready', '/metrics'],
  ],
  ['render.yaml', [parse(textOf('render.yaml'))], ['/health/ready']],
])('%s', (_file, documents, healthPaths) => {
  const found = documents.flatMap((document) => [...walk(document)]);
  it('starts roles and scripts that exist', () => {
    expect(textOf('src/main.ts')).toMatch(ROLES);
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const commands = found.filter(({ path }) => /^(command|args|startCommand)$/.test(path.at(-1) ?? ''));
    expect(commands.length).toBeGreaterThan(1);
    for (const { value } of commands) {
      const words = Array.isArray(value) ? value : String(value).split(' ');
      if (words[0] === 'npm') expect(scripts).toHaveProperty(words[2]);
      else
        expect([words.slice(0, 2), ['api', 'worker']]).toEqual([
          ['node', 'src/main.ts'],
          expect.arrayContaining([words[2]]),
        ]);
    }
  });
  it('sets what the server knows', () => {
    const names = found.flatMap(({ path, value }) => {
      const last = path.at(-1) ?? '';
      if (last === 'environment') return Object.keys(value as object);
      return /^(env|envVars)$/.test(path.at(-2) ?? '')
        ? Object.values(value as Record<string, string>).slice(0, 1)
        : [];
    });
    expect(names.length).toBeGreaterThan(3);
    expect(unknownOf(names.filter((name) => /^[A-Z0-9_]+$/.test(name)))).toEqual([]);
  });
  it('asks for health where it is told', () => {
    const paths = found
      .filter(({ path }) => /healthCheckPath|^path$/.test(path.at(-1) ?? ''))
      .map(({ value }) => value);
    expect(paths).toEqual(healthPaths);
  });
});

it('render.yaml sets all that production needs', () => {
  const { envVarGroups } = parse(textOf('render.yaml')) as {
    envVarGroups: Array<{ envVars: Array<{ key: string; value?: string }> }>;
  };
  const names = envVarGroups.flatMap(({ envVars }) => envVars.map(({ key }) => key));
  try {
    loadConfig({ NODE_ENV: 'production' }, () => ({}) as never);
    expect.unreachable();
  } catch (error) {
    const needed = (error as ConfigError).problems.map((problem) => /^[A-Z_]+/.exec(problem)?.[0] ?? '');
    expect(needed.length).toBeGreaterThan(10);
    expect(needed.filter((name) => !names.includes(name))).toEqual(['DATABASE_URL', 'REDIS_URL']);
  }
});
