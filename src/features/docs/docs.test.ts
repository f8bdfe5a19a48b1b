import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { newPhone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}
interface Operation {
  security?: unknown;
  parameters: Array<{ name: string }>;
}
interface TryItOut {
  sign(request: Sent): Promise<Sent>;
  keep(response: { text: string }): unknown;
  document: { servers: unknown; paths: Record<string, Record<string, Operation>>; info: { description: string } };
}
interface Script {
  buildTryItOut(document: unknown, surroundings: { appVersion: string; origin: string }): TryItOut;
}

const it = withServer({ env: { MIN_APP_VERSION: '4.4.0' } });

const text = async (server: TestServer, path: string) => (await fetch(server.url + path)).text();

/** The page at an address, without a browser: its script as it is served, with what the page passes to it. */
async function openPage(server: TestServer, origin: string) {
  const script = `data:text/javascript;base64,${Buffer.from(await text(server, '/docs/tryItOut.js')).toString('base64')}`;
  const { buildTryItOut } = (await import(script)) as Script;
  const [, appVersion = ''] = /data-app-version="([^"]*)"/.exec(await text(server, '/docs')) ?? [];
  const tryItOut = buildTryItOut(JSON.parse(await text(server, '/openapi.json')), { appVersion, origin });
  const call = async (method: string, path: string, body?: object) => {
    const { url, headers } = await tryItOut.sign({
      url: origin + path,
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
    });
    const response = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const answer = await response.text();
    tryItOut.keep({ text: answer });
    return { status: response.status, headers, body: JSON.parse(answer) };
  };
  return { tryItOut, call };
}

it.for(['localhost', '127.0.0.1'])(
  'the page at %s plays a phone: log in, read, refresh, write, log out',
  async (host, { server }) => {
    const { username, password } = await newPhone(server);
    const { call } = await openPage(server, server.url.replace('127.0.0.1', host));
    const first = await call('GET', '/api/users/get');
    expect([first.status, first.body.code]).toEqual([401, 'ACCESS_TOKEN_MISSING']);
    expect((await call('POST', '/api/auth/login', { identifier: username, password })).status).toBe(200);
    const read = await call('GET', '/api/users/get');
    expect([read.status, read.body.username]).toEqual([200, username]);
    expect((await call('GET', '/api/workouts/getworkout?tz=UTC')).status).toBe(200);
    const refreshed = await call('POST', '/api/auth/refresh');
    expect([refreshed.status, refreshed.headers.Authorization]).toEqual([200, undefined]);
    expect((await call('PUT', '/api/users/updateself', { fullName: 'Another Name' })).status).toBe(200);
    expect((await call('DELETE', '/api/messages/delete/12')).status).not.toBe(401);
    expect((await call('POST', '/api/auth/logout')).status).toBe(200);
    expect((await call('GET', '/api/users/get')).body.code).toBe('LOGIN_REQUIRED');
  },
);

it('what the page fills in is not asked for, and requests go to where the page came from', async ({ server }) => {
  const origin = server.url.replace('127.0.0.1', 'localhost');
  const { document } = (await openPage(server, origin)).tryItOut;
  expect(document.servers).toEqual([{ url: origin }]);
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const asked = new Set(operations.flatMap(({ parameters }) => parameters.map(({ name }) => name)));
  expect([...asked]).toEqual(expect.arrayContaining(['tz', 'id', 'Idempotency-Key', 'If-None-Match']));
  for (const name of ['X-App-Version', 'DPoP', 'DPoP-Key-Binding', 'X-Refresh-Token'])
    expect(asked).not.toContain(name);
  expect(document.info.description).toContain('Try it out');
});

it('where the browser has no keys, the page says so and sends the version alone', async ({ server }) => {
  const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto') as PropertyDescriptor;
  Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
  try {
    const { tryItOut } = await openPage(server, 'http://192.0.2.7:5000');
    expect(tryItOut.document.info.description).toContain('http://localhost');
    const url = 'http://192.0.2.7:5000/api/auth/login';
    expect((await tryItOut.sign({ url, method: 'POST', headers: {} })).headers).toEqual({ 'X-App-Version': '4.4.0' });
  } finally {
    Object.defineProperty(globalThis, 'crypto', crypto);
  }
});

it('the page loads scripts of its own origin only', async ({ server }) => {
  const page = await text(server, '/docs');
  expect(page).not.toMatch(/<script(?![^>]* src="\/docs\/)/);
  expect(page).not.toMatch(/(?:src|href)="(?!\/)/);
  expect(await text(server, '/docs/start.js')).toContain('validatorUrl: null');
});

const SRC = join(import.meta.dirname, '../..');

/** Where errors of the logbook's routes come from. */
const SOURCES = [
  'transport',
  'platform',
  'identity',
  ...['log', 'ownExercises', 'statistics', 'measurements', 'exports'],
]
  .concat('imports', 'settings')
  .map((name) => (existsSync(join(SRC, name)) ? name : join('features', name)));
/** Of gates and sign-ins that the logbook does not have. */
const OF_THE_APP = [
  'APP_UPDATE_REQUIRED',
  'DPOP_BINDING_INVALID',
  'DPOP_BINDING_MISSING',
  'INVALID_AUDIENCE',
  'INVALID_CREDENTIALS',
  'INVALID_ID_TOKEN',
  'INVALID_TIMEZONE',
  'REFRESH_TOKEN_INVALID',
  'REFRESH_TOKEN_MISSING',
];

it('each code of a problem is explained where its type points to', async ({ server }) => {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(SRC, folder, name)),
  ).concat(join(SRC, 'features/workouts/workouts.service.ts'));
  const thrown = /(?:ApiError\(\s*\d{3},\s*|badRequest\(\s*|notFound\(\s*'[^']*',\s*|unauthorized\(\s*)'([A-Z_]+)'/g;
  const codes = new Set(
    files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(thrown)].map(([, code]) => code)),
  );
  expect(codes.size).toBeGreaterThan(25);
  const page = await text(server, '/docs/problems');
  const explained = [...page.matchAll(/<dt id="([A-Z_]+)">/g)].map(([, code]) => code);
  expect([...codes].filter((code) => code && !OF_THE_APP.includes(code) && !explained.includes(code))).toEqual([]);
});
