import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { api } from '#src/api.ts';
import { compareVersions } from '#transport/middleware/versionGate.ts';
import type { AnyRoute } from '#transport/route.ts';
import { newPhone, type Phone, signUp } from './helpers/person.ts';
import { startTestServer, type TestServer, withServer } from './helpers/server.ts';

const it = withServer({ env: { MIN_APP_VERSION: '4.4.0' } });

const post = (server: TestServer, path: string, body: string, headers: Record<string, string> = {}) =>
  server.fetch(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const envelope = async (response: Response) => ({ status: response.status, ...((await response.json()) as object) });

describe('every answer', () => {
  it('carries a request id and the hardening headers', async ({ server }) => {
    const [one, two] = [await server.fetch('/'), await server.fetch('/nowhere')];
    expect(one.headers.get('x-request-id')).not.toBe(two.headers.get('x-request-id'));
    for (const { headers } of [one, two]) {
      expect(headers.get('strict-transport-security')).toContain('max-age=');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('content-security-policy')).toContain("script-src 'self'");
      expect(headers.get('x-powered-by')).toBe(null);
    }
  });

  it('/ is a line of text and /health lives without any header', async ({ server }) => {
    const root = await fetch(`${server.url}/`);
    expect([root.status, await root.text()]).toEqual([200, 'Server is running...']);
    expect(root.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${server.url}/health/ready`)).json()).toEqual({ status: 'ready' });
  });

  it('of an unknown route or method is the envelope with 404', async ({ server }) => {
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['GET', '/api/auth/login'],
      ['DELETE', '/api/users/create'],
      ['PATCH', '/'],
    ] as const) {
      const response = await server.fetch(path, { method });
      expect(await envelope(response)).toEqual({
        status: 404,
        success: false,
        message: 'Not found',
        code: 'NOT_FOUND',
        requestId: response.headers.get('x-request-id'),
      });
    }
  });
});

describe('what the framework or the parser refuses', () => {
  it('a path that cannot be decoded is no path', async ({ server }) => {
    expect(await envelope(await fetch(`${server.url}/dev/mailbox/%ff`))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });
  });

  it.for<[string, number]>([
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['NONSENSE\r\n\r\n', 400],
  ])('has the same shape and a request id (%#)', async ([text, status], { server }) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(answer.slice(answer.indexOf('{'))) as { requestId: string };
    expect(body).toMatchObject({ success: false, message: expect.any(String), code: expect.any(String) });
    expect(answer).toContain(`X-Request-Id: ${body.requestId}`);
  });
});

describe('bodies', () => {
  it.for(['{"identifier":', 'not json', '"text"', '{"a":1}}'])(
    'malformed JSON %s is a 400',
    async (body, { server }) => {
      expect(await envelope(await post(server, '/api/auth/login', body))).toMatchObject({
        status: 400,
        code: 'MALFORMED_JSON',
        message: 'Malformed JSON body',
      });
    },
  );

  it('over 100 kB is a 413', async ({ server }) => {
    const response = await post(server, '/api/auth/login', JSON.stringify({ identifier: 'x'.repeat(110_000) }));
    expect(await envelope(response)).toMatchObject({
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
      message: 'Request body too large',
    });
  });

  it.for<[string, string]>([
    ['application/x-www-form-urlencoded', ''],
    ['application/x-www-form-urlencoded', 'a=1'],
    ['text/plain', 'hello'],
    ['application/octet-stream', 'x'],
    ['application/json', ''],
    ['application/json; charset=klingon', '{}'],
    ['nonsense', ''],
  ])('of type "%s" never gives a 415: it counts as absent', async ([type, body], { server }) => {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    const response = await phone.post('/api/auth/logout', accessToken, body, { 'content-type': type });
    expect(response.status).toBe(200);
  });

  it('a validation error names every field and shows the first', async ({ server }) => {
    const response = await post(
      server,
      '/api/users/create',
      JSON.stringify({ username: 'ab', email: 'x', password: 'short' }),
    );
    expect(await envelope(response)).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      message: 'Username must be at least 3 characters',
      errors: [
        { path: 'username', message: 'Username must be at least 3 characters' },
        { path: 'email', message: 'Invalid email format' },
        { path: 'password', message: 'Password must be at least 8 characters long' },
      ],
    });
  });
});

describe('the gates (behaviour 0.5)', () => {
  const status = async (server: TestServer, path: string, headers: Record<string, string>) =>
    (await fetch(server.url + path, { headers })).status;

  it.for<[string, number]>([
    ['curl/8.0', 404],
    ['Python-urllib', 404],
    ['Mozilla/5.0 SemrushBot', 404],
    ['StrongTogether/4.5 iOS', 426],
  ])('without a version, the agent %s meets %i', async ([agent, expected], { server }) => {
    expect(await status(server, '/api/exercises/getall', { 'user-agent': agent })).toBe(expected);
  });

  it('no agent, a browser, or a scanner path is turned away', async ({ server }) => {
    const agent = { 'user-agent': 'App/1' };
    expect(await status(server, '/api/exercises/getall', { ...agent, accept: 'text/html' })).toBe(404);
    for (const path of ['/.env', '/.git/config', '/wp-admin', '/actuator/env', '/%2eenv', '/a/../etc/passwd']) {
      expect([path, await status(server, path, agent)]).toEqual([path, 404]);
    }
    const bare = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(`${server.url}/api/exercises/getall`, { headers: {} }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(bare).toBe(404);
  });

  it.for<[string, number]>([
    ['4.3.9', 426],
    ['4.4.0', 401],
    ['v4.4', 401],
    ['4.10', 401],
    ['5', 401],
    ['latest', 426],
  ])('version %s is answered %i', async ([version, expected], { server }) => {
    const response = await fetch(`${server.url}/api/users/get`, { headers: { 'x-app-version': version } });
    expect(response.status).toBe(expected);
    if (expected === 426) {
      expect(response.headers.get('x-min-version')).toBe('4.4.0');
      expect(await response.json()).toMatchObject({
        code: 'APP_UPDATE_REQUIRED',
        message: 'Please update the app on AppStore',
      });
    }
  });

  it('open paths meet neither, with one slash behind', async ({ server }) => {
    for (const path of ['/api/auth/verify', '/api/auth/verify/'])
      expect(await status(server, path, { 'user-agent': 'curl/8' })).toBe(400);
  });

  it('versions are compared as numbers', () => {
    expect(compareVersions('4.10', '4.9.9')).toBeGreaterThan(0);
    expect(compareVersions('v1.2', '1.2.0')).toBe(0);
    expect(compareVersions('x', '0.0.0')).toBe(0);
  });
});

describe('cross-origin requests (behaviour 0.4)', () => {
  const preflight = (to: TestServer, origin: string) =>
    fetch(`${to.url}/api/auth/login`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' },
    });

  it('any origin is reflected; preflights end before every gate', async ({ server }) => {
    const response = await preflight(server, 'https://example.org');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://example.org');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(response.headers.get('access-control-allow-headers')).toContain('DPoP-Key-Binding');
    expect(response.headers.get('vary')).toContain('Origin');
    const answer = await server.fetch('/', { headers: { origin: 'https://example.org' } });
    expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });

  it('CORS_ORIGINS narrows it', async () => {
    const narrow = await startTestServer({ env: { CORS_ORIGINS: 'https://good.example' } });
    try {
      const good = await preflight(narrow, 'https://good.example');
      expect(good.headers.get('access-control-allow-origin')).toBe('https://good.example');
      const bad = await preflight(narrow, 'https://evil.example');
      expect([bad.status, bad.headers.get('access-control-allow-origin')]).toEqual([204, null]);
    } finally {
      await narrow.close();
    }
  });
});

describe('documents', () => {
  it('/openapi.json describes every declared route, /docs shows it in a browser', async ({ server }) => {
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { security?: unknown; responses: object; requestBody?: object }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const finish = document.paths['/api/workouts/finishworkout']?.post;
    expect(finish?.security).toEqual([{ dpop: [] }]);
    const declared = ['200', '400', '401', '404', '409', '413', '422', '426', '429', '500', '503'];
    expect(Object.keys(finish?.responses ?? {})).toEqual(declared);
    expect(JSON.stringify(finish?.requestBody)).toContain('exercisetosplit_id');
    const page = await fetch(`${server.url}/docs`, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, asset]) => asset);
    expect(assets).not.toEqual([]);
    for (const asset of assets) expect((await fetch(server.url + asset)).status).toBe(200);
  });

  it('the mailbox can be read by a person', async ({ server }) => {
    const email = 'reader@example.com';
    expect(
      (await post(server, '/api/users/create', JSON.stringify({ username: 'reader', email, password: 'long enough' })))
        .status,
    ).toBe(201);
    await server.mailTo(email);
    const list = await fetch(`${server.url}/dev/mailbox`, { headers: { accept: 'text/html' } });
    const text = await list.text();
    expect(text).toContain(email);
    const [, link] = /href="(\/dev\/mailbox\/[0-9a-f]+)"/.exec(text) ?? [];
    expect(await (await fetch(server.url + link)).text()).toContain('Confirm my address');
    expect((await fetch(`${server.url}/dev/mailbox/..%2f..%2fsecrets`)).status).toBe(404);
  });
});

describe('commit first, answer second (DA2)', () => {
  let phone: Phone;
  let accessToken: string;

  it.beforeAll(async ({ server }) => {
    phone = await newPhone(server);
    ({ accessToken } = await phone.tokens());
    await server.sql(`
      create function refuse_at_commit() returns trigger language plpgsql as $$
      begin
        if new.name = 'explode' then raise exception 'secret detail %', new.name; end if;
        return null;
      end $$;
      create constraint trigger refuse_at_commit after insert or update on workoutplans
      deferrable initially deferred for each row execute function refuse_at_commit()`);
  });

  const add = (workoutName: string, headers = {}) =>
    phone.post('/api/workouts/add', accessToken, { workoutName, workoutData: { A: [{ id: 1, sets: [5] }] } }, headers);

  it('a commit that fails is a 500 that says nothing, and nothing is stored', async ({ server }) => {
    for (const headers of [{}, { 'idempotency-key': 'explodes' }]) {
      const response = await add('explode', headers);
      expect(await envelope(response)).toEqual({
        status: 500,
        success: false,
        message: 'Internal server error',
        code: 'INTERNAL_ERROR',
        requestId: response.headers.get('x-request-id'),
      });
      const detail = server.logged.find(
        (line) => line.includes(response.headers.get('x-request-id') as string) && line.includes('"error"'),
      );
      expect(detail).toContain('P0001');
    }
    expect(await server.sql('select 1 from workoutplans where user_id = $1', [phone.id])).toEqual([]);
    expect(await server.sql('select data_version::int from users where id = $1', [phone.id])).toEqual([
      { data_version: 0 },
    ]);
    expect(await server.sql('select 1 from idempotency_keys where user_id = $1', [phone.id])).toEqual([]);
  });

  it('a success is visible to everybody at once', async ({ server }) => {
    expect((await add('fine')).status).toBe(200);
    expect(await server.sql('select name from workoutplans where user_id = $1', [phone.id])).toEqual([
      { name: 'fine' },
    ]);
  });
});

describe('two people', () => {
  it('see and touch nothing of each other', async ({ server }) => {
    const [ann, ben] = [await newPhone(server), await newPhone(server)];
    const [annToken, benToken] = [(await ann.tokens()).accessToken, (await ben.tokens()).accessToken];
    const plan = (await (
      await ann.post('/api/workouts/add', annToken, {
        workoutName: "Ann's",
        workoutData: { A: [{ id: 1, sets: [5] }] },
      })
    ).json()) as { workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> } };
    const ets = plan.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id;
    const body = { workout: [{ exercisetosplit_id: ets, weight: [50], reps: [5] }] };
    expect((await ann.post('/api/workouts/finishworkout', annToken, body)).status).toBe(200);

    expect(await (await ben.get('/api/users/get', benToken)).json()).toMatchObject({ id: ben.id });
    expect(await (await ben.get('/api/workouts/getworkout', benToken)).json()).toEqual({ workoutPlan: null });
    expect(await (await ben.get('/api/workouts/gettracking', benToken)).json()).toMatchObject({
      exerciseTrackingAnalysis: { unique_days: 0, prs: { pr_max: null } },
      exerciseTrackingMaps: { byDate: {}, byETSId: {}, bySplitName: {} },
    });
    expect((await ben.post('/api/workouts/finishworkout', benToken, body)).status).toBe(400);
    // A token of one with the key of the other opens nothing.
    expect((await ben.get('/api/users/get', annToken)).status).toBe(401);
    expect((await ann.get('/api/users/get', benToken)).status).toBe(401);
    // Ben's edits leave Ann's plan alone.
    await ben.post('/api/workouts/add', benToken, { workoutData: { A: [{ id: 2, sets: [5] }] } });
    expect(await (await ann.get('/api/workouts/getworkout', annToken)).json()).toMatchObject({
      workoutPlan: { name: "Ann's", workoutsplits: [{ exercisetoworkoutsplit: [{ id: ets }] }] },
    });
  });

  it('nobody gets past a protected route without signing in', async ({ server }) => {
    const protectedRoutes = (api as AnyRoute[]).filter((route) => route.auth === 'user');
    expect(protectedRoutes.length).toBeGreaterThan(15);
    for (const { method, path } of protectedRoutes) {
      const response = await server.fetch(path.replace(':id', 'x'), { method });
      expect([method, path, response.status]).toEqual([method, path, 401]);
    }
  });

  it('the deletion of a workout answers 501 at once (IN4)', async ({ server }) => {
    const { client } = await signUp(server);
    await expect(client.call('DELETE', '/api/workouts/delete')).rejects.toMatchObject({
      status: 501,
      code: 'NOT_IMPLEMENTED',
      message: 'Not implemented',
    });
  });
});

describe('the log (OP8)', () => {
  it('holds no token, address, link or password', async ({ server }) => {
    const { email, password, client } = await signUp(server);
    await client.refresh();
    await client.logout();
    const text = server.logged.join('');
    for (const secret of [email, password, 'eyJ', '@example.com', '?token', server.config.secrets.JWT_ACCESS_SECRET]) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain('/api/auth/login');
  });
});
