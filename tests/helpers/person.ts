import { randomUUID } from 'node:crypto';
import { hashSync } from '@node-rs/bcrypt';
import { StrongTogetherClient } from '@strong-together/client';
import { makeProof, type ProofKey, proofKey } from './proof.ts';
import type { TestServer } from './server.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** A person with a phone that shows every step of its session. */
export interface Phone {
  id: string;
  username: string;
  email: string;
  password: string;
  key: ProofKey;
  login(): Promise<Response>;
  tokens(): Promise<Tokens>;
  refresh(refreshToken: string, key?: ProofKey): Promise<Response>;
  get(path: string, accessToken: string, key?: ProofKey): Promise<Response>;
  post(path: string, accessToken: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  send(
    method: string,
    path: string,
    accessToken: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
}

const PASSWORD = 'correct horse';
/** As cheap as bcrypt gets: these people exist to be signed in, not to be safe. */
const CHEAP_HASH = hashSync(PASSWORD, 4);

let phones = 0;

/** A verified person with a phone; put into the database, so that a test need not wait for mail and bcrypt. */
export async function newPhone(server: TestServer, id: string = randomUUID()): Promise<Phone> {
  const username = `phone_${phones++}`;
  const email = `${username}@example.com`;
  const password = PASSWORD;
  await server.sql(
    `insert into users (id, username, email, name, password, is_verified)
     values ($1, $2, $3, 'Dana Kay', $4, true)`,
    [id, username, email, CHEAP_HASH],
  );
  const key = proofKey('phone');
  const login = () =>
    server.fetch('/api/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dpop-key-binding': key.thumbprint },
      body: JSON.stringify({ identifier: username, password }),
    });
  const send: Phone['send'] = (method, path, accessToken, body, headers = {}) =>
    server.fetch(path, {
      method,
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(key, `${method} ${server.url}${path}`, { accessToken }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    id,
    username,
    email,
    password,
    key,
    login,
    tokens: async () => (await (await login()).json()) as Tokens,
    refresh: (refreshToken, by = key) =>
      server.fetch('/api/auth/refresh', {
        method: 'POST',
        headers: {
          'x-refresh-token': `DPoP ${refreshToken}`,
          dpop: makeProof(by, `POST ${server.url}/api/auth/refresh`),
        },
      }),
    get: (path, accessToken, by = key) =>
      server.fetch(path, {
        headers: {
          authorization: `DPoP ${accessToken}`,
          dpop: makeProof(by, `GET ${server.url}${path}`, { accessToken }),
        },
      }),
    post: (path, accessToken, body, headers) => send('POST', path, accessToken, body, headers),
    send,
  };
}

export interface SignedIn extends Phone {
  client: StrongTogetherClient;
}

/** A person who uses the client, which hides the steps of the session; it has a key of its own. */
export async function signUp(server: TestServer): Promise<SignedIn> {
  const phone = await newPhone(server);
  // Nothing repeated and nothing kept: tests see what the server answers.
  const client = new StrongTogetherClient({ baseUrl: server.url, retries: 0, keptAnswers: 0 });
  await client.login(phone.username, phone.password);
  return { ...phone, client };
}
