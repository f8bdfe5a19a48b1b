import { ApiFailure, generateKey, StrongTogetherClient } from '@strong-together/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newPhone } from '#tests/helpers/person.ts';
import { startTestServer, type TestServer } from '#tests/helpers/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { ACCESS_TOKEN_TTL_SEC: '4' } });
});
afterAll(() => server.close());

const untilExpired = () => new Promise((done) => setTimeout(done, 5_100));
const tokenVersion = async (id: string) =>
  (await server.sql('select token_version::int as tv from users where id = $1', [id]))[0]?.tv as number;

describe('the client', () => {
  it('refreshes once for many calls that meet an expired token, and keeps the new token', async () => {
    const { id, username, password } = await newPhone(server);
    const kept: Array<string | null> = [];
    const client = new StrongTogetherClient({ baseUrl: server.url, onRefreshToken: (token) => kept.push(token) });
    await client.login(username, password);
    const before = await tokenVersion(id);
    await untilExpired();
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.call('GET', '/api/users/get')));
    expect(answers.every((answer) => answer.id === id)).toBe(true);
    expect(await tokenVersion(id)).toBe(before + 1);
    expect(kept).toEqual([expect.any(String), client.refreshToken]);
  });

  it('goes on with a kept refresh token and the same key', async () => {
    const { id, username, password } = await newPhone(server);
    const key = await generateKey();
    const first = new StrongTogetherClient({ baseUrl: server.url, key });
    await first.login(username, password);
    const second = new StrongTogetherClient({ baseUrl: server.url, key, refreshToken: first.refreshToken ?? '' });
    expect((await second.call('GET', '/api/users/get')).id).toBe(id);
  });

  it('makes one key, also when its first calls are parallel', async () => {
    const client = new StrongTogetherClient({ baseUrl: server.url });
    const keys = await Promise.all([client.key(), client.key(), client.key()]);
    expect(new Set(keys.map(({ thumbprint }) => thumbprint)).size).toBe(1);
  });

  it('tells why a call failed, and forgets a session that ended', async () => {
    const { username, password } = await newPhone(server);
    const [here, there] = [1, 2].map(() => new StrongTogetherClient({ baseUrl: server.url }));
    await here?.login(username, password);
    await there?.login(username, password);
    const failure = await here?.call('GET', '/api/users/get').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiFailure);
    expect(failure).toMatchObject({ status: 401, code: 'LOGIN_REQUIRED', message: 'New login required' });
    expect(here?.refreshToken).toBe(null);
    const invalid = await there
      ?.call('POST', '/api/workouts/add', { body: { workoutData: {} } })
      .catch((error: unknown) => error);
    expect(invalid).toMatchObject({ status: 400, errors: [{ path: 'workoutData' }] });
  });
});
