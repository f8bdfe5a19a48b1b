import { expect } from 'vitest';
import type { Phone } from './person.ts';
import { makeProof, type ProofKey, proofKey } from './proof.ts';
import type { TestServer } from './server.ts';

export interface OtherTokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string; kind: string; name: string | null; current: boolean };
}

/** A browser or a program with a session beside somebody's phone. */
export interface OtherSession extends OtherTokens {
  key: ProofKey;
  /** A request with the newest access token of this object. */
  call(method: string, path: string, body?: unknown, accessToken?: string): Promise<Response>;
  refresh(refreshToken?: string, key?: ProofKey): Promise<Response>;
}

export function postSession(server: TestServer, path: string, key: ProofKey, body: unknown, headers = {}) {
  return fetch(`${server.url}/api/v1/sessions${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      dpop: makeProof(key, `POST ${server.url}/api/v1/sessions${path}`),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

export async function newOtherSession(
  server: TestServer,
  { username, password }: Pick<Phone, 'username' | 'password'>,
  name = 'A browser',
): Promise<OtherSession> {
  const key = proofKey();
  const answer = await postSession(server, '', key, { identifier: username, password, name });
  expect(answer.status).toBe(201);
  const tokens = (await answer.json()) as OtherTokens;
  return otherSession(server, key, tokens);
}

export function otherSession(server: TestServer, key: ProofKey, tokens: OtherTokens): OtherSession {
  return {
    ...tokens,
    key,
    call: (method, path, body, accessToken = tokens.accessToken) =>
      fetch(server.url + path, {
        method,
        headers: {
          'x-app-version': '4.5.0',
          authorization: `DPoP ${accessToken}`,
          dpop: makeProof(key, `${method} ${server.url}${path.split('?')[0]}`, { accessToken }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    refresh: (refreshToken = tokens.refreshToken, by = key) =>
      postSession(server, '/refresh', by, undefined, { 'x-refresh-token': `DPoP ${refreshToken}` }),
  };
}
