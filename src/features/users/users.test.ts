import { StrongTogetherClient } from '@strong-together/client';
import { describe, expect, vi } from 'vitest';
import { type FakeResend, startResend } from '#tests/fakes/resend.ts';
import { newPhone, type SignedIn, signUp } from '#tests/helpers/person.ts';
import { linkIn, startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signUp(server));

const update = (
  person: SignedIn,
  body: object,
  path: '/api/users/update' | '/api/users/updateself' = '/api/users/updateself',
) => person.client.call('PUT', path, { body });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'succeeded',
    ({ status, code }) => `${status} ${code}`,
  );
const confirm = async (server: TestServer, to: string) => {
  const response = await fetch(linkIn(await server.mailTo(to, 'Confirm your Strong Together Email')));
  return [response.status, /<h1>(.*)<\/h1>/.exec(await response.text())?.[1]];
};

const PROFILE_KEYS = [
  'auth_provider',
  'created_at',
  'email',
  'gender',
  'id',
  'is_first_login',
  'is_verified',
  'name',
  'profile_image_url',
  'role',
  'username',
];

describe('the profile', () => {
  it('has exactly the keys that the app reads (IS5)', async ({ person }) => {
    const profile = await person.client.call('GET', '/api/users/get');
    expect(Object.keys(profile).sort()).toEqual(PROFILE_KEYS);
    const { user } = await update(person, {});
    expect(Object.keys(user).sort()).toEqual(PROFILE_KEYS);
    expect(user).toEqual(profile);
  });

  it('changes by both paths', async ({ person }) => {
    const one = await update(person, { fullName: 'New Name' });
    expect(one).toMatchObject({
      message: 'User updated successfully',
      emailChanged: false,
      user: { name: 'New Name' },
    });
    const username = `n_${person.username}`.slice(0, 15);
    const two = await update(person, { username, nonsense: true, setCompletedOnOAuth: true }, '/api/users/update');
    expect(two.user).toMatchObject({ username, name: 'New Name' });
  });

  it.for([{ username: null }, { fullName: '' }, { fullName: 'R2D2' }, { email: 'x' }, { setCompletedOnOAuth: 'yes' }])(
    'refuses %o',
    async (body, { person }) => expect(await failure(update(person, body))).toBe('400 VALIDATION_FAILED'),
  );

  it('refuses a name or an address of somebody else', async ({ server, person }) => {
    const other = await newPhone(server);
    expect(await failure(update(person, { username: other.username.toUpperCase() }))).toBe(
      '409 USERNAME_OR_EMAIL_IN_USE',
    );
    expect(await failure(update(person, { email: `${other.username}@Example.com` }))).toBe(
      '409 USERNAME_OR_EMAIL_IN_USE',
    );
  });
});

describe('a new address (ID3, ID13)', () => {
  it('is pending until its link is opened; the session goes on; the old address is told', async ({
    server,
    person,
  }) => {
    const fresh = `new_${person.email}`;
    const changed = await update(person, { email: fresh.toUpperCase() });
    expect(changed).toMatchObject({ emailChanged: true, user: { email: person.email } });
    expect(await confirm(server, fresh)).toEqual([200, 'Email Changed Successfully']);
    expect(await confirm(server, fresh)).toEqual([200, 'Email Changed Successfully']);
    expect((await person.client.call('GET', '/api/users/get')).email).toBe(fresh);
    await server.mailTo(person.email, 'Your Strong Together Email was changed');
    expect(await server.sql('select kind from security_events where user_id = $1 order by id', [person.id])).toEqual([
      { kind: 'email-change-requested' },
      { kind: 'email-changed' },
    ]);
  });

  it('only the latest one can be confirmed', async ({ server, person }) => {
    await update(person, { email: `first_${person.email}` });
    const first = linkIn(await server.mailTo(`first_${person.email}`));
    await update(person, { email: `second_${person.email}` });
    expect((await fetch(first)).status).toBe(401);
    expect(await confirm(server, `second_${person.email}`)).toEqual([200, 'Email Changed Successfully']);
    expect((await fetch(first)).status).toBe(401);
  });

  it('the same address again is no change and no mail', async ({ server, person }) => {
    expect((await update(person, { email: person.email.toUpperCase() })).emailChanged).toBe(false);
    expect(await server.mails(person.email, 'Confirm your Strong Together Email')).toEqual([]);
  });

  it('taken meanwhile: 409, and the link works once the cause is gone (ID12)', async ({ server, person }) => {
    const wanted = `wanted_${person.email}`;
    await update(person, { email: wanted });
    const link = linkIn(await server.mailTo(wanted));
    await server.sql('insert into users (username, email) values ($1, $2)', [`x${person.username}`, wanted]);
    const refused = await fetch(link);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([409, 'text/html; charset=utf-8']);
    expect(await refused.text()).toContain('Email already in use');
    await server.sql('delete from users where username = $1', [`x${person.username}`]);
    expect((await fetch(link)).status).toBe(200);
  });

  it('of a deleted person, without a token, or with a foreign one is a failure page', async ({ server, person }) => {
    await update(person, { email: `gone_${person.email}` });
    const link = linkIn(await server.mailTo(`gone_${person.email}`));
    await person.client.call('DELETE', '/api/users/deleteself');
    expect((await fetch(link)).status).toBe(401);
    for (const query of ['', '?token=x'])
      expect((await fetch(`${server.url}/api/users/changeemail${query}`)).status).toBe(401);
  });
});

describe('the push token (IS4)', () => {
  const token = (person: SignedIn) => `ExponentPushToken[${person.username}]`;
  const owners = (server: TestServer, person: SignedIn) =>
    server.sql('select id from users where push_token = $1', [token(person)]);

  it('belongs to one person: the last who saved it', async ({ server, person }) => {
    await person.client.call('PUT', '/api/users/pushtoken', { body: { token: token(person) } });
    const other = await signUp(server);
    await other.client.call('PUT', '/api/users/pushtoken', { body: { token: token(person) } });
    expect(await owners(server, person)).toEqual([{ id: other.id }]);
  });

  it('changes hands at the same time without an error', async ({ server }) => {
    const phones = await Promise.all([1, 2, 3, 4].map(() => newPhone(server)));
    const clients = await Promise.all(
      phones.map(async ({ username, password }) => {
        const client = new StrongTogetherClient({ baseUrl: server.url });
        await client.login(username, password);
        return client;
      }),
    );
    for (let round = 0; round < 5; round++) {
      // Everybody takes one token, and two swap theirs.
      await Promise.all(
        clients.map((client, n) =>
          client.call('PUT', '/api/users/pushtoken', { body: { token: `ExpoPushToken[${(n + round) % 2}]` } }),
        ),
      );
    }
    expect(await server.sql("select 1 from users where push_token like 'ExpoPushToken[%'")).toHaveLength(2);
  });

  it.for(['', 'x', 'ExponentPushToken[]', `ExponentPushToken[${'x'.repeat(250)}]`, 7])(
    'refuses %o',
    async (value, { person }) => {
      const body = { token: value as string };
      expect(await failure(person.client.call('PUT', '/api/users/pushtoken', { body }))).toBe('400 VALIDATION_FAILED');
    },
  );
});

describe('deletion (ID20)', () => {
  it('leaves nothing of the person but the fact that an account was deleted', async ({ server, person }) => {
    await person.client.call('POST', '/api/workouts/add', { body: { workoutData: { A: [{ id: 1, sets: [5] }] } } });
    const { workoutPlan } = await person.client.call('GET', '/api/workouts/getworkout');
    const ets = workoutPlan?.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id ?? 0;
    await person.client.call('POST', '/api/workouts/finishworkout', {
      body: { workout: [{ exercisetosplit_id: ets, weight: [50], reps: [5] }] },
    });
    await update(person, { email: `pending_${person.email}` });
    expect(await person.client.call('DELETE', '/api/users/deleteself')).toEqual({
      message: 'User deleted successfully',
    });
    await expect(person.client.logout()).rejects.toMatchObject({ status: 401, message: 'New login required' });

    const tables = await server.sql<{ name: string }>(
      "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'",
    );
    const pending = () =>
      server.sql(
        "select 1 from outbox where kind in ('pictures.remove-all', 'payloads.forget') and status = 'pending'",
      );
    await vi.waitFor(async () => expect(await pending()).toEqual([]), { timeout: 15_000 });
    for (const { name } of tables) {
      const left = await server.sql(`select * from ${name} t where t::text ilike any ($1)`, [
        [`%${person.id}%`, `%${person.username}%`, `%${person.email}%`],
      ]);
      const expected = name === 'security_events' ? ['email-change-requested', 'account-deleted'] : [];
      const kinds = left.map((row) => row.kind);
      expect([name, kinds.sort()]).toEqual([name, expected.sort()]);
    }
    const payloads = (await server.redis.keys('*')).filter((key) => key.includes(person.id));
    expect(payloads).toEqual([`cached-of:${person.id}:gone`]);
  });
});

describe('the limits of changes (AB3)', () => {
  it('mails are limited over both paths, changes without a mail are not', async () => {
    const limited = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
    try {
      const { client } = await signUp(limited);
      for (let n = 0; n < 10; n++)
        await client.call('PUT', '/api/users/update', { body: { fullName: `Name ${'x'.repeat(n)}` } });
      // A conflict sends no mail and counts as none.
      const taken = `${(await newPhone(limited)).username}@example.com`;
      for (let n = 0; n < 4; n++) {
        expect(await failure(client.call('PUT', '/api/users/update', { body: { email: taken } }))).toBe(
          '409 USERNAME_OR_EMAIL_IN_USE',
        );
      }
      await client.call('PUT', '/api/users/update', { body: { email: 'l1@example.com' } });
      await client.call('PUT', '/api/users/updateself', { body: { email: 'l2@example.com' } });
      const third = client.call('PUT', '/api/users/update', { body: { email: 'l3@example.com' } });
      expect(await failure(third)).toBe('429 RATE_LIMITED');
      expect((await client.call('PUT', '/api/users/update', { body: { fullName: 'Still Fine' } })).user.name).toBe(
        'Still Fine',
      );
    } finally {
      await limited.close();
    }
  });
});

describe('mail through Resend', () => {
  it('is tried again after an error, sent once, and escapes names (IS7, BG12)', async () => {
    const resend: FakeResend = await startResend();
    const own = await startTestServer({
      env: { RESEND_API_KEY: 're_test', RESEND_BASE_URL: resend.url, EMAIL_FROM: 'Us <us@example.com>' },
    });
    try {
      expect((await own.fetch('/dev/mailbox', { headers: { accept: 'text/html' } })).status).toBe(404);
      resend.failures = [503];
      await own.sql(
        `insert into users (id, username, email, name) values ('9954f1f0-0000-4000-8000-000000000001', 'html_name', 'h@example.com', '<a href="https://evil.example">x</a>')`,
      );
      const ask = await own.fetch('/api/auth/sendverificationemail', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'h@example.com' }),
      });
      expect(ask.status).toBe(204);
      await own.sql("update outbox set next_attempt_at = now() where status = 'pending'");
      const isSent = async () => {
        await own.sql("update outbox set next_attempt_at = now() where status = 'pending' and last_error is not null");
        return resend.sent.size > 0;
      };
      await vi.waitUntil(isSent, { timeout: 15_000 });
      const [mail] = [...resend.sent.values()];
      expect(mail).toMatchObject({
        from: 'Us <us@example.com>',
        to: 'h@example.com',
        subject: 'Confirm your Strong Together account',
      });
      expect(mail?.html).not.toContain('<a href="https://evil.example">');
      expect(mail?.html).toContain('&lt;a href=');
      expect(resend.attempts).toBe(2);
      const noted = async () =>
        (await own.sql("select status, payload from outbox where kind = 'mail.verification'"))[0];
      // The provider has it a moment before the outbox knows.
      await vi.waitFor(async () => expect(await noted()).toEqual({ status: 'sent', payload: {} }), { timeout: 15_000 });
    } finally {
      await own.close();
      await resend.close();
    }
  });
});
