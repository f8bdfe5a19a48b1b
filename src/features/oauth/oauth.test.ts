import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';

import { describe, expect } from 'vitest';
import { type FakeProvider, startProvider } from '#tests/fakes/identityProvider.ts';
import { newPhone, signUp } from '#tests/helpers/person.ts';
import { makeProof, type ProofKey, proofKey } from '#tests/helpers/proof.ts';
import { fixtures, linkIn, startTestServer, type TestServer } from '#tests/helpers/server.ts';
import { candidateUsername, joinedName } from './oauth.service.ts';

const it = fixtures
  .extend('google', { scope: 'file' }, ({ untilEnd }) =>
    untilEnd(startProvider('https://accounts.google.com', 'google-app')),
  )
  .extend('apple', { scope: 'file' }, ({ untilEnd }) =>
    untilEnd(startProvider('https://appleid.apple.com', 'apple-app')),
  )
  .extend('server', { scope: 'file' }, ({ untilEnd, google, apple }) =>
    untilEnd(
      startTestServer({
        env: {
          GOOGLE_JWKS_URL: google.url,
          APPLE_JWKS_URL: apple.url,
          GOOGLE_ALLOWED_AUDS: 'google-app,google-app-2',
          APPLE_ALLOWED_AUDS: 'apple-app',
        },
      }),
    ),
  )
  .extend('key', () => proofKey('phone'));

/** Claims to replace; undefined leaves one out. */
type Claims = Record<string, unknown>;

interface SignedIn {
  user: string;
  missingFields: string[] | null;
  accessToken: string;
  refreshToken: string | null;
}

const post = (server: TestServer, key: ProofKey, path: string, body: unknown) =>
  server.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dpop-key-binding': key.thumbprint },
    body: JSON.stringify(body),
  });
const withGoogle = async (server: TestServer, google: FakeProvider, key: ProofKey, claims: Claims) =>
  post(server, key, '/api/oauth/google', { idToken: await google.token(claims) });
const withApple = async (
  server: TestServer,
  apple: FakeProvider,
  key: ProofKey,
  claims: Claims,
  extra: object = {},
  rawNonce = 'nonce',
) =>
  post(server, key, '/api/oauth/apple', {
    idToken: await apple.token({ nonce: createHash('sha256').update('nonce').digest('hex'), ...claims }),
    rawNonce,
    ...extra,
  });
const signedIn = async (response: Response) => {
  expect(response.status).toBe(200);
  return (await response.json()) as SignedIn;
};
const problem = async (response: Response) => {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return [response.status, code, message];
};
const as = (server: TestServer, key: ProofKey, accessToken: string, method: string, path: string, body?: unknown) =>
  server.fetch(path, {
    method,
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: makeProof(key, `${method} ${server.url}${path}`, { accessToken }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const profile = async (server: TestServer, key: ProofKey, accessToken: string) =>
  (await as(server, key, accessToken, 'GET', '/api/users/get')).json() as Promise<Record<string, unknown>>;

describe('Google', () => {
  it('makes an account with a full session, a welcome, and reminder settings', async ({ server, google, key }) => {
    const answer = await signedIn(
      await withGoogle(server, google, key, {
        email: 'gina.doe@example.com',
        email_verified: true,
        name: "Gina O'Doe",
      }),
    );
    expect(answer).toEqual({
      message: 'Login successful',
      user: expect.any(String),
      missingFields: null,
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
    });
    expect(await profile(server, key, answer.accessToken)).toMatchObject({
      username: 'ginadoe',
      name: "Gina O'Doe",
      email: 'gina.doe@example.com',
      gender: 'Unknown',
      is_verified: true,
      auth_provider: 'google',
    });
    expect(await server.sql('select 1 from messages where receiver_id = $1', [answer.user])).toHaveLength(1);
    expect(await server.sql('select 1 from user_reminder_settings where user_id = $1', [answer.user])).toHaveLength(1);
  });

  it('twenty first sign-ins at a time are one person, and one welcome (DA10)', async ({ server, google, key }) => {
    const claims = { sub: randomUUID(), email: 'crowd@example.com', email_verified: true, name: 'Crowd' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => withGoogle(server, google, key, claims)));
    const people = await Promise.all(answers.map(signedIn));
    expect(new Set(people.map(({ user }) => user)).size).toBe(1);
    expect(await server.sql('select 1 from messages where receiver_id = $1', [people[0]?.user])).toHaveLength(1);
  });

  it.for<[string, () => object, unknown[]]>([
    ['no token', () => ({}), [400, 'VALIDATION_FAILED', 'Missing google id token']],
    ['nonsense', () => ({ idToken: 'a.b.c' }), [401, 'INVALID_ID_TOKEN', 'Invalid Google ID token']],
  ])('refuses %s (ID17)', async ([_, body, expected], { server, key }) => {
    expect(await problem(await post(server, key, '/api/oauth/google', body()))).toEqual(expected);
  });

  it.for<[string, Claims, unknown[]]>([
    ['another audience', { aud: 'other-app' }, [400, 'INVALID_AUDIENCE', 'Invalid audience for Google ID token']],
    ['another issuer', { iss: 'https://evil.example' }, [401, 'INVALID_ID_TOKEN', 'Invalid Google ID token']],
    ['an expired token', { exp: 1 }, [401, 'INVALID_ID_TOKEN', 'Invalid Google ID token']],
    ['a token without expiry', { exp: undefined }, [401, 'INVALID_ID_TOKEN', 'Invalid Google ID token']],
  ])('refuses %s', async ([_, claims, expected], { server, google, key }) => {
    expect(
      await problem(await withGoogle(server, google, key, { email: 'x@example.com', email_verified: true, ...claims })),
    ).toEqual(expected);
  });

  it('refuses a token that an access token or another provider signed (ID21)', async ({ server, apple, key }) => {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    for (const idToken of [accessToken, await apple.token({ iss: 'https://accounts.google.com', aud: 'google-app' })]) {
      expect((await post(server, key, '/api/oauth/google', { idToken })).status).toBe(401);
    }
  });

  it('an address that cannot be stored counts as absent (ID17)', async ({ server, google, key }) => {
    for (const email of [`${'x'.repeat(250)}@example.com`, 'a\u0000b@example.com', 'no address']) {
      expect(
        await signedIn(await withGoogle(server, google, key, { email, email_verified: true, name: 'Odd' })),
      ).toMatchObject({
        missingFields: ['email'],
      });
    }
  });

  it('needs the key binding', async ({ server, google }) => {
    const idToken = await google.token({ email: 'bind@example.com', email_verified: true });
    const response = await server.fetch('/api/oauth/google', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ idToken }),
    });
    expect(await problem(response)).toEqual([400, 'DPOP_BINDING_MISSING', expect.any(String)]);
  });
});

describe('the provider keys', () => {
  it('are fetched again for an unknown key id, and the last ones serve while the provider is down', async ({ key }) => {
    const fresh = await startProvider('https://accounts.google.com', 'google-app');
    const own = await startTestServer({ env: { GOOGLE_JWKS_URL: fresh.url, GOOGLE_ALLOWED_AUDS: 'google-app' } });
    const sign = async (idToken: string) =>
      own.fetch('/api/oauth/google', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'dpop-key-binding': key.thumbprint },
        body: JSON.stringify({ idToken }),
      });
    try {
      fresh.isDown = true;
      const response = await sign(await fresh.token({}));
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      fresh.isDown = false;
      expect((await sign(await fresh.token({ name: 'A' }))).status).toBe(200);
      const fetched = fresh.fetched;
      expect((await sign(await fresh.token({ name: 'A' }))).status).toBe(200);
      expect(fresh.fetched).toBe(fetched);
      fresh.isDown = true;
      expect((await sign(await fresh.token({ name: 'A' }))).status).toBe(200);
      fresh.isDown = false;
      await fresh.rotate();
      await new Promise((done) => setTimeout(done, 2_100)); // unknown ids cause a fetch every two seconds at most
      expect((await sign(await fresh.token({ name: 'A' }))).status).toBe(200);
    } finally {
      await own.close();
      await fresh.close();
    }
  });
});

describe('linking (ID1, ID2, ID7)', () => {
  it('pre-registration, then the proven owner: the owner gets in, the registrant never again (ID1)', async ({
    server,
    google,
    key,
  }) => {
    const email = 'victim@example.com';
    const attacker = { username: 'attacker', email, password: 'attacker password' };
    await post(server, key, '/api/users/create', attacker);
    const oldLink = linkIn(await server.mailTo(email));
    const victim = await signedIn(
      await withGoogle(server, google, key, { email: 'Victim@Example.com', email_verified: true, name: 'Vic Tim' }),
    );
    expect(await profile(server, key, victim.accessToken)).toMatchObject({
      email,
      name: 'Vic Tim',
      auth_provider: 'google',
      is_verified: true,
    });
    expect(
      (await post(server, key, '/api/auth/login', { identifier: 'attacker', password: attacker.password })).status,
    ).toBe(401);
    const change = await server.fetch('/api/auth/changeemailverify', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'attacker', password: attacker.password, newEmail: 'attacker@example.com' }),
    });
    expect(change.status).toBe(401);
    expect((await fetch(oldLink)).status).toBe(200); // proves an address that is verified already, and nothing else
    expect(
      await server.sql("select kind from security_events where user_id = $1 and kind = 'account-taken-over'", [
        victim.user,
      ]),
    ).toHaveLength(1);
  });

  it('a take-over drops links that somebody else had put on the row', async ({ server, google, apple, key }) => {
    await post(server, key, '/api/users/create', {
      username: 'squatted',
      email: 'squat@example.com',
      password: 'long enough',
    });
    const [row] = await server.sql("select id from users where username = 'squatted'");
    const sub = randomUUID();
    await server.sql("insert into oauth_accounts (user_id, provider, provider_user_id) values ($1, 'apple', $2)", [
      row?.id,
      sub,
    ]);
    const owner = await signedIn(
      await withGoogle(server, google, key, { email: 'squat@example.com', email_verified: true, name: 'Owner' }),
    );
    const stranger = await signedIn(await withApple(server, apple, key, { sub }));
    expect(stranger.user).not.toBe(owner.user);
  });

  it('a verified account keeps its password, and both ways work, also after a reset (ID7)', async ({
    server,
    google,
    key,
  }) => {
    const person = await signUp(server);
    const linked = await signedIn(
      await withGoogle(server, google, key, { email: person.email, email_verified: true, name: 'Somebody Else' }),
    );
    expect(linked.user).toBe(person.id);
    expect(await profile(server, key, linked.accessToken)).toMatchObject({ name: 'Dana Kay', auth_provider: 'app' });
    expect(
      (await post(server, key, '/api/auth/login', { identifier: person.username, password: person.password })).status,
    ).toBe(200);
    await post(server, key, '/api/auth/forgotpassemail', { identifier: person.email });
    const token = new URL(linkIn(await server.mailTo(person.email, 'Reset your password'))).searchParams.get('token');
    const reset = await server.fetch(`/api/auth/resetpassword?token=${token}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ newPassword: 'another password' }),
    });
    expect(reset.status).toBe(200);
    expect(
      (await post(server, key, '/api/auth/login', { identifier: person.username, password: 'another password' }))
        .status,
    ).toBe(200);
  });

  it('an address that the provider does not call verified links nothing (ID2)', async ({ server, google, key }) => {
    const person = await signUp(server);
    for (const email_verified of [false, undefined, 'false', 1]) {
      const other = await signedIn(
        await withGoogle(server, google, key, { email: person.email, email_verified, name: 'Eve' }),
      );
      expect(other.user).not.toBe(person.id);
      expect(other).toMatchObject({ missingFields: ['email'], refreshToken: null });
    }
  });

  it("Apple's body e-mail is never trusted or stored (ID2)", async ({ server, google, apple, key }) => {
    const victim = 'apple.victim@example.com';
    const attacker = await signedIn(
      await withApple(server, apple, key, {}, { email: victim, name: { givenName: 'Eve', familyName: null } }),
    );
    const owner = await signedIn(
      await withGoogle(server, google, key, { email: victim, email_verified: true, name: 'Owner' }),
    );
    expect(owner.user).not.toBe(attacker.user);
    expect(await server.sql('select id from users where email = $1 or pending_email = $1', [victim])).toEqual([
      { id: owner.user },
    ]);
  });
});

describe('Apple', () => {
  it('takes "true" for true, and a name is never missing (ID15)', async ({ server, apple, key }) => {
    const email = 'apple.one@example.com';
    const answer = await signedIn(await withApple(server, apple, key, { email, email_verified: 'true' }));
    expect(answer.missingFields).toBe(null);
    expect(await profile(server, key, answer.accessToken)).toMatchObject({
      name: 'appleone',
      username: 'appleone',
      email,
    });
  });

  it.for([
    ['no token', { rawNonce: 'x' }, 'Missing or invalid Apple identityToken'],
    ['no nonce', { idToken: 'x' }, 'Missing rawNonce'],
  ])('refuses %s', async ([_, body, message], { server, key }) => {
    expect(await problem(await post(server, key, '/api/oauth/apple', body))).toEqual([
      400,
      'VALIDATION_FAILED',
      message,
    ]);
  });

  it.for<[string, Claims, string]>([
    ['another nonce', {}, 'other nonce'],
    ['another audience', { aud: 'x' }, 'nonce'],
    ['another issuer', { iss: 'x' }, 'nonce'],
    ['an expired token', { exp: 1 }, 'nonce'],
    ['a token without nonce', { nonce: undefined }, 'nonce'],
  ])('refuses %s', async ([_, claims, rawNonce], { server, apple, key }) => {
    expect(await problem(await withApple(server, apple, key, claims, {}, rawNonce))).toEqual([
      401,
      'INVALID_ID_TOKEN',
      'Invalid Apple identity token',
    ]);
  });

  it('joins what is usable of a name', () => {
    expect(joinedName(['Ana', null])).toBe('Ana');
    expect(joinedName([' Ana ', 'Óscar-Pérez'])).toBe('Ana scar-Prez');
    expect(joinedName(['דנה', undefined])).toBe(null);
    expect(joinedName([null, ''])).toBe(null);
    expect(joinedName(['null', 'undefined'])).toBe(null);
    expect(joinedName(['Ana\nBcc', 'B\u00a0C'])).toBe('Ana Bcc B C');
  });
});

describe('completing a profile (ID10, ID14, ID18)', () => {
  it('a missing address: required, pending, then a full session', async ({ server, google, key }) => {
    const started = await signedIn(await withGoogle(server, google, key, { name: 'No Mail' }));
    expect(started).toMatchObject({ missingFields: ['email'], refreshToken: null });
    expect(await server.sql('select 1 from messages where receiver_id = $1', [started.user])).toEqual([]);
    expect(await problem(await as(server, key, started.accessToken, 'POST', '/api/oauth/proceedauth'))).toEqual([
      409,
      'PROFILE_INCOMPLETE',
      'Profile not completed yet',
    ]);
    expect(
      await problem(
        await as(server, key, started.accessToken, 'PUT', '/api/users/updateself', { setCompletedOnOAuth: true }),
      ),
    ).toEqual([400, 'EMAIL_REQUIRED', 'Email is required']);
    const update = await as(server, key, started.accessToken, 'PUT', '/api/users/updateself', {
      setCompletedOnOAuth: true,
      email: 'typed@example.com',
    });
    expect(await update.json()).toMatchObject({ emailChanged: true, user: { email: null } });
    const proceeded = await as(server, key, started.accessToken, 'POST', '/api/oauth/proceedauth');
    const session = (await proceeded.json()) as SignedIn;
    expect(session).toEqual({
      message: 'Login successful',
      user: started.user,
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
    });
    expect(await profile(server, key, session.accessToken)).toMatchObject({ email: null, is_first_login: false });
    expect(await server.sql('select 1 from messages where receiver_id = $1', [started.user])).toHaveLength(1);
    expect((await as(server, key, started.accessToken, 'GET', '/api/users/get')).status).toBe(401);
    const confirmation = await fetch(linkIn(await server.mailTo('typed@example.com')));
    expect([confirmation.status, await confirmation.text()]).toEqual([
      200,
      expect.stringContaining('Email Changed Successfully'),
    ]);
    expect(await profile(server, key, session.accessToken)).toMatchObject({ email: 'typed@example.com' });
  });

  it('a name that the app cannot show: the bare flag completes it with the username', async ({
    server,
    google,
    key,
  }) => {
    const started = await signedIn(
      await withGoogle(server, google, key, { email: 'dana.hebrew@example.com', email_verified: true, name: 'דנה' }),
    );
    expect(started.missingFields).toEqual(['name']);
    const update = await as(server, key, started.accessToken, 'PUT', '/api/users/updateself', {
      setCompletedOnOAuth: true,
    });
    expect(await update.json()).toMatchObject({ emailChanged: false, user: { name: 'danahebrew' } });
    expect((await as(server, key, started.accessToken, 'POST', '/api/oauth/proceedauth')).status).toBe(200);
  });

  it('without a linked sign-in there is nothing to proceed with (ID17)', async ({ server }) => {
    const phone = await newPhone(server);
    const response = await phone.post('/api/oauth/proceedauth', (await phone.tokens()).accessToken);
    expect(await problem(response)).toEqual([404, 'OAUTH_ACCOUNT_NOT_FOUND', 'No linked sign-in account']);
  });
});

describe('derived usernames (ID16)', () => {
  it('obey our own rules for any address', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.nat({ max: 30 }), (email, attempt) => {
        expect(candidateUsername(email, attempt)).toMatch(/^[a-z0-9_]{3,15}$/);
      }),
    );
    expect(candidateUsername(null, 0)).toMatch(/^user_[0-9a-f]{6}$/);
    expect(candidateUsername('gina.doe@example.com', 0)).toBe('ginadoe');
    expect(candidateUsername(`${'x'.repeat(40)}@example.com`, 3)).toBe(`${'x'.repeat(14)}3`);
  });

  it('are unique whatever the case, also at the same time', async ({ server, google, key }) => {
    await newPhone(server);
    await server.sql("insert into users (username) values ('KOBI')");
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        withGoogle(server, google, key, { email: `kobi@host${n}.example.com`, email_verified: true, name: 'Kobi' }),
      ),
    );
    const ids = (await Promise.all(answers.map(signedIn))).map(({ user }) => user);
    const rows = await server.sql<{ name: string }>('select lower(username) as name from users where id = any ($1)', [
      ids,
    ]);
    expect(new Set(rows.map((row) => row.name)).size).toBe(8);
  });
});
