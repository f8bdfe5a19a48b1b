import { createHash, sign } from 'node:crypto';
import {
  ApiFailure,
  type ClientOptions,
  generateKey,
  keyFromPair,
  type ProofKey,
  StrongTogetherClient,
  thumbprintOf,
} from '@strong-together/client';
import sharp from 'sharp';
import { describe, expect } from 'vitest';
import { newPhone } from '#tests/helpers/person.ts';
import { proofKey } from '#tests/helpers/proof.ts';
import { startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  // The same, with access tokens that soon expire.
  .extend('brief', { scope: 'file' }, ({ untilEnd, server }) =>
    untilEnd(startTestServer({ sharing: server, env: { ACCESS_TOKEN_TTL_SEC: '4' } })),
  );

const untilExpired = () => new Promise((done) => setTimeout(done, 5_100));
const tokenVersion = async (server: TestServer, id: string) =>
  (await server.sql('select token_version::int as tv from users where id = $1', [id]))[0]?.tv as number;
const problem = (call: Promise<unknown>) =>
  call.then(
    () => 'none',
    (error: unknown) => error,
  );

/** What happens to a request: sent as it is, answered by something else, or lost before or after the server had it. */
type Fate = 'sent' | 'lost' | 'answer lost' | Response;

interface Network {
  fetch: typeof fetch;
  /** Every request, in order. */
  requests: Array<{ method: string; path: string; headers: Headers; status: number | undefined }>;
  /** What happens to the next requests; the rest is sent. */
  next: Fate[];
}

function network(): Network {
  const [requests, next]: [Network['requests'], Fate[]] = [[], []];
  return {
    requests,
    next,
    fetch: async (url, init) => {
      const method = init?.method ?? 'GET';
      const path = new URL(String(url)).pathname;
      const request = { method, path, headers: new Headers(init?.headers), status: undefined as number | undefined };
      requests.push(request);
      const fate = next.shift() ?? 'sent';
      if (fate === 'lost') throw new TypeError('fetch failed');
      const response = typeof fate === 'object' ? fate : await fetch(url, init);
      if (fate === 'answer lost') throw new TypeError('fetch failed');
      request.status = response.status;
      return response;
    },
  };
}

/** A person who is signed in by way of a network that can fail. */
async function signedIn(server: TestServer, options: Partial<ClientOptions> = {}) {
  const phone = await newPhone(server);
  const net = network();
  const client = new StrongTogetherClient({ baseUrl: server.url, fetch: net.fetch, ...options });
  await client.login(phone.username, phone.password);
  net.requests.length = 0;
  return { ...phone, client, net };
}

const unavailable = (retryAfter?: string) =>
  new Response('{"message":"Away","code":"SERVICE_UNAVAILABLE"}', {
    status: 503,
    headers: { 'content-type': 'application/json', ...(retryAfter && { 'retry-after': retryAfter }) },
  });

describe('the session', () => {
  it('is refreshed once for many calls that meet an expired token, and the new token is kept', async ({
    server,
    brief,
  }) => {
    const kept: Array<string | null> = [];
    const { id, client } = await signedIn(server, { baseUrl: brief.url, onRefreshToken: (token) => kept.push(token) });
    const before = await tokenVersion(server, id);
    await untilExpired();
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.call('GET', '/api/users/get')));
    expect(answers.every((answer) => answer.id === id)).toBe(true);
    expect(await tokenVersion(server, id)).toBe(before + 1);
    expect(kept).toEqual([expect.any(String), client.refreshToken]);
  });

  it('goes on with a kept refresh token and the same key', async ({ server }) => {
    const key = await generateKey();
    const { id, client } = await signedIn(server, { key });
    const second = new StrongTogetherClient({ baseUrl: server.url, key, refreshToken: client.refreshToken ?? '' });
    expect((await second.call('GET', '/api/users/get')).id).toBe(id);
  });

  it('has one key, also when its first calls are parallel', async ({ server }) => {
    const client = new StrongTogetherClient({ baseUrl: server.url });
    const keys = await Promise.all([client.key(), client.key(), client.key()]);
    expect(new Set(keys.map(({ thumbprint }) => thumbprint)).size).toBe(1);
  });

  it('begins with any route that signs in', async ({ server }) => {
    const { username, password, id } = await newPhone(server);
    const client = new StrongTogetherClient({ baseUrl: server.url });
    await client.call('POST', '/api/auth/login', { body: { identifier: username, password } });
    expect((await client.call('GET', '/api/users/get')).id).toBe(id);
  });

  it('tells why a call failed, and is forgotten when it ended', async ({ server }) => {
    const { username, password, client: here } = await signedIn(server);
    const there = new StrongTogetherClient({ baseUrl: server.url });
    await there.login(username, password);
    const failure = await problem(here.call('GET', '/api/users/get'));
    expect(failure).toBeInstanceOf(ApiFailure);
    expect(failure).toMatchObject({ status: 401, code: 'LOGIN_REQUIRED', message: 'New login required' });
    expect([here.accessToken, here.refreshToken]).toEqual([undefined, null]);
    const invalid = await problem(there.call('POST', '/api/workouts/add', { body: { workoutData: {} } }));
    expect(invalid).toMatchObject({
      status: 400,
      requestId: expect.stringMatching(/./),
      errors: [{ path: 'workoutData' }],
    });
    const body = { name: 'Plan', splits: [{ name: 'A', exercises: [{ exerciseId: 1, sets: [0] }] }] };
    expect(await problem(there.call('PUT', '/api/v1/plan', { body }))).toMatchObject({
      status: 422,
      code: 'VALIDATION_FAILED',
      requestId: expect.stringMatching(/./),
      message: expect.stringContaining('at least 1 rep'),
      errors: [{ path: 'splits.0.exercises.0.sets.0', message: expect.stringContaining('at least 1 rep') }],
    });
  });

  it('does not end by a refusal that is not about it, such as a wrong clock', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const { refreshToken } = client;
    const headers = { 'content-type': 'application/json' };
    net.next.push(new Response('{"message":"Expired","code":"DPOP_PROOF_EXPIRED"}', { status: 401, headers }));
    expect(await problem(client.refresh())).toMatchObject({ code: 'DPOP_PROOF_EXPIRED' });
    expect(client.refreshToken).toBe(refreshToken);
    await client.refresh();
    expect(client.refreshToken).not.toBe(refreshToken);
  });

  it('outlives a refresh whose answer was lost', async ({ server }) => {
    const { id, client, net } = await signedIn(server);
    net.next.push('answer lost');
    await client.refresh();
    expect((await client.call('GET', '/api/users/get')).id).toBe(id);
  });

  it('is not brought back by a refresh that a logout overtook', async ({ server }) => {
    const { client } = await signedIn(server);
    await Promise.allSettled([client.refresh(), client.logout()]);
    expect([client.accessToken, client.refreshToken]).toEqual([undefined, null]);
  });

  it('asks for no refresh when the person, not the token, is refused', async ({ server }) => {
    const { client, net, username } = await signedIn(server);
    const body = { username, password: 'wrong password', newEmail: 'new@example.com' };
    expect(await problem(client.call('PUT', '/api/auth/changeemailverify', { body }))).toMatchObject({ status: 401 });
    expect(net.requests).toHaveLength(1);
  });
});

describe('keys', () => {
  it('are of WebCrypto and cannot be exported, or a pair that the caller keeps', async ({ server }) => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const [key, again] = [await keyFromPair(pair), await keyFromPair(pair)];
    expect(again.thumbprint).toBe(key.thumbprint);
    const { id, client } = await signedIn(server, { key });
    const later = new StrongTogetherClient({
      baseUrl: server.url,
      key: again,
      refreshToken: client.refreshToken ?? '',
    });
    expect((await later.call('GET', '/api/users/get')).id).toBe(id);
  });

  it('may be of any kind that signs', async ({ server }) => {
    const { privateKey, jwk } = proofKey();
    const own: ProofKey = {
      jwk: jwk as unknown as ProofKey['jwk'],
      thumbprint: await thumbprintOf(jwk as unknown as ProofKey['jwk']),
      sign: async (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      sha256: async (bytes) => createHash('sha256').update(bytes).digest(),
    };
    const { id, client } = await signedIn(server, { key: own });
    await client.refresh();
    expect((await client.call('GET', '/api/users/get')).id).toBe(id);
  });
});

describe('repetition', () => {
  it('of a read goes on after lost requests and an outage, each time with a proof of its own', async ({ server }) => {
    const { id, client, net } = await signedIn(server, { retries: 3 });
    net.next.push('lost', unavailable('0'), 'answer lost');
    expect((await client.call('GET', '/api/users/get')).id).toBe(id);
    expect(new Set(net.requests.map(({ headers }) => headers.get('dpop'))).size).toBe(4);
  });

  it('of a keyed write does its work once', async ({ server }) => {
    const { id, client, net } = await signedIn(server);
    net.next.push('answer lost');
    await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 30 } } });
    const keys = net.requests.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual([expect.stringMatching(/./), keys[0]]);
    const [rows] = await server.sql('select count(*)::int as n from aerobictracking where user_id = $1', [id]);
    expect(rows).toEqual({ n: 1 });
  });

  it('takes the key of the caller', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const body = { record: { type: 'Run', durationMins: 30 } };
    await client.call('POST', '/api/aerobics/add', { body, idempotencyKey: 'run 1' });
    await client.call('POST', '/api/aerobics/add', { body, headers: { 'Idempotency-Key': 'run 2' } });
    expect(net.requests.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['run 1', 'run 2']);
  });

  it('waits for an earlier try that still runs', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const running = '{"message":"…","code":"IDEMPOTENCY_IN_PROGRESS"}';
    net.next.push(new Response(running, { status: 409, headers: { 'content-type': 'application/json' } }));
    await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 30 } } });
    expect(net.requests).toHaveLength(2);
  });

  const write = (client: StrongTogetherClient) =>
    client.call('PUT', '/api/users/updateself', { body: { fullName: 'Dana' } });
  const uselesslyKeyed = (client: StrongTogetherClient) =>
    client.call('POST', '/api/ws/generateticket', { headers: { 'idempotency-key': 'ticket 1' } });
  const read = (client: StrongTogetherClient) => client.call('GET', '/api/users/get');
  it.for<[string, Fate[], Partial<ClientOptions>, (client: StrongTogetherClient) => Promise<unknown>, number]>([
    ['ends after as many tries as allowed', ['lost', 'lost', 'lost'], { retries: 2 }, read, 3],
    ['is not tried when that is switched off', ['lost'], { retries: 0 }, read, 1],
    ['is not tried for a write without a key', ['lost'], {}, write, 1],
    ['is not tried for a write without a key in an outage', [unavailable('0')], {}, write, 1],
    ['is not tried for a write whose key nobody looks at', ['lost'], {}, uselesslyKeyed, 1],
    ['is not tried when the server does not ask for it', [unavailable()], {}, read, 1],
    ['is not tried when the server asks for too much patience', [unavailable('3600')], {}, read, 1],
    ['is not tried after any other failure', [new Response('Bad Gateway', { status: 502 })], {}, read, 1],
  ])('%s', async ([_, fates, options, call, requests], { server }) => {
    const { client, net } = await signedIn(server, options);
    net.next.push(...fates);
    expect(await problem(call(client))).toBeInstanceOf(Error);
    expect(net.requests).toHaveLength(requests);
  });

  it('ends when the caller ends the call', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const reason = new Error('the page was left');
    const controller = new AbortController();
    net.next.push(unavailable('9'));
    const call = client.call('GET', '/api/users/get', { signal: controller.signal });
    await expect.poll(() => net.requests.length).toBe(1);
    controller.abort(reason);
    expect(await problem(call)).toBe(reason);
  });
});

describe('kept answers', () => {
  const history = (client: StrongTogetherClient) => client.call('GET', '/api/aerobics/get', { query: { tz: 'UTC' } });

  it('are given again while the server says that nothing changed', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const first = await history(client);
    const second = await history(client);
    expect(net.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 30 }, tz: 'UTC' } });
    expect(await history(client)).not.toEqual(first);
    expect(net.requests.at(-1)?.status).toBe(200);
  });

  it('are as many as allowed', async ({ server }) => {
    const { client, net } = await signedIn(server, { keptAnswers: 1 });
    await history(client);
    await client.call('GET', '/api/exercises/getall');
    await history(client);
    expect(net.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('are forgotten with the session', async ({ server }) => {
    const { client, net } = await signedIn(server);
    const other = await newPhone(server);
    await history(client);
    await client.login(other.username, other.password);
    await history(client);
    expect(net.requests.at(-1)?.headers.has('if-none-match')).toBe(false);
  });
});

it('uploads a picture', async ({ server }) => {
  const { client } = await signedIn(server);
  const channels = 3 as const;
  const picture = await sharp({ create: { width: 8, height: 8, channels, background: 'red' } })
    .png()
    .toBuffer();
  const file = new Blob([new Uint8Array(picture)], { type: 'image/png' });
  expect(await client.call('PUT', '/api/users/setprofilepic', { body: { file } })).toMatchObject({
    path: expect.stringMatching(/\.png$/),
  });
});

describe('a session beside the phone', () => {
  const signIn = async (server: TestServer, options: Partial<ClientOptions> = {}) => {
    const phone = await newPhone(server);
    const wire = network();
    const key = await generateKey();
    const client = new StrongTogetherClient({ baseUrl: server.url, key, fetch: wire.fetch, ...options });
    const body = { identifier: phone.username, password: phone.password };
    const { session } = await client.call('POST', '/api/v1/sessions', { body });
    return { client, wire, key, session };
  };
  const refreshes = (wire: Network) => wire.requests.filter(({ path }) => path.endsWith('/refresh'));

  it('refreshes by its own route, also in a later run, and ends with a logout', async ({ brief }) => {
    const { client, wire, key } = await signIn(brief);
    await untilExpired();
    await client.call('GET', '/api/v1/me');
    expect(refreshes(wire).map(({ path, status }) => [path, status])).toEqual([['/api/v1/sessions/refresh', 200]]);
    const refreshToken = client.refreshToken ?? '';
    const later = new StrongTogetherClient({ baseUrl: brief.url, key, refreshToken, session: 'other' });
    const { items } = await later.call('GET', '/api/v1/sessions');
    expect(items).toHaveLength(1);
    await later.logout();
    expect([later.accessToken, later.refreshToken]).toEqual([undefined, null]);
    await expect(client.call('GET', '/api/v1/me')).rejects.toThrow(ApiFailure);
  });

  it('is shared by pages: one refreshes, the other adopts its tokens', async ({ brief }) => {
    let turn: Promise<unknown> = Promise.resolve();
    const pages: StrongTogetherClient[] = [];
    const options: Partial<ClientOptions> = {
      session: 'other',
      exclusively: (refresh) => {
        const next = turn.then(refresh);
        turn = next.catch(() => undefined);
        return next;
      },
      onTokens: (tokens) => {
        for (const page of pages) if (tokens) page.adopt(tokens);
      },
    };
    const { client, wire, key } = await signIn(brief, options);
    const second = new StrongTogetherClient({ baseUrl: brief.url, key, fetch: wire.fetch, ...options });
    pages.push(client, second);
    second.adopt({ accessToken: client.accessToken ?? '', refreshToken: client.refreshToken });
    await untilExpired();
    await Promise.all([client.call('GET', '/api/v1/me'), second.call('GET', '/api/v1/me')]);
    expect(refreshes(wire)).toHaveLength(1);
  });

  it('answers files as they are', async ({ server }) => {
    const { client } = await signIn(server);
    const archive = await client.call('GET', '/api/v1/exports/archive.zip');
    expect(new Uint8Array(await archive.arrayBuffer()).subarray(0, 2)).toEqual(new Uint8Array([0x50, 0x4b]));
  });
});
