import { describe, expect, vi } from 'vitest';
import { passwordFingerprint, RESET_LINK, signLink } from '#identity/linkTokens.ts';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('phone', ({ server }) => newPhone(server));

/** The token of a reset mail to the phone's owner. */
async function resetToken(server: TestServer, phone: Phone): Promise<string> {
  const [row] = await server.sql<{ email: string; password: string }>(
    'select email, password from users where id = $1',
    [phone.id],
  );
  const claims = { sub: phone.id, email: row?.email ?? '', fingerprint: passwordFingerprint(row?.password ?? '') };
  return signLink(server.config.secrets, RESET_LINK, claims);
}

async function open(server: TestServer, query: string) {
  const browser = { accept: 'text/html', 'user-agent': 'Mozilla/5.0' };
  const response = await fetch(`${server.url}/reset-password${query}`, { headers: browser });
  const text = await response.text();
  expect([response.status, response.headers.get('cache-control'), response.headers.get('referrer-policy')]).toEqual([
    200,
    'no-store',
    'no-referrer',
  ]);
  return {
    text,
    asksForPassword: !/<form [^>]*hidden/.test(text),
    saysDead: !/<div id="dead" hidden/.test(text) && text.includes('does not work any more'),
  };
}

const OPEN = { asksForPassword: true, saysDead: false };
const DEAD = { asksForPassword: false, saysDead: true };

describe('the page of a reset link', () => {
  it('asks for a password while the link works, and uses nothing up by being opened', async ({ server, phone }) => {
    const token = await resetToken(server, phone);
    for (let times = 0; times < 3; times++) expect(await open(server, `?token=${token}`)).toMatchObject(OPEN);
    const response = await server.fetch(`/api/auth/resetpassword?token=${token}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ newPassword: 'brand new password' }),
    });
    expect(response.status).toBe(200);
    const used = await open(server, `?token=${token}`);
    expect(used).toMatchObject(DEAD);
    expect(used.text).toContain('Forgot password');
  });

  it.for(['', '?token=', '?token=nonsense', '?token=a&token=b'])(
    'is dead from the start with "%s"',
    async (query, { server }) => {
      expect(await open(server, query)).toMatchObject(DEAD);
    },
  );

  it('is dead when the link is too old, or the address has changed', async ({ server, phone }) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - (RESET_LINK.lifetimeSeconds + 1) * 1000 });
    const old = await resetToken(server, phone).finally(() => vi.useRealTimers());
    expect(await open(server, `?token=${old}`)).toMatchObject(DEAD);
    const token = await resetToken(server, phone);
    expect(await open(server, `?token=${token}`)).toMatchObject(OPEN);
    await server.sql("update users set email = 'elsewhere_' || email where id = $1", [phone.id]);
    expect(await open(server, `?token=${token}`)).toMatchObject(DEAD);
  });

  it('ends on a page that says so, and can show what is typed', async ({ server, phone }) => {
    const done = await fetch(`${server.url}/reset-password/done`, { headers: { accept: 'text/html' } });
    expect([done.status, await done.text()]).toEqual([200, expect.stringContaining('Your password is changed')]);
    const script = await (await fetch(`${server.url}/reset-password/page.js`)).text();
    expect(script).toContain("location.replace('/reset-password/done')");
    const { text } = await open(server, `?token=${await resetToken(server, phone)}`);
    expect(text).toContain('Show password');
    expect(text).not.toMatch(/<script(?! src="\/reset-password\/page\.js")/);
  });

  it('leaves no token in the log', async ({ server, phone }) => {
    const token = await resetToken(server, phone);
    await open(server, `?token=${token}`);
    expect(server.logged.join('')).toContain('/reset-password');
    expect(server.logged.join('')).not.toContain(token);
  });
});
