import { expect } from 'vitest';
import { startProvider } from './fakes/identityProvider.ts';
import { signUp } from './helpers/person.ts';
import { proofKey } from './helpers/proof.ts';
import { fixtures, linkIn, startTestServer, type TestServer } from './helpers/server.ts';

const it = fixtures
  .extend('google', { scope: 'file' }, ({ untilEnd }) => untilEnd(startProvider('https://accounts.google.com', 'app')))
  .extend('server', { scope: 'file' }, ({ untilEnd, google }) =>
    untilEnd(
      startTestServer({
        env: {
          RATE_LIMIT_ENABLED: 'true',
          RATE_LIMIT_GENERAL_PER_MIN: '0',
          GOOGLE_JWKS_URL: google.url,
          GOOGLE_ALLOWED_AUDS: 'app',
        },
      }),
    ),
  );

const post = (server: TestServer, path: string, body: unknown, ip: string, method = 'POST') =>
  server.fetch(path, {
    method,
    headers: { 'content-type': 'application/json', 'dpop-key-binding': proofKey().thumbprint, 'x-forwarded-for': ip },
    body: JSON.stringify(body),
  });

it('45 registrations from one address are refused before the end, another address goes on (AB4)', async ({
  server,
}) => {
  const register = (n: number, ip: string) =>
    post(
      server,
      '/api/users/create',
      { username: `flood_${n}`, email: `flood${n}@example.com`, password: 'long enough' },
      ip,
    );
  const statuses = (await Promise.all(Array.from({ length: 45 }, (_, n) => register(n, '203.0.113.20')))).map(
    (r) => r.status,
  );
  expect(statuses.filter((status) => status === 201)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(25);
  expect((await register(99, '203.0.113.21')).status).toBe(201);
});

it('20 sign-ins by different people behind one address are fine (AB2)', async ({ server, google }) => {
  const signIns = Array.from({ length: 20 }, async (_, n) =>
    post(
      server,
      '/api/oauth/google',
      { idToken: await google.token({ email: `gym${n}@example.com`, email_verified: true, name: 'Gym' }) },
      '203.0.113.30',
    ),
  );
  expect((await Promise.all(signIns)).map(({ status }) => status)).toEqual(Array(20).fill(200));
});

it('no flow leaves a token, an address, a link or a password in the log (OP8)', async ({ server, google }) => {
  const { client, email, password, username } = await signUp(server);
  const fresh = `fresh_${email}`;
  const pushToken = 'ExponentPushToken[do-not-log-me]';
  await client.call('PUT', '/api/users/pushtoken', { body: { token: pushToken } });
  await client.call('PUT', '/api/users/update', { body: { email: fresh } });
  const confirmation = linkIn(await server.mailTo(fresh));
  await fetch(confirmation);
  await post(server, '/api/auth/forgotpassemail', { identifier: username }, '203.0.113.40');
  const reset = linkIn(await server.mailTo(fresh, 'Reset your password'));
  const token = new URL(reset).searchParams.get('token');
  await post(server, `/api/auth/resetpassword?token=${token}`, { newPassword: 'a new secret' }, '203.0.113.40', 'PUT');
  await post(server, '/api/auth/login', { identifier: username, password: 'a wrong secret' }, '203.0.113.40');
  const idToken = await google.token({ email: 'log@example.com', email_verified: true, name: 'Log' });
  await post(server, '/api/oauth/google', { idToken }, '203.0.113.40');
  await post(
    server,
    '/api/users/create',
    { username, email: 'dup@example.com', password: 'long enough' },
    '203.0.113.40',
  );
  await server.fetch('/api/workouts/gettracking?tz=secret-query');
  const text = server.logged.join('');
  const secrets = [
    email,
    fresh,
    password,
    'a new secret',
    'a wrong secret',
    pushToken,
    token,
    idToken,
    'eyJ',
    '@example.com',
    'secret-query',
    '203.0.113',
  ];
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).toContain('/api/auth/resetpassword');
});
