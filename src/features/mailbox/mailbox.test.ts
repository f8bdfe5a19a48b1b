import { get } from 'node:http';
import { describe, expect } from 'vitest';
import { networkOrigins } from '#identity/ownOrigins.ts';
import { linkIn, startTestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer();

const status = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(`${url}/dev/mailbox/json`, { headers })).status;

describe('the mailbox', () => {
  it('shows a mail as HTML and as text', async ({ server }) => {
    const form = { username: 'reader', email: 'reader@example.com', password: 'a long password' };
    await server.fetch('/api/users/create', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(form),
    });
    const mail = await server.mailTo(form.email);
    const list = await (await fetch(`${server.url}/dev/mailbox`)).text();
    for (const path of [`/dev/mailbox/${mail.id}`, `/dev/mailbox/${mail.id}/text`]) {
      expect(list).toContain(`href="${path}"`);
    }
    const asHtml = await fetch(`${server.url}/dev/mailbox/${mail.id}`);
    expect([asHtml.headers.get('content-type'), await asHtml.text()]).toEqual([
      'text/html; charset=utf-8',
      expect.stringContaining('Confirm my address'),
    ]);
    const asText = await fetch(`${server.url}/dev/mailbox/${mail.id}/text`);
    expect([asText.headers.get('content-type'), asText.headers.get('cache-control')]).toEqual([
      'text/plain; charset=utf-8',
      'no-store',
    ]);
    expect(await asText.text()).toContain(linkIn(mail));
    expect((await fetch(`${server.url}/dev/mailbox/0123456789abcdef/text`)).status).toBe(404);
  });

  it('answers the machine that it runs on, by any of its names', async ({ server }) => {
    const port = Number(new URL(server.url).port);
    for (const origin of [server.url, `http://localhost:${port}`, ...networkOrigins(port)]) {
      expect([origin, await status(origin)]).toEqual([origin, 200]);
    }
  });

  it('refuses others, also behind a proxy on this machine, and does not believe a header', async ({ server }) => {
    for (const client of ['203.0.113.7', '127.0.0.1, 203.0.113.7', '2001:db8::1', 'unknown']) {
      expect([client, await status(server.url, { 'x-forwarded-for': client })]).toEqual([client, 403]);
    }
    const refused = await fetch(`${server.url}/dev/mailbox`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(await refused.text()).toContain('MAILBOX_PUBLIC=true');
  });

  it.for([
    ['evil.example', 403],
    ['evil.example:PORT', 403],
    ['localhost.evil.example:PORT', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost:PORT', 200],
    ['LOCALHOST', 200],
    ['[::1]:PORT', 200],
    ['gym.example', 200],
  ] as const)(
    'under the name %s it answers %i, whatever address that name points to',
    async ([host, expected], { server }) => {
      const named = await startTestServer({ sharing: server, env: { PRIVATE_BASE_URL_DEV: 'https://gym.example' } });
      try {
        const { port } = new URL(named.url);
        for (const path of ['', '/json', '/0123456789abcdef/text']) {
          const answer = Promise.withResolvers<number | undefined>();
          const headers = { host: host.replace('PORT', port), 'x-forwarded-host': 'localhost' };
          get(`${named.url}/dev/mailbox${path}`, { headers }, (res) => answer.resolve(res.resume().statusCode));
          const found = path === '' || path === '/json' ? 200 : 404;
          expect(await answer.promise).toBe(expected === 200 ? found : 403);
        }
      } finally {
        await named.close();
      }
    },
  );

  it('lets no page of another site read along', async ({ server }) => {
    const response = await fetch(`${server.url}/dev/mailbox/json`, { headers: { origin: 'https://evil.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe(null);
  });
});

it('MAILBOX_PUBLIC=true opens the mailbox to everybody', async ({ server }) => {
  const open = await startTestServer({ sharing: server, env: { MAILBOX_PUBLIC: 'true' } });
  try {
    expect(await status(open.url, { 'x-forwarded-for': '203.0.113.7' })).toBe(200);
  } finally {
    await open.close();
  }
});
