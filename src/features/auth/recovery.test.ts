import { describe, expect, vi } from 'vitest';
import { newPhone, type SignedIn, signUp } from '#tests/helpers/person.ts';
import { proofKey } from '#tests/helpers/proof.ts';
import { linkIn, startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signUp(server));

const send = (server: TestServer, method: string, path: string, body?: unknown) =>
  server.fetch(path, {
    method,
    headers: { 'content-type': 'application/json', 'dpop-key-binding': proofKey().thumbprint },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const problem = async (response: Response) => {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return [response.status, code, message];
};
const logIn = async (server: TestServer, person: SignedIn, password: string, identifier = person.username) =>
  (await send(server, 'POST', '/api/auth/login', { identifier, password })).status;
const tokenIn = (link: string) => new URL(link).searchParams.get('token') ?? '';
/** Asks for a reset mail and reads the token in the newest one. */
async function resetToken(server: TestServer, person: SignedIn): Promise<string> {
  const before = (await server.mails(person.email, 'Reset your password')).length;
  expect((await send(server, 'POST', '/api/auth/forgotpassemail', { identifier: person.username })).status).toBe(204);
  const [mail] = await server.mails(person.email, 'Reset your password', before + 1);
  return tokenIn(linkIn(mail as never));
}
const reset = (server: TestServer, token: string, newPassword = 'brand new password') =>
  send(server, 'PUT', `/api/auth/resetpassword?token=${token}`, { newPassword });
const USED = [400, 'RESET_TOKEN_USED', 'URL already used or expired'];

const register = async (server: TestServer, username: string) => {
  const form = { username, email: `${username}@example.com`, password: 'long enough' };
  expect((await send(server, 'POST', '/api/users/create', form)).status).toBe(201);
  return form;
};

describe('password reset (ID5)', () => {
  it('sets the password once, ends every session, and tells the person', async ({ server, person }) => {
    const { accessToken } = person.client;
    const token = await resetToken(server, person);
    const response = await reset(server, token);
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    expect([await logIn(server, person, person.password), await logIn(server, person, 'brand new password')]).toEqual([
      401, 200,
    ]);
    expect(accessToken).toBeTruthy();
    await expect(person.client.call('GET', '/api/users/get')).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
    expect(await problem(await reset(server, token))).toEqual(USED);
    await server.mailTo(person.email, 'Your Strong Together password was changed');
    expect(
      await server.sql("select kind from security_events where user_id = $1 and kind <> 'login-failed'", [person.id]),
    ).toEqual([{ kind: 'password-reset' }]);
  });

  it('two links, one used: the other is dead; the same one in parallel: one success', async ({ server, person }) => {
    const [one, two] = [await resetToken(server, person), await resetToken(server, person)];
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, n) => reset(server, one, `parallel password ${n}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
    expect(await problem(await reset(server, two))).toEqual(USED);
  });

  it('a link is dead after the address changed', async ({ server, person }) => {
    const token = await resetToken(server, person);
    await server.sql("update users set email = 'elsewhere' || email where id = $1", [person.id]);
    expect(await problem(await reset(server, token))).toEqual(USED);
  });

  it.for<[string, string, unknown[]]>([
    ['short', '1234567', [400, 'VALIDATION_FAILED', 'Password must be at least 8 characters long']],
    ['73 bytes', 'x'.repeat(73), [400, 'VALIDATION_FAILED', 'Password must be at most 72 bytes long']],
  ])('a password that is %s consumes nothing (ID19)', async ([_, password, expected], { server, person }) => {
    const token = await resetToken(server, person);
    expect(await problem(await reset(server, token, password))).toEqual(expected);
    expect((await reset(server, token)).status).toBe(200);
  });

  it('refuses no token, nonsense, and every other kind of token (ID21)', async ({ server, person }) => {
    expect(await problem(await send(server, 'PUT', '/api/auth/resetpassword', { newPassword: 'long enough' }))).toEqual(
      [400, 'VALIDATION_FAILED', 'Missing token'],
    );
    const { email } = await register(server, 'other_token');
    const verification = tokenIn(linkIn(await server.mailTo(email, 'Confirm your Strong Together account')));
    for (const token of ['nonsense', verification, person.client.accessToken ?? '', person.client.refreshToken ?? '']) {
      expect(await problem(await reset(server, token))).toEqual([
        400,
        'RESET_TOKEN_INVALID',
        'Verification token is not valid',
      ]);
    }
    const forReset = await resetToken(server, person);
    expect((await fetch(`${server.url}/api/auth/verify?token=${forReset}`)).status).toBe(401);
    expect((await fetch(`${server.url}/api/users/changeemail?token=${forReset}`)).status).toBe(401);
  });

  it('never tells whether there is an account', async ({ server }) => {
    for (const identifier of ['nobody_at_all', 'nobody@example.com', 'system_bot']) {
      expect((await send(server, 'POST', '/api/auth/forgotpassemail', { identifier })).status).toBe(204);
    }
    expect(await problem(await send(server, 'POST', '/api/auth/forgotpassemail', { identifier: ' ' }))).toEqual([
      400,
      'VALIDATION_FAILED',
      'Please fill username or email',
    ]);
  });

  it('writes the same rows for an address without an account, and drops the mail', async ({ server, person }) => {
    const unverified = await register(server, 'unverified_one');
    await server.mailTo(unverified.email);
    const asked = [
      ['/api/auth/forgotpassemail', 'mail.reset', (email: string) => ({ identifier: email }), person.email],
      ['/api/auth/sendverificationemail', 'mail.verification', (email: string) => ({ email }), unverified.email],
    ] as const;
    for (const [path, kind, bodyFor, known] of asked) {
      for (const [email, outcome] of [
        [known, 'sent'],
        [`no_${known}`, 'dropped'],
      ] as const) {
        const before = (await server.sql('select id from outbox')).map(({ id }) => id);
        expect((await send(server, 'POST', path, bodyFor(email))).status).toBe(204);
        await vi.waitFor(async () => {
          const rows = await server.sql('select kind, status from outbox where id <> all ($1)', [before]);
          expect(rows).toEqual([{ kind, status: outcome }]);
        });
      }
    }
  });

  it('its page is one form with one script of its own', async ({ server }) => {
    const page = await fetch(`${server.url}/reset-password?token=x`, {
      headers: { accept: 'text/html', 'user-agent': 'Mozilla' },
    });
    expect([page.status, page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([
      200,
      'no-store',
      'no-referrer',
    ]);
    const text = await page.text();
    expect(text).toContain('<script src="/reset-password/page.js"></script>');
    expect((await fetch(`${server.url}/reset-password/page.js`, { headers: { 'user-agent': 'Mozilla' } })).status).toBe(
      200,
    );
  });
});

describe('verification mails', () => {
  it('are sent again to an unverified address in any case, never to a verified or unknown one', async ({
    server,
    person,
  }) => {
    const form = await register(server, 'resend_me');
    await server.mailTo(form.email);
    expect(
      (await send(server, 'POST', '/api/auth/sendverificationemail', { email: form.email.toUpperCase() })).status,
    ).toBe(204);
    expect(await server.mails(form.email, 'Confirm your Strong Together account', 2)).toHaveLength(2);
    for (const email of [person.email, 'unknown@example.com']) {
      expect((await send(server, 'POST', '/api/auth/sendverificationemail', { email })).status).toBe(204);
    }
    expect(await server.sql("select 1 from outbox where user_id = $1 and status = 'pending'", [person.id])).toEqual([]);
    expect((await send(server, 'POST', '/api/auth/sendverificationemail', {})).status).toBe(400);
  });

  it('a corrected address gets the mail, and the old link is dead (ID4)', async ({ server }) => {
    const form = await register(server, 'typo_made');
    const oldLink = linkIn(await server.mailTo(form.email));
    const change = { username: ' TYPO_made ', password: form.password, newEmail: ' Right@Example.com ' };
    expect((await send(server, 'PUT', '/api/auth/changeemailverify', change)).status).toBe(204);
    expect((await fetch(oldLink)).status).toBe(401);
    expect(await server.sql("select is_verified from users where username = 'typo_made'")).toEqual([
      { is_verified: false },
    ]);
    expect((await fetch(linkIn(await server.mailTo('right@example.com')))).status).toBe(200);
    // Verified now: the address changes only through its link (ID3).
    expect(
      await problem(
        await send(server, 'PUT', '/api/auth/changeemailverify', { ...change, newEmail: 'other@example.com' }),
      ),
    ).toEqual([400, 'ALREADY_VERIFIED', 'Account already verified']);
    expect(await server.sql("select email from users where username = 'typo_made'")).toEqual([
      { email: 'right@example.com' },
    ]);
  });

  it('a correction to the same address kills the earlier link too, and is recorded', async ({ server }) => {
    const form = await register(server, 'same_again');
    const oldLink = linkIn(await server.mailTo(form.email));
    expect((await send(server, 'PUT', '/api/auth/changeemailverify', { ...form, newEmail: form.email })).status).toBe(
      204,
    );
    expect((await fetch(oldLink)).status).toBe(401);
    const [newest] = await server.mails(form.email, 'Confirm your Strong Together account', 2);
    // Asking about a link has no effect; opening it has.
    const link = linkIn(newest as never);
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(404);
    expect(await server.sql("select is_verified from users where username = 'same_again'")).toEqual([
      { is_verified: false },
    ]);
    expect((await fetch(link)).status).toBe(200);
    expect(
      await server.sql(
        "select e.kind from security_events e join users u on u.id = e.user_id where u.username = 'same_again'",
      ),
    ).toEqual([{ kind: 'email-changed' }]);
  });

  it('another method on the path of a link is the JSON 404', async ({ server }) => {
    expect(await problem(await send(server, 'POST', '/api/auth/verify', {}))).toEqual([404, 'NOT_FOUND', 'Not found']);
  });

  it('a correction names what is wrong, in order', async ({ server, person }) => {
    const form = await register(server, 'wrong_ways');
    const change = (fields: object) =>
      send(server, 'PUT', '/api/auth/changeemailverify', { ...form, newEmail: 'new@example.com', ...fields });
    expect(await problem(await change({ password: '', newEmail: 'x' }))).toEqual([
      400,
      'VALIDATION_FAILED',
      'Username and password are required',
    ]);
    expect(await problem(await change({ newEmail: 'x' }))).toEqual([400, 'VALIDATION_FAILED', 'Invalid email format']);
    expect(await problem(await change({ password: 'wrong' }))).toEqual([
      401,
      'INVALID_CREDENTIALS',
      'Invalid credentials',
    ]);
    expect(await problem(await change({ username: 'nobody_x' }))).toEqual([
      401,
      'INVALID_CREDENTIALS',
      'Invalid credentials',
    ]);
    expect(await problem(await change({ newEmail: person.email }))).toEqual([
      409,
      'EMAIL_IN_USE',
      'Email already in use',
    ]);
  });

  it('the status is false for unknown users, and needs a name (IN6)', async ({ server, person }) => {
    const status = async (query: string) => (await server.fetch(`/api/auth/checkuserverify${query}`)).json();
    expect(await status(`?username=${person.username.toUpperCase()}`)).toEqual({ isVerified: true });
    expect(await status('?username=nobody_x')).toEqual({ isVerified: false });
    expect((await server.fetch('/api/auth/checkuserverify')).status).toBe(400);
  });
});

describe('the limits of mails (behaviour 0.6, AB1)', () => {
  it('count by target, whoever asks, whatever the headers say, and on two instances', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
    const second = await startTestServer({
      sharing: limited,
      env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' },
    });
    const ask = (to: TestServer, path: string, body: object, ip: string, method = 'POST') =>
      to.fetch(path, {
        method,
        headers: { 'content-type': 'application/json', 'x-forwarded-for': ip, 'x-client-id': ip },
        body: JSON.stringify(body),
      });
    try {
      const resend = (to: TestServer, email: string, ip: string) =>
        ask(to, '/api/auth/sendverificationemail', { email }, ip);
      expect((await resend(limited, 'a@example.com', '203.0.113.1')).status).toBe(204);
      const refused = await resend(second, 'A@example.com', '203.0.113.2');
      expect(await problem(refused)).toEqual([
        429,
        'RATE_LIMITED',
        "You've reached the maximum amount of requests per minute.",
      ]);
      expect(refused.headers.get('retry-after')).toBeTruthy();
      // Others behind one address are not locked out (AB2).
      for (let n = 0; n < 10; n++)
        expect((await resend(limited, `other${n}@example.com`, '203.0.113.1')).status).toBe(204);

      // The app asks for a mail right after it corrected the address: separate counters.
      const phone = await newPhone(limited);
      await limited.sql('update users set is_verified = false where id = $1', [phone.id]);
      const change = { username: phone.username, password: phone.password, newEmail: 'corrected@example.com' };
      expect((await ask(limited, '/api/auth/changeemailverify', change, '203.0.113.3', 'PUT')).status).toBe(204);
      expect((await resend(limited, 'corrected@example.com', '203.0.113.3')).status).toBe(204);
      const again = await ask(
        limited,
        '/api/auth/changeemailverify',
        { ...change, newEmail: 'third@example.com' },
        '203.0.113.4',
        'PUT',
      );
      expect(again.status).toBe(429);

      const forgot = (identifier: string) => ask(limited, '/api/auth/forgotpassemail', { identifier }, '203.0.113.5');
      expect((await forgot(phone.username)).status).toBe(204);
      const byAddress = await forgot('Corrected@example.com');
      // Counted by what was typed: a name and an address do not tell that they are one account.
      expect([byAddress.status, byAddress.headers.get('ratelimit-remaining')]).toEqual([204, '2']);
      expect((await forgot(phone.username)).status).toBe(204);
      expect((await forgot(phone.username)).status).toBe(429);
      // The account's own counter works in silence: two mails, not three.
      await limited.mails('corrected@example.com', 'Reset your password', 2);
      const asked = await limited.sql("select 1 from outbox where kind = 'mail.reset' and user_id = $1", [phone.id]);
      expect(asked).toHaveLength(2);
      for (let n = 0; n < 2; n++) expect((await forgot('nobody_there')).status).toBe(204);
      expect((await forgot('nobody_there')).status).toBe(429);
    } finally {
      await second.close();
      await limited.close();
    }
  });
});
