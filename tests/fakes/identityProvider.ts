import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type FakeServer, sendJson, startFake } from './http.ts';

export interface FakeProvider extends FakeServer {
  /** An identity token as the provider signs it, with claims replaced; undefined leaves one out. */
  token(claims: Record<string, unknown>): Promise<string>;
  /** New keys: tokens name a key id that nobody has seen. */
  rotate(): Promise<void>;
  isDown: boolean;
  fetched: number;
}

/** Google or Apple as we see them: a key set over HTTP, and tokens that people bring. */
export async function startProvider(issuer: string, audience: string): Promise<FakeProvider> {
  let keys = await makeKeys();
  const server = await startFake((_req, _body, res) => {
    provider.fetched++;
    if (provider.isDown) sendJson(res, 503, {});
    else sendJson(res, 200, { keys: [keys.jwk] });
  });
  const provider: FakeProvider = {
    ...server,
    isDown: false,
    fetched: 0,
    rotate: async () => {
      keys = await makeKeys();
    },
    token: (claims) => {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer, aud: audience, sub: randomUUID(), iat: now, exp: now + 600, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: keys.jwk.kid }).sign(keys.privateKey);
    },
  };
  return provider;
}

async function makeKeys() {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' } };
}
