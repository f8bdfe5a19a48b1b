import { StrongTogetherClient } from '@strong-together/client';
import { describe, expect } from 'vitest';
import { api } from '#src/api.ts';
import { browserFetch } from './helpers/browserFetch.ts';
import { newPhone } from './helpers/person.ts';
import { withServer } from './helpers/server.ts';

/* What a page of another origin can use of the server (behaviour 0.4): the same as a program. */

const it = withServer();
const ORIGIN = 'https://elsewhere.example';
const fromElsewhere = browserFetch(ORIGIN);

describe('the client in a page of another origin', () => {
  const withClient = it.extend('client', async ({ server }) => {
    const { username, password } = await newPhone(server);
    const seen: string[] = [];
    const client = new StrongTogetherClient({
      baseUrl: server.url,
      retries: 0,
      fetch: async (...request) => {
        const answer = await fromElsewhere(...request);
        seen.push(`${answer.status} ${answer.headers.get('etag') !== null}`);
        return answer;
      },
    });
    await client.login(username, password);
    return { client, seen };
  });

  withClient('reads, changes, and is answered 304 for what it has kept', async ({ client: { client, seen } }) => {
    await client.call('PATCH', '/api/v1/me', { body: { unit: 'lb' } });
    const first = await client.call('GET', '/api/v1/me');
    expect(first).toMatchObject({ unit: 'lb' });
    seen.length = 0;
    expect(await client.call('GET', '/api/v1/exercises')).toEqual(await client.call('GET', '/api/v1/exercises'));
    expect(seen).toEqual(['200 true', '304 true']);
  });

  withClient('writes a document under its ETag, and learns that it was changed', async ({ client: { client } }) => {
    const id = '01936b3e-0000-7000-8000-000000000001';
    const body = { title: 'Monday', startedAt: '2026-11-23T07:00:00.000Z', timeZone: 'UTC', blocks: [] };
    const options = { params: { id }, body };
    await client.call('PUT', '/api/v1/workouts/:id', options);
    const stale = client.call('PUT', '/api/v1/workouts/:id', { ...options, headers: { 'if-match': '"0"' } });
    await expect(stale).rejects.toMatchObject({ status: 412 });
  });
});

it('every method and every header that a route takes may be asked for', async ({ server }) => {
  const answer = await fetch(`${server.url}/api/v1/me`, {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'PATCH' },
  });
  const allowed = (name: string) => (answer.headers.get(`access-control-allow-${name}`) ?? '').split(',');
  expect(allowed('methods')).toEqual(expect.arrayContaining([...new Set(api.map(({ method }) => method))]));
  // The schedule is a program's; a page has no business with its secret.
  const taken = api.flatMap(({ headers }) => Object.keys(headers ?? {})).filter((name) => name !== 'X-Cron-Secret');
  const always = ['Authorization', 'DPoP', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match'];
  expect(allowed('headers')).toEqual(expect.arrayContaining([...always, ...taken]));
});
