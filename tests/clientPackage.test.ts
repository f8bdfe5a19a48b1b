import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { newPhone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';
import { madeFiles } from '../scripts/openapi.ts';

const ROOT = join(import.meta.dirname, '..');

/** What somebody writes who installed the package. */
const PROGRAM = `
import { ApiFailure, type Output, StrongTogetherClient } from '@strong-together/client';

const client = new StrongTogetherClient({ baseUrl: 'https://api.example.com', onRefreshToken: (token) => token?.length });

export async function firstCall(): Promise<number | string> {
  try {
    await client.login('dana', 'correct horse');
    const plan: Output<'GET', '/api/workouts/getworkout'> = await client.call('GET', '/api/workouts/getworkout');
    const { daily } = await client.call('POST', '/api/aerobics/add', {
      body: { record: { type: 'Run', durationMins: 5 }, tz: 'UTC' },
      idempotencyKey: 'run 1',
    });
    await client.call('PUT', '/api/messages/markasread/:id', { params: { id: 'x' } });
    return plan.workoutPlan?.workoutsplits[0]?.name ?? Object.keys(daily).length;
  } catch (error) {
    return error instanceof ApiFailure ? error.errors[0]?.path ?? error.code : 'no answer';
  }
}

export async function mistakes() {
  // @ts-expect-error no such path
  await client.call('GET', '/api/users/nobody');
  // @ts-expect-error no such method of this path
  await client.call('DELETE', '/api/users/get');
  // @ts-expect-error a body is needed
  await client.call('POST', '/api/aerobics/add');
  // @ts-expect-error no such field
  await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 5, pace: 4 } } });
  // @ts-expect-error a field of another type
  await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: '5' } } });
  // @ts-expect-error a parameter of the path is needed
  await client.call('PUT', '/api/messages/markasread/:id');
  // @ts-expect-error not a route that knows keys
  await client.call('PUT', '/api/users/updateself', { body: {}, idempotencyKey: 'x' });
  // @ts-expect-error no such field in the answer
  (await client.call('GET', '/api/users/get')).shoeSize;
}
`;

/** As in React Native: no WebCrypto, and a key that lies elsewhere. */
const PHONE = `
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { StrongTogetherClient, thumbprintOf } from '@strong-together/client';

Reflect.deleteProperty(globalThis, 'crypto');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { x, y } = publicKey.export({ format: 'jwk' });
const jwk = { kty: 'EC', crv: 'P-256', x, y };
const sha256 = async (bytes) => createHash('sha256').update(bytes).digest();
const key = {
  jwk,
  thumbprint: await thumbprintOf(jwk, sha256),
  sign: async (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  sha256,
};
const [baseUrl, username, password] = process.argv.slice(2);
const client = new StrongTogetherClient({ baseUrl, key });
await client.login(username, password);
await client.refresh();
const { daily } = await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 5 } } });
const failure = await client.call('POST', '/api/workouts/finishworkout', { body: {} }).catch((error) => error);
console.log(JSON.stringify([Object.keys(daily).length, failure.name, failure.status, failure.code]));
`;

/** A project that has nothing but the package, as npm installs it. */
let project: string;

const run = promisify(execFile);
const npm = (cwd: string, ...args: string[]) => run('npm', args, { cwd, shell: process.platform === 'win32' });
const packageOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; dependencies?: object };

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'strong-together-client-'));
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  await npm(join(ROOT, 'client'), 'pack', '--pack-destination', project);
  const tarball = `./strong-together-client-${packageOf(ROOT).version}.tgz`;
  await npm(project, 'install', tarball, '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const it = withServer();

describe('what is made from the route declarations', () => {
  it.each(Object.entries(madeFiles()))('%s is fresh: else npm run openapi', (path, text) => {
    expect(readFileSync(join(ROOT, path), 'utf8') === text).toBe(true);
  });
});

describe('the package', () => {
  it('has the version of the server, and needs nothing', () => {
    const { version, dependencies } = packageOf(join(project, 'node_modules/@strong-together/client'));
    expect(version).toBe(packageOf(ROOT).version);
    expect(dependencies).toBe(undefined);
  });

  it.each(['nodenext', 'bundler'])('has types for strict programs (%s) that know every route', async (resolution) => {
    const module = resolution === 'bundler' ? 'esnext' : resolution;
    const options = [
      '--strict',
      '--noEmit',
      '--target',
      'es2022',
      '--module',
      module,
      '--moduleResolution',
      resolution,
    ];
    writeFileSync(join(project, 'program.ts'), PROGRAM);
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const compiled = run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: project });
    expect(await compiled.catch((error: { stdout: string }) => error)).toMatchObject({ stdout: '' });
  });

  it('can be bundled for browsers', async () => {
    writeFileSync(join(project, 'page.js'), "export * from '@strong-together/client';");
    const bundle = await rolldown({ input: join(project, 'page.js'), platform: 'browser' });
    const { output } = await bundle.generate({ minify: true });
    expect(output).toHaveLength(1);
    expect(output[0].imports).toEqual([]);
    expect(output[0].code).not.toMatch(/node:|\brequire\(|\bprocess\.|\bBuffer\b/);
  });
});

describe('the package in plain Node', () => {
  const node = async (server: TestServer, ...args: string[]) =>
    (await run(process.execPath, args, { cwd: project, env: { ...process.env, BASE_URL: `${server.url}/` } })).stdout;

  it('runs the first week', async ({ server }) => {
    for (const file of ['first-week.ts', 'mailbox.ts', 'serverUrl.ts']) {
      copyFileSync(join(ROOT, 'examples', file), join(project, file));
    }
    expect(await node(server, 'first-week.ts')).toMatch(
      /Registered lifter_.*5 workouts:.*Imported 183 of 183.*became \d+.*Undone; 1 workout.*Logged out/s,
    );
  });

  it('takes a key that is not of WebCrypto', async ({ server }) => {
    writeFileSync(join(project, 'phone.js'), PHONE);
    const { username, password } = await newPhone(server);
    const printed = await node(server, 'phone.js', server.url, username, password);
    expect(JSON.parse(printed)).toEqual([1, 'ApiFailure', 400, 'VALIDATION_FAILED']);
  });
});
