import { describe, expect } from 'vitest';
import { newOtherSession, postSession } from './helpers/otherSession.ts';
import { newPhone, type Phone, type Tokens } from './helpers/person.ts';
import { proofKey } from './helpers/proof.ts';
import { type TestServer, withServer } from './helpers/server.ts';

/* Who shares an address is not in each other's way; who shows nothing good counts by address (behaviour 0.6). */

const GENERAL = 100;
const PROFILE = '/api/users/get';
const PEER = '127.0.0.1';

const it = withServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: String(GENERAL) } })
  .extend('phone', ({ server }) => newPhone(server))
  .extend('clean', { auto: true }, async ({ server }) => {
    await server.redis.flushdb();
  });

const counted = async (server: TestServer, key: string) => Number(await server.redis.get(`limit:${key}`));
/** Everything that the address may still send is used up. */
const useUp = (server: TestServer) => server.redis.set(`limit:general:${PEER}`, String(GENERAL), 'EX', 60);

/** What the app sends when it is started with tokens of an earlier day. */
async function coldStart(phone: Phone, kept: Tokens): Promise<number[]> {
  const refreshed = await phone.refresh(kept.refreshToken);
  const { accessToken } = (await refreshed.json()) as Tokens;
  const others = await Promise.all([
    phone.get('/api/bootstrap/get?tz=Asia/Jerusalem', accessToken),
    phone.post('/api/ws/generateticket', accessToken, {}),
    phone.send('PUT', '/api/users/pushtoken', accessToken, { token: `ExponentPushToken[${phone.id}]` }),
  ]);
  return [refreshed, ...others].map(({ status }) => status);
}

describe('one address', () => {
  it('lets 36 phones start at once, even when strangers have used up what it may send', async ({ server }) => {
    const gym: Array<[Phone, Tokens]> = [];
    for (let n = 0; n < 36; n++) {
      const phone = await newPhone(server);
      gym.push([phone, await phone.tokens()]);
    }
    await useUp(server);
    const starts = await Promise.all(gym.map(([phone, kept]) => coldStart(phone, kept)));
    expect(starts).toEqual(gym.map(() => [200, 200, 201, 204]));
    expect((await server.fetch('/')).status).toBe(429);
  });

  it('counts what does not verify, before anything else is done for it', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    const [head, payload] = accessToken.split('.');
    await useUp(server);
    const forged = [`${head}.${payload}.${'A'.repeat(43)}`, 'nonsense', ''];
    for (const token of forged) expect((await phone.get(PROFILE, token)).status).toBe(429);
    expect((await phone.refresh(`${head}.${payload}.${'A'.repeat(43)}`)).status).toBe(429);
  });

  it('counts a live refresh token on a path that takes it by another method', async ({ server, phone }) => {
    const { refreshToken } = await phone.tokens();
    await useUp(server);
    const answer = await server.fetch('/api/auth/refresh', { headers: { 'x-refresh-token': `DPoP ${refreshToken}` } });
    expect(answer.status).toBe(429);
  });

  it('counts public requests, whatever token they bring, and paths that are none', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    await useUp(server);
    const headers = { authorization: `DPoP ${accessToken}` };
    const asked = ['/api/auth/checkuserverify?username=x', '/api/nothing', '/', '/docs'];
    for (const path of asked) expect((await server.fetch(path, { headers })).status).toBe(429);
    const signIn = await postSession(server, '', proofKey(), { identifier: 'x', password: 'y' }, headers);
    expect(signIn.status).toBe(429);
  });

  it('counts a refresh token of a session that has ended, and of a version that is gone', async ({ server, phone }) => {
    const dead = await phone.tokens();
    const live = await phone.tokens(); // ends the one before
    const gone = await newOtherSession(server, phone);
    const other = await newOtherSession(server, phone);
    expect((await gone.call('DELETE', `/api/v1/sessions/${gone.session.id}`)).status).toBe(204);
    await server.sql('update users set token_version = token_version + 1 where id = $1', [phone.id]);
    const before = await counted(server, `general:${PEER}`);
    expect((await gone.refresh()).status).toBe(401);
    expect((await phone.refresh(dead.refreshToken)).status).toBe(401);
    expect(await counted(server, `general:${PEER}`)).toBe(before + 2);
    await useUp(server);
    expect((await gone.refresh()).status).toBe(429);
    expect((await phone.refresh(dead.refreshToken)).status).toBe(429);
    expect((await other.refresh()).status).toBe(200);
    await server.sql('update users set token_version = token_version - 1 where id = $1', [phone.id]);
    expect((await phone.refresh(live.refreshToken)).status).toBe(200);
  });
});

describe('one person', () => {
  it('has 240 requests a minute for all sessions together', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    const askers = [
      () => phone.get(PROFILE, accessToken),
      () => one.call('GET', '/api/v1/me'),
      () => two.call('GET', '/api/v1/me'),
    ];
    await server.redis.set(`limit:person:${phone.id}`, '237', 'EX', 60);
    for (const [n, ask] of askers.entries()) {
      const answer = await ask();
      expect([answer.status, answer.headers.get('ratelimit-remaining')]).toEqual([200, String(2 - n)]);
    }
    for (const ask of askers) {
      const answer = await ask();
      expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([429, '240']);
    }
  });

  it('can end a session that has used them up, from the same address', async ({ server, phone }) => {
    const [thief, owner] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    for (const key of [phone.id, `${phone.id} ${PEER}`]) await server.redis.set(`limit:person:${key}`, '240', 'EX', 60);
    for (const session of [thief, owner]) expect((await session.call('GET', '/api/v1/me')).status).toBe(429);
    expect((await owner.call('DELETE', `/api/v1/sessions/${thief.session.id}`)).status).toBe(204);
    expect(await counted(server, `sessionEnd:${owner.session.id}`)).toBe(1);
    expect((await owner.call('DELETE', '/api/v1/sessions')).status).toBe(204);
    const [tokens, last] = [await phone.tokens(), await newOtherSession(server, phone)];
    expect((await phone.post('/api/auth/logout', tokens.accessToken)).status).toBe(200);
    const change = { password: phone.password, newPassword: 'another horse' };
    expect((await last.call('PUT', '/api/v1/me/password', change)).status).toBe(204);
    expect((await last.call('DELETE', '/api/v1/me', { password: 'another horse' })).status).toBe(204);
  });

  it('whose session has ended lends nobody an uncounted flood, and loses nothing elsewhere', async ({
    server,
    phone,
  }) => {
    const stolen = await phone.tokens();
    const { accessToken } = await phone.tokens();
    const atPeer = `person:${phone.id} ${PEER}`;
    await server.redis.set(`limit:${atPeer}`, '239', 'EX', 60);
    expect((await phone.get(PROFILE, stolen.accessToken)).status).toBe(401);
    const refused = await phone.get(PROFILE, stolen.accessToken);
    expect([refused.status, refused.headers.get('ratelimit-limit')]).toEqual([429, '240']);
    expect(await counted(server, `person:${phone.id}`)).toBe(0);
    const headers = { 'x-forwarded-for': '203.0.113.77' };
    expect((await phone.send('GET', PROFILE, accessToken, undefined, headers)).status).toBe(200);
  });
});
