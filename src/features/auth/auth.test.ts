import { createSecretKey } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { describe, expect } from 'vitest';
import { newPhone, type Phone, signUp, type Tokens } from '#tests/helpers/person.ts';
import { makeProof, proofKey } from '#tests/helpers/proof.ts';
import { linkIn, startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';

const GRACE_SECONDS = 1;
const PROFILE = '/api/users/get';

const it = withServer({ env: { REFRESH_GRACE_SEC: String(GRACE_SECONDS) } })
  .extend('phone', ({ server }) => newPhone(server))
  .extend('tokens', ({ phone }) => phone.tokens());

const json = (body: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'dpop-key-binding': proofKey().thumbprint },
  body: JSON.stringify(body),
});
const create = (server: TestServer, form: object) => server.fetch('/api/users/create', json(form));
const logIn = (server: TestServer, identifier: string, password: string) =>
  server.fetch('/api/auth/login', json({ identifier, password }));
const problem = async (response: Response) => {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return [response.status, code, message];
};
const session = async (server: TestServer, id: string) =>
  (
    await server.sql<{ tv: string; se: string; ra: Date | null; used: boolean }>(
      `select u.token_version as tv, u.session_epoch as se, u.refresh_rotated_at as ra, u.token_version_used as used
       from users u where u.id = $1`,
      [id],
    )
  )[0];

describe('registration', () => {
  const good = { username: 'lea_p', fullName: 'Lea Park', email: ' Lea.P@Example.com ', password: 'long enough' };

  it('answers with the account and sends a mail whose link verifies it', async ({ server }) => {
    const response = await create(server, { ...good, gender: 'Female' });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      message: 'User created successfully!',
      user: {
        id: expect.any(String),
        username: 'lea_p',
        name: 'Lea Park',
        email: 'lea.p@example.com',
        gender: 'Female',
        role: 'User',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    });
    expect(await problem(await logIn(server, 'lea_p', good.password))).toEqual([
      401,
      'EMAIL_NOT_VERIFIED',
      'You need to verify your account',
    ]);
    const mail = await server.mailTo('lea.p@example.com');
    expect(mail.subject).toBe('Confirm your Strong Together account');
    const link = linkIn(mail);
    expect(link.startsWith(`${server.url}/api/auth/verify?token=`)).toBe(true);
    // Mail scanners open links first: the second visit succeeds too (ID12).
    for (const visit of [await fetch(link), await fetch(link)]) {
      expect(visit.status).toBe(200);
      expect(visit.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(visit.headers.get('cache-control')).toBe('no-store');
      const page = await visit.text();
      expect(page).toContain("You're verified");
      expect(page).toContain('href="/app"'); // for those without the app
    }
    expect((await logIn(server, 'lea_p', good.password)).status).toBe(200);
  });

  it('fills in what may be absent', async ({ server }) => {
    for (const [index, blank] of [{}, { fullName: null, gender: null }, { fullName: '', gender: '' }].entries()) {
      const response = await create(server, {
        username: `blank_${index}`,
        email: `blank${index}@example.com`,
        password: '12345678',
        ...blank,
      });
      expect(response.status).toBe(201);
      expect(((await response.json()) as { user: object }).user).toMatchObject({ name: 'User', gender: 'Unknown' });
    }
  });

  it.for<[object, string]>([
    [{ username: 'ab' }, 'Username must be at least 3 characters'],
    [{ username: 'x'.repeat(16) }, 'Username must be at most 15 characters'],
    [{ username: 'a.b.c' }, 'Username may contain letters, numbers, and underscore only'],
    [{ username: undefined }, 'Username must be at least 3 characters'],
    [{ fullName: 'x'.repeat(21) }, 'Full name is too long'],
    [{ fullName: 'R2D2' }, 'Full name may contain letters and spaces only'],
    [{ email: 'nobody' }, 'Invalid email format'],
    [{ password: '1234567' }, 'Password must be at least 8 characters long'],
    [{ password: 'x'.repeat(73) }, 'Password must be at most 72 bytes long'],
    [{ password: 'é'.repeat(37) }, 'Password must be at most 72 bytes long'],
    [{ gender: 'Robot' }, 'Invalid gender'],
  ])('refuses %o', async ([change, message], { server }) => {
    const [before] = await server.sql('select count(*) from users');
    expect(
      await problem(await create(server, { ...good, username: 'fresh', email: 'f@example.com', ...change })),
    ).toEqual([400, 'VALIDATION_FAILED', message]);
    expect(await server.sql('select count(*) from users')).toEqual([before]);
  });

  it('refuses a name or an address that is taken, in any case (ID11)', async ({ server }) => {
    const { username, email } = await signUp(server);
    for (const taken of [
      { username: username.toUpperCase(), email: 'new1@example.com' },
      { username: 'brand_new', email: email.toUpperCase() },
    ]) {
      expect(await problem(await create(server, { ...taken, password: 'long enough' }))).toEqual([
        400,
        'USER_EXISTS',
        'User already exists',
      ]);
    }
  });

  it('fifty at a time with one name make one account', async ({ server }) => {
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        create(server, {
          username: n % 2 ? 'Racer' : 'rACER',
          email: `racer${n}@example.com`,
          password: 'long enough',
        }),
      ),
    );
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 400)).toHaveLength(49);
  });

  it('has reminder settings and one outbox entry in the same transaction', async ({ server }) => {
    const email = 'settings@example.com';
    expect((await create(server, { username: 'settings', email, password: 'long enough' })).status).toBe(201);
    expect((await fetch(linkIn(await server.mailTo(email)))).status).toBe(200);
    const [{ id } = {}] = await server.sql('select id from users where email = $1', [email]);
    expect(await server.sql('select timezone from user_reminder_settings where user_id = $1', [id])).toHaveLength(1);
    expect(await server.sql('select status from outbox where user_id = $1', [id])).toEqual([{ status: 'sent' }]);
  });
});

describe('the verification link', () => {
  const visit = (server: TestServer, token: string | undefined) =>
    fetch(`${server.url}/api/auth/verify${token === undefined ? '' : `?token=${token}`}`);
  const signed = (
    server: TestServer,
    claims: object,
    secret = server.config.secrets.JWT_VERIFY_SECRET,
    expires = '1h',
  ) =>
    new SignJWT({ typ: 'email-verify', email: 'x@example.com', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('9954f1f0-0000-4000-8000-000000000000')
      .setIssuer('strong-together')
      .setExpirationTime(expires)
      .sign(createSecretKey(Buffer.from(secret)));

  it.for<[string, (server: TestServer) => Promise<string | undefined>, number]>([
    ['without a token', async () => undefined, 400],
    ['with wrong claims', (server) => signed(server, { typ: 'forgot-pass' }), 400],
    ['forged', (server) => signed(server, {}, 'x'.repeat(32)), 401],
    ['expired', (server) => signed(server, {}, undefined, '-1s'), 401],
    ['of an unknown user', (server) => signed(server, {}), 401],
    ['that is an access token (ID21)', async (server) => (await (await newPhone(server)).tokens()).accessToken, 401],
  ])('%s shows a failure page', async ([_, token, status], { server }) => {
    const response = await visit(server, await token(server));
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('Verification Failed');
  });

  it('proves one address: after a change it is dead (ID4)', async ({ server }) => {
    const [username, email] = ['moved_on', 'before@example.com'];
    await create(server, { username, email, password: 'long enough' });
    const link = linkIn(await server.mailTo(email));
    await server.sql('update users set email = $1 where username = $2', ['after@example.com', username]);
    expect((await fetch(link)).status).toBe(401);
    expect(await server.sql('select is_verified from users where username = $1', [username])).toEqual([
      { is_verified: false },
    ]);
  });
});

describe('login', () => {
  it('finds name and address in any case, with a space behind (ID11)', async ({ server }) => {
    const { id, username, email, password } = await signUp(server);
    for (const identifier of [`${username.toUpperCase()} `, ` ${email.toUpperCase()}`]) {
      const response = await logIn(server, identifier, password);
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toEqual({
        message: 'Login successful',
        user: id,
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
      });
    }
  });

  it('answers an unknown user like a wrong password', async ({ server }) => {
    const { username } = await signUp(server);
    const refused = [401, 'INVALID_CREDENTIALS', 'Invalid credentials'];
    expect(await problem(await logIn(server, username, 'wrong password'))).toEqual(refused);
    expect(await problem(await logIn(server, 'nobody_here', 'wrong password'))).toEqual(refused);
    expect(await problem(await logIn(server, 'system_bot', 'wrong password'))).toEqual(refused);
  });

  it('refuses a password of 72 bytes with one more behind it (ID19)', async ({ server }) => {
    const password = 'p'.repeat(72);
    await create(server, { username: 'long_pass', email: 'long@example.com', password });
    await fetch(linkIn(await server.mailTo('long@example.com')));
    expect((await logIn(server, 'long_pass', password)).status).toBe(200);
    expect((await logIn(server, 'long_pass', `${password}x`)).status).toBe(401);
  });

  it.for(['', 'ab', 'not an identifier!', undefined, 5])(
    'refuses the identifier %o',
    async (identifier, { server }) => {
      expect(await problem(await logIn(server, identifier as string, 'x'))).toEqual([
        400,
        'VALIDATION_FAILED',
        'Must be a valid email or username',
      ]);
    },
  );

  it('twenty first logins at a time write one welcome (DA10)', async ({ server }) => {
    await create(server, {
      username: 'welcome_me',
      fullName: 'Noa Bar',
      email: 'noa@example.com',
      password: 'long enough',
    });
    await fetch(linkIn(await server.mailTo('noa@example.com')));
    const logins = await Promise.all(Array.from({ length: 20 }, () => logIn(server, 'welcome_me', 'long enough')));
    expect(logins.every(({ status }) => status === 200)).toBe(true);
    expect(
      await server.sql(
        `select m.subject, s.username from messages m join users r on r.id = m.receiver_id
         join users s on s.id = m.sender_id where r.username = 'welcome_me'`,
      ),
    ).toEqual([{ subject: 'Welcome to Strong Together, Noa!', username: 'system_bot' }]);
  });
});

it('a user id of any form that PostgreSQL takes can sign in', async ({ server }) => {
  const id = '11111111-1111-1111-1111-111111111111';
  const phone = await newPhone(server, id);
  expect((await phone.login()).status).toBe(200);
  expect((await phone.get(PROFILE, (await phone.tokens()).accessToken)).status).toBe(200);
});

describe('the session (behaviour 0.7)', () => {
  const rotate = async (phone: Phone, refreshToken: string) => {
    const response = await phone.refresh(refreshToken);
    expect(response.status).toBe(200);
    return (await response.json()) as Tokens;
  };
  const LOGIN_REQUIRED = [401, 'LOGIN_REQUIRED', 'New login required'];

  it('a login elsewhere ends it', async ({ server, phone, tokens }) => {
    const before = await session(server, phone.id);
    await phone.tokens();
    const after = await session(server, phone.id);
    expect([Number(after?.tv), Number(after?.se), after?.ra]).toEqual([
      Number(before?.tv) + 1,
      Number(before?.se) + 1,
      null,
    ]);
    expect(await problem(await phone.get(PROFILE, tokens.accessToken))).toEqual(LOGIN_REQUIRED);
    expect(await problem(await phone.refresh(tokens.refreshToken))).toEqual(LOGIN_REQUIRED);
  });

  it('a refresh rotates it and keeps the sockets', async ({ server, phone, tokens }) => {
    const before = await session(server, phone.id);
    const response = await phone.refresh(tokens.refreshToken);
    expect(await response.json()).toEqual({
      message: 'Access token refreshed',
      userId: phone.id,
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const after = await session(server, phone.id);
    expect([Number(after?.tv), after?.se, after?.used]).toEqual([Number(before?.tv) + 1, before?.se, false]);
    expect(await problem(await phone.get(PROFILE, tokens.accessToken))).toEqual(LOGIN_REQUIRED);
  });

  it('fifty refreshes at a time rotate once, and every answer works (ID22)', async ({ server, phone, tokens }) => {
    const before = await session(server, phone.id);
    const answers = await Promise.all(Array.from({ length: 50 }, () => phone.refresh(tokens.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(Number((await session(server, phone.id))?.tv)).toBe(Number(before?.tv) + 1);
    const pairs = (await Promise.all(answers.map((answer) => answer.json()))) as Tokens[];
    for (const { accessToken } of pairs.slice(0, 5)) {
      expect((await phone.get(PROFILE, accessToken)).status).toBe(200);
    }
    for (const { refreshToken } of pairs.slice(5, 10)) await rotate(phone, refreshToken);
  });

  it('a lost answer signs nobody out; a used one does (ID23)', async ({ server, phone, tokens }) => {
    const lost = await rotate(phone, tokens.refreshToken);
    expect(lost.refreshToken).toBeTruthy();
    await pause(GRACE_SECONDS * 1000 + 200);
    const again = await rotate(phone, tokens.refreshToken);
    expect((await phone.get(PROFILE, again.accessToken)).status).toBe(200);
    await server.sql("update users set refresh_rotated_at = refresh_rotated_at - interval '10 s' where id = $1", [
      phone.id,
    ]);
    expect(await problem(await phone.refresh(tokens.refreshToken))).toEqual(LOGIN_REQUIRED);
    // ... which harms nobody: the session goes on.
    expect((await phone.get(PROFILE, again.accessToken)).status).toBe(200);
  });

  it('a token two versions back is dead even within the grace', async ({ phone, tokens }) => {
    const second = await rotate(phone, tokens.refreshToken);
    await rotate(phone, second.refreshToken);
    expect(await problem(await phone.refresh(tokens.refreshToken))).toEqual(LOGIN_REQUIRED);
  });

  it('there is no grace after a login', async ({ phone, tokens }) => {
    await phone.tokens();
    expect(await problem(await phone.refresh(tokens.refreshToken))).toEqual(LOGIN_REQUIRED);
  });

  it('a foreign key gets nothing and harms nobody', async ({ server, phone, tokens }) => {
    const thief = proofKey();
    const response = await phone.refresh(tokens.refreshToken, thief);
    expect(response.headers.get('www-authenticate')).toBe('DPoP error="invalid_token", algs="ES256"');
    expect(await problem(response)).toEqual([401, 'DPOP_KEY_MISMATCH', 'Proof-of-Possession failed (JKT mismatch).']);
    expect((await phone.get(PROFILE, tokens.accessToken)).status).toBe(200);
    expect(await server.sql('select kind from security_events where user_id = $1', [phone.id])).toEqual([
      { kind: 'refresh-by-foreign-key' },
    ]);
  });

  it('refresh names what is wrong', async ({ server, phone, tokens }) => {
    const headers = () => ({ dpop: makeProof(phone.key, `POST ${server.url}/api/auth/refresh`) });
    const post = (extra: Record<string, string>) =>
      server.fetch('/api/auth/refresh', { method: 'POST', headers: extra });
    expect(await problem(await post({ 'x-refresh-token': tokens.refreshToken }))).toEqual([
      401,
      'DPOP_PROOF_MISSING',
      'DPoP proof is missing in the request.',
    ]);
    expect(await problem(await post(headers()))).toEqual([401, 'REFRESH_TOKEN_MISSING', 'No refresh token provided']);
    const invalid = [401, 'REFRESH_TOKEN_INVALID', 'Invalid or expired refresh token'];
    for (const token of ['nonsense', tokens.accessToken]) {
      expect(await problem(await post({ ...headers(), 'x-refresh-token': `DPoP ${token}` }))).toEqual(invalid);
    }
    const unbound = await new SignJWT({ typ: 'refresh', id: phone.id, role: 'User', tokenVer: 1 })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(createSecretKey(Buffer.from(server.config.secrets.JWT_REFRESH_SECRET)));
    expect(await problem(await post({ ...headers(), 'x-refresh-token': unbound }))).toEqual(invalid);
  });

  it('an older token without typ, its version written as text, still works', async ({ server, phone }) => {
    await phone.tokens();
    const state = await session(server, phone.id);
    const old = await new SignJWT({
      id: phone.id,
      role: 'User',
      tokenVer: state?.tv,
      cnf: { jkt: phone.key.thumbprint },
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(createSecretKey(Buffer.from(server.config.secrets.JWT_REFRESH_SECRET)));
    expect((await phone.refresh(old)).status).toBe(200);
  });

  it('logout ends it whatever the header says, and clears the push token (ID6)', async ({ server, phone, tokens }) => {
    await server.sql('update users set push_token = $2 where id = $1', [phone.id, `ExponentPushToken[${phone.id}]`]);
    const response = await phone.post('/api/auth/logout', tokens.accessToken, undefined, {
      'x-refresh-token': 'Bearer x',
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ message: 'Logged out successfully' });
    expect(await problem(await phone.get(PROFILE, tokens.accessToken))).toEqual(LOGIN_REQUIRED);
    expect(await problem(await phone.refresh(tokens.refreshToken))).toEqual(LOGIN_REQUIRED);
    expect(await server.sql('select push_token from users where id = $1', [phone.id])).toEqual([{ push_token: null }]);
  });

  it("logout with another person's refresh token is forbidden and changes nothing (ID6)", async ({
    server,
    phone,
    tokens,
  }) => {
    const other = await newPhone(server);
    const theirs = await other.tokens();
    const response = await phone.post(
      '/api/auth/logout',
      tokens.accessToken,
      {},
      {
        'x-refresh-token': `Bearer ${theirs.refreshToken}`,
      },
    );
    expect(await problem(response)).toEqual([403, 'FORBIDDEN', 'Refresh token belongs to another user']);
    expect((await phone.get(PROFILE, tokens.accessToken)).status).toBe(200);
    expect((await other.get(PROFILE, theirs.accessToken)).status).toBe(200);
  });

  it('of an unverified or deleted person is refused', async ({ server, phone, tokens }) => {
    await server.sql('update users set is_verified = false where id = $1', [phone.id]);
    expect(await problem(await phone.get(PROFILE, tokens.accessToken))).toEqual([
      401,
      'EMAIL_NOT_VERIFIED',
      'A validation email is pending.',
    ]);
    await server.sql('delete from users where id = $1', [phone.id]);
    expect(await problem(await phone.get(PROFILE, tokens.accessToken))).toEqual(LOGIN_REQUIRED);
  });
});

describe('with DPOP_ENABLED=false (PO4)', () => {
  it('needs no header of DPoP anywhere', async () => {
    const open = await startTestServer({ env: { DPOP_ENABLED: 'false' } });
    try {
      const body = { username: 'plain_joe', email: 'joe@example.com', password: 'long enough' };
      await open.fetch('/api/users/create', json(body));
      await fetch(linkIn(await open.mailTo(body.email)));
      const login = await open.fetch('/api/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ identifier: body.username, password: body.password }),
      });
      const first = (await login.json()) as Tokens;
      for (const scheme of ['Bearer', 'DPoP']) {
        const headers = { authorization: `${scheme} ${first.accessToken}` };
        expect((await open.fetch(PROFILE, { headers })).status).toBe(200);
      }
      const refresh = await open.fetch('/api/auth/refresh', {
        method: 'POST',
        headers: { 'x-refresh-token': `Bearer ${first.refreshToken}` },
      });
      expect(refresh.status).toBe(200);
    } finally {
      await open.close();
    }
  });
});

describe('limits (behaviour 0.6)', () => {
  it('five wrong passwords lock one address out, not the owner elsewhere; successes never count (AB5)', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
    try {
      const { username, password } = await signUp(limited);
      const from = (ip: string, secret: string, clientId = 'a') =>
        limited.fetch('/api/auth/login', {
          ...json({ identifier: username, password: secret }),
          headers: {
            'content-type': 'application/json',
            'dpop-key-binding': proofKey().thumbprint,
            'x-forwarded-for': ip,
            'x-client-id': clientId,
          },
        });
      for (let n = 0; n < 8; n++) expect((await from('203.0.113.1', password)).status).toBe(200);
      for (let n = 0; n < 5; n++) expect((await from('203.0.113.1', 'wrong', String(n))).status).toBe(401);
      const locked = await from('203.0.113.1', password, 'other');
      expect(await problem(locked)).toEqual([
        429,
        'RATE_LIMITED',
        "You've reached the maximum amount of login attempts per 15 minutes.",
      ]);
      expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(locked.headers.get('ratelimit-policy')).toBe('5;w=900');
      expect((await from('203.0.113.2', password)).status).toBe(200);
    } finally {
      await limited.close();
    }
  });

  it('a parallel spray of names from one address does not get past the limit by address', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
    try {
      const phone = await newPhone(limited);
      const guess = (identifier: string) =>
        limited.fetch('/api/auth/login', json({ identifier, password: 'wrong password' }));
      await Promise.all(Array.from({ length: 40 }, (_, n) => guess(`sprayed_${n}`)));
      expect((await phone.login()).status).toBe(429);
    } finally {
      await limited.close();
    }
  });

  it('tries with a foreign key are limited by who tries, and never cost the owner anything', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
    try {
      const phone = await newPhone(limited);
      const { refreshToken } = await phone.tokens();
      const thief = proofKey();
      const statuses: number[] = [];
      for (let n = 0; n < 32; n++) statuses.push((await phone.refresh(refreshToken, thief)).status);
      expect([statuses[29], statuses[30]]).toEqual([401, 429]);
      expect(await limited.sql('select count(*)::int as n from security_events')).toEqual([{ n: 30 }]);
      expect((await phone.refresh(refreshToken)).status).toBe(200);
    } finally {
      await limited.close();
    }
  });

  it('the general limit counts by address, never health, and never a good refresh (AB6)', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '40' } });
    try {
      const phone = await newPhone(limited);
      const { refreshToken } = await phone.tokens();
      let response = await limited.fetch('/');
      while (response.status === 200) response = await limited.fetch('/');
      expect(await problem(response)).toEqual([429, 'RATE_LIMITED', 'Too many requests.']);
      expect(response.headers.get('ratelimit-remaining')).toBe('0');
      expect((await limited.fetch('/health')).status).toBe(200);
      const elsewhere = await limited.fetch('/', { headers: { 'x-forwarded-for': '203.0.113.9' } });
      expect(elsewhere.headers.get('ratelimit-remaining')).toBe('39');
      expect((await phone.refresh(refreshToken)).status).toBe(200);
      expect((await phone.refresh('forged')).status).toBe(429);
    } finally {
      await limited.close();
    }
  });
});
