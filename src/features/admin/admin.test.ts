import { describe, expect } from 'vitest';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { adminLink } from '#src/cli/adminLink.ts';
import type { Config } from '#src/config.ts';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';
import { signAdminToken } from './adminTokens.ts';

const it = withServer().extend('phone', ({ server }) => newPhone(server));

const link = (server: TestServer, ...args: string[]) => linkWith(server, server.config, args);

async function linkWith(server: TestServer, config: Config, args: string[]): Promise<string[]> {
  const log = buildLog('silent');
  const db = openDatabase({ url: server.databaseUrl, poolSize: 1, preparedStatements: true, log });
  const said: string[] = [];
  try {
    await adminLink({
      config,
      db,
      log,
      outbox: buildOutbox(),
      args,
      say: (line) => said.push(line),
      ownerUrl: server.databaseUrl,
      progress: (line) => said.push(line),
    });
  } finally {
    await db.close();
  }
  return said;
}

// A browser, not the app.
const open = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { redirect: 'manual', headers: { accept: 'text/html', 'user-agent': 'Mozilla/5.0', ...headers } });
const QUEUES = '/admin/queues/api/queues';

async function signIn(server: TestServer, phone: Phone): Promise<string> {
  const said = await link(server, '--user', phone.username, '--grant');
  const response = await open(said.at(-1) ?? '');
  expect([response.status, response.headers.get('location')]).toEqual([303, '/admin/queues']);
  return response.headers.get('set-cookie') ?? '';
}

describe('npm run admin:link', () => {
  it('prints a link that signs in once, with a cookie that no script and no other site can use', async ({
    server,
    phone,
  }) => {
    const said = await link(server, '--user', phone.username, '--grant');
    const url = said.at(-1) ?? '';
    expect(url).toMatch(new RegExp(`^${server.url}/admin/sign-in\\?token=`));
    const cookie = (await open(url)).headers.get('set-cookie') ?? '';
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/admin', 'Max-Age=1800']) expect(cookie).toContain(part);
    const again = await open(url);
    expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null]);
    expect(server.logged.join('\n')).not.toContain(new URL(url).searchParams.get('token'));
  });

  it('is for Admins; --grant makes one', async ({ server, phone }) => {
    await expect(link(server, '--user', phone.username)).rejects.toThrow('has the role User, not Admin');
    await link(server, '--user', phone.username, '--grant');
    await expect(link(server, '--user', phone.username.toUpperCase())).resolves.toHaveLength(2);
    await expect(link(server, '--user', 'nobody_here')).rejects.toThrow('nobody');
    await expect(link(server, '--user', 'system_bot', '--grant')).rejects.toThrow('nobody');
    for (const args of [[], ['--what']]) await expect(link(server, ...args)).rejects.toThrow('Usage');
  });

  it('says that there is no console without Redis, and makes nobody Admin', async ({ server, phone }) => {
    const config = { ...server.config, redisUrl: undefined };
    await expect(linkWith(server, config, ['--user', phone.username, '--grant'])).rejects.toThrow('set REDIS_URL');
    expect(await server.sql('select role from users where id = $1', [phone.id])).toEqual([{ role: 'User' }]);
  });
});

describe('the console', () => {
  it('shows the queues to an Admin, and works with them', async ({ server, phone }) => {
    const cookie = (await signIn(server, phone)).split(';')[0] ?? '';
    const page = await open(`${server.url}/admin/queues`, { cookie });
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(page.headers.get('content-security-policy')).toContain("base-uri 'self'"); // its page has a <base>
    expect(await page.text()).toContain('Strong Together');
    const { queues } = (await (await open(server.url + QUEUES, { cookie })).json()) as {
      queues: Array<{ name: string }>;
    };
    expect(queues.map(({ name }) => name).sort()).toEqual(['emails', 'pushNotifications']);
    const pause = (headers: Record<string, string>) =>
      fetch(`${server.url}/admin/queues/api/queues/emails/pause`, {
        method: 'PUT',
        headers: { cookie, 'user-agent': 'Mozilla/5.0', ...headers },
      });
    for (const site of ['cross-site', 'same-site']) expect((await pause({ 'sec-fetch-site': site })).status).toBe(403);
    expect((await pause({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect(await server.redis.hget('bull:emails:meta', 'paused')).toBe('1');
  });

  it('nobody else gets in: no cookie, a forged one, a link as a cookie, a lost role, a deleted person', async ({
    server,
    phone,
  }) => {
    const good = (await signIn(server, phone)).split(';')[0] ?? '';
    const linkToken = await signAdminToken(server.config, 'admin-link', phone.id, 0);
    const cookies = ['', 'strong_together_admin=nonsense', `strong_together_admin=${linkToken}`, `${good}x`];
    for (const path of ['/admin/queues', QUEUES, '/admin/queues/static/css/anything.css']) {
      for (const cookie of cookies) {
        const response = await open(server.url + path, { cookie });
        expect([path, cookie, response.status]).toEqual([path, cookie, 401]);
        expect(await response.json()).toMatchObject({ code: 'ADMIN_SIGN_IN_REQUIRED', requestId: expect.any(String) });
      }
    }
    const { accessToken } = await phone.tokens();
    expect((await open(server.url + QUEUES, { authorization: `DPoP ${accessToken}` })).status).toBe(401);
    expect((await open(server.url + QUEUES, { cookie: good })).status).toBe(401); // the phone has signed in anew
    const later = (await signIn(server, phone)).split(';')[0] ?? '';
    await server.sql("update users set role = 'User' where id = $1", [phone.id]);
    const refused = await open(server.url + QUEUES, { cookie: later });
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
    await server.sql('delete from users where id = $1', [phone.id]);
    expect((await open(server.url + QUEUES, { cookie: later })).status).toBe(403);
  });

  it('the cookie authenticates no call of the API', async ({ server, phone }) => {
    const cookie = (await signIn(server, phone)).split(';')[0] ?? '';
    expect((await server.fetch('/api/users/get', { headers: { cookie } })).status).toBe(401);
  });

  it('a forged link signs nobody in', async ({ server, phone }) => {
    for (const token of ['', 'nonsense', await signAdminToken(server.config, 'admin-cookie', phone.id, 0)]) {
      expect((await open(`${server.url}/admin/sign-in?token=${token}`)).status).toBe(401);
    }
  });
});
