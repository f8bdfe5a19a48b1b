import { describe, expect, vi } from 'vitest';
import { networkOrigins } from '#identity/ownOrigins.ts';
import { newPhone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { type TestServer, withServer } from './helpers/server.ts';

const it = withServer();

describe('a phone in the same network', () => {
  it('logs in and reads at the address of the machine that it was told', async ({ server }) => {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    for (const origin of networkOrigins(Number(new URL(server.url).port))) {
      const url = `${origin}/api/users/get`;
      const headers = {
        'x-app-version': '4.5.0',
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(phone.key, `GET ${url}`, { accessToken }),
      };
      const response = await fetch(url, { headers });
      expect([url, response.status]).toEqual([url, 200]);
    }
  });

  it('is not another machine: a proof for one is refused, whatever Host says', async ({ server }) => {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    const headers = {
      host: 'phone.example.com',
      authorization: `DPoP ${accessToken}`,
      dpop: makeProof(phone.key, 'GET http://phone.example.com/api/users/get', { accessToken }),
    };
    const response = await server.fetch('/api/users/get', { headers });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      401,
      'DPOP_HOST_NOT_ALLOWED',
    ]);
  });
});

it('a browser gets an icon from the own origin', async ({ server }) => {
  const icon = await fetch(`${server.url}/favicon.ico`, {
    headers: { 'user-agent': 'Mozilla/5.0', accept: 'image/*' },
  });
  expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml; charset=utf-8']);
  expect(await icon.text()).toMatch(/^<svg xmlns/);
});

it.for(['/docs', '/dev/mailbox', '/reset-password', '/reset-password/done'])(
  '%s asks no other host',
  async (path, { server }) => {
    const page = await (await fetch(server.url + path, { headers: { 'user-agent': 'Mozilla/5.0' } })).text();
    expect(page).not.toMatch(/(?:src|href|url)(?:=|\()["']?(?:https?:)?\/\//);
  },
);

describe('the line of a request in the log', () => {
  const lineOf = (server: TestServer, requestId: string | null) =>
    server.logged
      .map((line) => JSON.parse(line))
      .find((line) => line.msg === 'request' && line.requestId === requestId);

  it('names the code of a refusal', async ({ server }) => {
    const refusals = [
      [await server.fetch('/api/users/get'), 'DPOP_PROOF_MISSING'],
      [await server.fetch('/nowhere'), 'NOT_FOUND'],
      [await server.fetch('/api/auth/checkuserverify'), 'VALIDATION_FAILED'],
      [await fetch(`${server.url}/api/users/get`, { headers: { 'user-agent': 'App/1' } }), 'APP_UPDATE_REQUIRED'],
    ] as const;
    for (const [response, code] of refusals) {
      const line = { status: response.status, code };
      await vi.waitFor(() => expect(lineOf(server, response.headers.get('x-request-id'))).toMatchObject(line));
    }
  });

  it('has no code when there was none', async ({ server }) => {
    const response = await server.fetch('/');
    const line = await vi.waitFor(() => {
      const found = lineOf(server, response.headers.get('x-request-id'));
      expect(found).toBeDefined();
      return found;
    });
    expect(line).not.toHaveProperty('code');
  });
});
