import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { describe, expect, vi } from 'vitest';
import { EMAIL_CHANGE_LINK, RESET_LINK, signLink, VERIFICATION_LINK } from '#identity/linkTokens.ts';
import { api } from '#src/api.ts';
import { newOtherSession, type OtherTokens, otherSession, postSession } from '#tests/helpers/otherSession.ts';
import { newPhone } from '#tests/helpers/person.ts';
import { openSocket, ticketOf } from '#tests/helpers/phoneSocket.ts';
import { makeProof, proofKey } from '#tests/helpers/proof.ts';
import { asSuperuser, fixtures, startTestServer, type TestServer } from '#tests/helpers/server.ts';
import { isLogbook } from '#transport/face.ts';
import type { AnyRoute } from '#transport/route.ts';

const it = fixtures
  .extend('server', { scope: 'file' }, ({ untilEnd }) =>
    untilEnd(
      startTestServer({ env: { REFRESH_GRACE_SEC: '1', RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } }),
    ),
  )
  .extend('second', { scope: 'file' }, ({ untilEnd, server }) => untilEnd(startTestServer({ sharing: server })))
  .extend('phone', ({ server }) => newPhone(server));

const problem = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
const CODE_MAIL = 'Your Strong Together sign-in code';
const ME = '/api/v1/me';
const PEER = '127.0.0.1';
const FROM_ELSEWHERE = { 'x-forwarded-for': '198.51.100.200' };

interface Listed {
  items: Array<{
    id: string;
    kind: string;
    name: string | null;
    createdAt: string;
    lastUsedOn: string;
    current: boolean;
  }>;
}
const listed = async (answer: Response) => ((await answer.json()) as Listed).items;

/** As if the last refresh of a session were longer ago than the grace. */
const endGrace = (server: TestServer, { session }: OtherTokens) =>
  server.sql("update other_sessions set refresh_rotated_at = now() - interval '1 minute' where id = $1", [session.id]);

async function codeFor(server: TestServer, email: string, nth = 1): Promise<string> {
  const answer = await postSession(server, '/code', proofKey(), { email });
  expect(answer.status).toBe(204);
  const mails = await server.mails(email, CODE_MAIL, nth);
  return /\b\d{8}\b/.exec(mails[0]?.text ?? '')?.[0] ?? '';
}

describe('a session beside the phone', () => {
  it('has tokens of its own kind, bound to its key, and the phone goes on', async ({ server, phone }) => {
    const tokens = await phone.tokens();
    const other = await newOtherSession(server, phone, 'Firefox');
    expect(decodeJwt(other.accessToken)).toMatchObject({
      typ: 'session-access',
      sid: other.session.id,
      cnf: { jkt: other.key.thumbprint },
    });
    expect(other.session).toMatchObject({ kind: 'other', name: 'Firefox', current: true });
    expect((await other.call('GET', ME)).status).toBe(200);
    expect((await phone.get('/api/users/get', tokens.accessToken)).status).toBe(200);
    expect((await phone.get(ME, tokens.accessToken)).status).toBe(200);
    await phone.tokens(); // the phone signs in again
    expect((await other.call('GET', ME)).status).toBe(200);
    const items = await listed(await other.call('GET', '/api/v1/sessions'));
    const today = new Date().toISOString().slice(0, 10);
    expect(items).toMatchObject([
      { id: 'phone', kind: 'phone', lastUsedOn: today, current: false },
      { id: other.session.id, kind: 'other', name: 'Firefox', lastUsedOn: today, current: true },
    ]);
  });

  it('refreshes with a grace, each by itself, and only with its key', async ({ server, phone }) => {
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    const answers = await Promise.all(Array.from({ length: 5 }, () => one.refresh()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { accessToken, refreshToken } = (await (answers[0] as Response).json()) as OtherTokens;
    expect((await one.call('GET', ME, undefined, accessToken)).status).toBe(200);
    expect(await problem(await one.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
    expect((await two.call('GET', ME)).status).toBe(200);
    expect(await problem(await one.refresh(refreshToken, two.key))).toEqual([401, 'DPOP_KEY_MISMATCH']);
    expect((await one.refresh(refreshToken)).status).toBe(200);
  });

  it('ends when a refresh token is used again after its grace, and the person can see it', async ({
    server,
    second,
    phone,
  }) => {
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    const { accessToken, refreshToken } = (await (await one.refresh()).json()) as OtherTokens;
    expect((await one.call('GET', ME, undefined, accessToken)).status).toBe(200);
    const events = () =>
      server.sql("select kind from security_events where user_id = $1 and kind <> 'login-failed'", [phone.id]);
    await endGrace(server, one);
    expect(await problem(await one.refresh(one.refreshToken, two.key))).toEqual([401, 'DPOP_KEY_MISMATCH']);
    expect((await one.call('GET', ME, undefined, accessToken)).status).toBe(200); // another key proves no reuse
    expect(await problem(await one.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
    for (const instance of [server, second]) {
      const same = otherSession(instance, one.key, { ...one, accessToken, refreshToken });
      expect(await problem(await same.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
      expect(await problem(await same.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
    }
    expect((await two.call('GET', ME)).status).toBe(200);
    expect((await phone.tokens()).accessToken).toBeTruthy();
    expect(await events()).toEqual([{ kind: 'refresh-by-foreign-key' }, { kind: 'refresh-token-reused' }]);
  });

  it('goes on while the grace of the last refresh lasts, also after a token of two refreshes ago', async ({
    server,
    phone,
  }) => {
    const one = await newOtherSession(server, phone);
    const next = (await (await one.refresh()).json()) as OtherTokens;
    const newest = (await (await one.refresh(next.refreshToken)).json()) as OtherTokens;
    await server.sql("update other_sessions set refresh_rotated_at = now() + interval '1 minute' where id = $1", [
      one.session.id,
    ]);
    expect(await problem(await one.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
    expect((await one.call('GET', ME, undefined, newest.accessToken)).status).toBe(200);
    await endGrace(server, one);
    expect(await problem(await one.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
    expect(await problem(await one.call('GET', ME, undefined, newest.accessToken))).toEqual([401, 'LOGIN_REQUIRED']);
  });

  it('of the phone goes on after a reuse, which is recorded (behaviour 0.7)', async ({ server, phone }) => {
    const old = await phone.tokens();
    const { accessToken } = (await (await phone.refresh(old.refreshToken)).json()) as OtherTokens;
    expect((await phone.get(ME, accessToken)).status).toBe(200);
    await server.sql("update users set refresh_rotated_at = now() - interval '1 minute' where id = $1", [phone.id]);
    for (let n = 0; n < 7; n++) expect((await phone.refresh(old.refreshToken)).status).toBe(401);
    expect((await phone.get(ME, accessToken)).status).toBe(200);
    const events = await server.sql('select kind from security_events where user_id = $1', [phone.id]);
    expect(events).toEqual(Array.from({ length: 5 }, () => ({ kind: 'refresh-token-reused' })));
    // A phone that was replaced by another one shows an ended token, not a reused one.
    await phone.tokens();
    expect((await phone.refresh(old.refreshToken)).status).toBe(401);
    expect(await server.sql('select kind from security_events where user_id = $1', [phone.id])).toHaveLength(5);
  });

  it('of an answer that was lost can be refreshed again, however late', async ({ server, phone }) => {
    const other = await newOtherSession(server, phone);
    await other.refresh();
    await pause(1_100);
    expect((await other.refresh()).status).toBe(200);
  });

  it('twenty, and the oldest is given up', async ({ server, phone }) => {
    const first = await newOtherSession(server, phone);
    const second = await newOtherSession(server, phone);
    for (let n = 0; n < 19; n++) await newOtherSession(server, phone);
    expect(await problem(await first.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
    expect(await listed(await second.call('GET', '/api/v1/sessions'))).toHaveLength(20);
  });

  it('needs a proof, and what is wrong with name, password and form is told', async ({ server, phone }) => {
    const { username: identifier, password, email } = phone;
    const body = { identifier, password };
    const unproven = await fetch(`${server.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(await problem(unproven)).toEqual([401, 'DPOP_PROOF_MISSING']);
    const key = proofKey();
    const proof = { dpop: makeProof(key, `POST ${server.url}/api/v1/sessions`) };
    expect((await postSession(server, '', key, body, proof)).status).toBe(201);
    expect(await problem(await postSession(server, '', key, body, proof))).toEqual([401, 'DPOP_PROOF_REPLAYED']);
    for (const wrong of [
      { ...body, password: 'wrong' },
      { ...body, identifier: 'nobody_there' },
    ]) {
      const answer = await postSession(server, '', key, wrong);
      expect(await answer.clone().json()).toMatchObject({ detail: 'Invalid credentials' });
      expect(await problem(answer)).toEqual([401, 'INVALID_CREDENTIALS']);
    }
    for (const odd of [
      {},
      { identifier },
      { email, password },
      { ...body, email, code: '12345678' },
      { ...body, x: 1 },
    ]) {
      expect(await problem(await postSession(server, '', key, odd))).toEqual([422, 'VALIDATION_FAILED']);
    }
    await server.sql('update users set is_verified = false where id = $1', [phone.id]);
    expect(await problem(await postSession(server, '', key, body))).toEqual([401, 'EMAIL_NOT_VERIFIED']);
  });

  it('wrong passwords count with those of the app', async ({ server, phone }) => {
    const wrong = { identifier: phone.username, password: 'wrong' };
    for (let n = 0; n < 5; n++) expect((await postSession(server, '', proofKey(), wrong)).status).toBe(401);
    expect(await problem(await postSession(server, '', proofKey(), wrong))).toEqual([429, 'RATE_LIMITED']);
    expect((await phone.login()).status).toBe(429);
  });
});

describe('a mailed code', () => {
  it('opens a session once, for a person without a password', async ({ server, phone }) => {
    await server.sql("update users set password = null, auth_provider = 'google' where id = $1", [phone.id]);
    const code = await codeFor(server, phone.email);
    expect(code).toMatch(/^\d{8}$/);
    const key = proofKey();
    const answer = await postSession(server, '', key, { email: phone.email.toUpperCase(), code });
    expect(answer.status).toBe(201);
    const other = otherSession(server, key, (await answer.json()) as OtherTokens);
    expect((await other.call('GET', ME)).status).toBe(200);
    expect(await problem(await postSession(server, '', key, { email: phone.email, code }))).toEqual([
      401,
      'INVALID_CREDENTIALS',
    ]);
    // It is stored nowhere, neither as it is nor in the outbox.
    const kept = await server.sql<{ text: string }>(
      "select payload::text as text from outbox where kind = 'mail.sign-in-code'",
    );
    expect(JSON.stringify(kept)).not.toContain(code);
  });

  const tryFrom = async (server: TestServer, from: string, email: string, code: string) =>
    (await postSession(server, '', proofKey(), { email, code }, { 'x-forwarded-for': from })).status;
  const wrongFor = (code: string) => (code === '00000000' ? '11111111' : '00000000');

  it('is worth nothing after ten minutes, and after three newer ones of the same network', async ({
    server,
    phone,
  }) => {
    const { email } = phone;
    const codes: string[] = [];
    for (let n = 1; n <= 4; n++) {
      await server.redis.flushdb();
      codes.push(await codeFor(server, email, n));
    }
    const [first = '', second = '', third = '', fourth = ''] = codes;
    expect(await tryFrom(server, PEER, email, first)).toBe(401);
    for (const code of [third, second]) expect(await tryFrom(server, PEER, email, code)).toBe(201);
    expect(await tryFrom(server, PEER, email, third)).toBe(401);
    await server.sql('update mailed_codes set expires_at = now() where user_id = $1', [phone.id]);
    expect(await tryFrom(server, PEER, email, fourth)).toBe(401);
  });

  it('outlives whatever strangers try and ask for', async ({ server, phone }) => {
    const { email } = phone;
    const code = await codeFor(server, email);
    for (let n = 0; n < 8; n++) {
      const from = { 'x-forwarded-for': `203.0.113.${n}` };
      expect((await postSession(server, '/code', proofKey(), { email }, from)).status).toBe(204);
    }
    for (const from of ['198.51.100.1', '198.51.100.2', '203.0.113.1']) {
      const tries = await Promise.all(Array.from({ length: 8 }, () => tryFrom(server, from, email, wrongFor(code))));
      expect(tries.toSorted()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    }
    expect(await tryFrom(server, PEER, email, code)).toBe(201);
  });

  it('is compared twenty times a day for networks that did not ask, and still for the one that did', async ({
    server,
    phone,
  }) => {
    const unknown = `nobody_${phone.username}@example.com`;
    const code = await codeFor(server, phone.email);
    expect((await postSession(server, '/code', proofKey(), { email: unknown })).status).toBe(204);
    const seen: Record<string, number[]> = { [phone.email]: [], [unknown]: [] };
    for (const [email, statuses] of Object.entries(seen)) {
      for (let n = 0; n < 24; n++) {
        statuses.push(await tryFrom(server, `198.51.100.${Math.floor(n / 4)}`, email, wrongFor(code)));
      }
      statuses.push(await tryFrom(server, PEER, email, wrongFor(code)));
    }
    const expected = [...Array.from({ length: 20 }, () => 401), 429, 429, 429, 429, 401];
    expect(seen).toEqual({ [phone.email]: expected, [unknown]: expected });
    const late = await postSession(server, '', proofKey(), { email: phone.email, code }, FROM_ELSEWHERE);
    expect(await late.json()).toMatchObject({ detail: expect.stringContaining('Ask for a new code on this device') });
    expect(await tryFrom(server, PEER, phone.email, code)).toBe(201);
  });

  it('many tries at the same time are five, also of the network that asked, when strangers used up theirs', async ({
    server,
    phone,
  }) => {
    const code = await codeFor(server, phone.email);
    await server.redis.set(`limit:wrongCodesFromElsewhere:${phone.email}`, '20', 'EX', 60);
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => tryFrom(server, PEER, phone.email, wrongFor(code))),
    );
    expect(tries.filter((status) => status === 401)).toHaveLength(5);
    expect(await tryFrom(server, PEER, phone.email, code)).toBe(429);
  });

  it('is mailed to verified addresses only, and the answer is always the same', async ({ server, phone }) => {
    await server.sql('update users set is_verified = false where id = $1', [phone.id]);
    for (const email of [phone.email, 'nobody@example.com']) {
      expect((await postSession(server, '/code', proofKey(), { email })).status).toBe(204);
    }
    // The same rows for everybody; those of no account open nothing, and their mails are dropped.
    const rows = await server.sql('select email, user_id from mailed_codes where email = any ($1) order by email', [
      [phone.email, 'nobody@example.com'],
    ]);
    expect(rows).toEqual([phone.email, 'nobody@example.com'].toSorted().map((email) => ({ email, user_id: null })));
    await vi.waitFor(async () => {
      const mails = "select status from outbox where kind = 'mail.sign-in-code' and user_id = $1";
      const statuses = (await server.sql(mails, [server.config.SYSTEM_USER_ID])).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set(['dropped']));
    });
    expect(await server.mails(phone.email, CODE_MAIL)).toEqual([]);
    expect((await postSession(server, '/code', proofKey(), { email: 'nobody@example.com' })).status).toBe(204);
    expect((await postSession(server, '/code', proofKey(), { email: 'nobody@example.com' })).status).toBe(429);
  });
});

describe('the end of a session', () => {
  it('is at once, on every instance, with its sockets; the others go on', async ({ server, second, phone }) => {
    const { accessToken } = await phone.tokens();
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    const ticketOfSession = async (session: typeof one) => {
      const answer = await session.call('POST', '/api/ws/generateticket');
      expect(answer.status).toBe(201);
      return ((await answer.json()) as { ticket: string }).ticket;
    };
    const [ticket, other] = [await ticketOfSession(one), await ticketOfSession(two)];
    const ofPhone = await ticketOf(phone, accessToken);
    const sockets = [ticket, other, ofPhone].map((each) =>
      openSocket(second.url, { ticket: each }, { reconnection: false }),
    );
    for (const socket of sockets) await socket.connected();
    const ended = new Promise((done) => sockets[0]?.socket.once('disconnect', done));
    expect((await two.call('DELETE', `/api/v1/sessions/${one.session.id}`)).status).toBe(204);
    await ended;
    expect(await problem(await one.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
    expect(await problem(await one.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
    await expect(openSocket(second.url, { ticket }, { reconnection: false }).connected()).rejects.toThrow();
    expect(sockets.slice(1).map(({ socket }) => socket.connected)).toEqual([true, true]);
    for (const { socket } of sockets) socket.disconnect();
    expect((await phone.get('/api/users/get', accessToken)).status).toBe(200);
    expect(await problem(await two.call('DELETE', `/api/v1/sessions/${one.session.id}`))).toEqual([404, 'NOT_FOUND']);
  });

  it('is a line that nothing crosses: what was let in before, and waits, is refused and writes nothing', async ({
    server,
    phone,
  }) => {
    const other = await newOtherSession(server, phone);
    const holder = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select from users where id = $1 for no key update', [phone.id]);
      const id = randomUUID();
      const held = other.call('PUT', `/api/v1/workouts/${id}`, {
        title: 'Held',
        startedAt: new Date().toISOString(),
        timeZone: 'UTC',
        blocks: [],
      });
      await vi.waitFor(async () => {
        const waiting = await server.sql(
          "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%hold_other_session%' and datname = current_database()",
        );
        expect(waiting.length).toBe(1);
      });
      await holder.query('delete from other_sessions where user_id = $1', [phone.id]);
      await holder.query('commit');
      expect(await problem(await held)).toEqual([401, 'LOGIN_REQUIRED']);
      expect(await server.sql('select from log_workouts where user_id = $1', [phone.id])).toEqual([]);
    } finally {
      await holder.end();
    }
  });

  it('of somebody else’s is a 404 and ends nothing', async ({ server, phone }) => {
    const [mine, theirs] = [
      await newOtherSession(server, phone),
      await newOtherSession(server, await newPhone(server)),
    ];
    expect((await mine.call('DELETE', `/api/v1/sessions/${theirs.session.id}`)).status).toBe(404);
    expect((await theirs.call('GET', ME)).status).toBe(200);
  });

  it('of the phone, and of all others, can be asked from a session', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    expect((await one.call('DELETE', '/api/v1/sessions/phone')).status).toBe(204);
    expect((await phone.get('/api/users/get', accessToken)).status).toBe(401);
    expect(await listed(await one.call('GET', '/api/v1/sessions'))).toHaveLength(2);
    const again = await phone.tokens();
    expect((await one.call('DELETE', '/api/v1/sessions')).status).toBe(204);
    expect((await two.call('GET', ME)).status).toBe(401);
    expect((await phone.get('/api/users/get', again.accessToken)).status).toBe(401);
    expect((await one.call('GET', ME)).status).toBe(200);
  });

  it('a logout of the phone ends the phone only; the app cannot end others', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    const other = await newOtherSession(server, phone);
    await phone.post('/api/auth/logout', accessToken);
    expect((await other.call('GET', ME)).status).toBe(200);
  });

  it('a password reset ends all', async ({ server, phone }) => {
    const other = await newOtherSession(server, phone);
    await server.fetch('/api/auth/forgotpassemail', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: phone.username }),
    });
    const link = /https?:\S+token=([\w.-]+)/.exec((await server.mailTo(phone.email, 'Reset your password')).text);
    const reset = await server.fetch(`/api/auth/resetpassword?token=${link?.[1]}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ newPassword: 'another horse' }),
    });
    expect(reset.status).toBe(200);
    expect(await problem(await other.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
    expect(await problem(await other.refresh())).toEqual([401, 'LOGIN_REQUIRED']);
  });

  it('a changed password ends all but the session that changed it, and needs the old one', async ({
    server,
    phone,
  }) => {
    const { accessToken } = await phone.tokens();
    const [one, two] = [await newOtherSession(server, phone), await newOtherSession(server, phone)];
    const change = (body: object) => one.call('PUT', '/api/v1/me/password', body);
    const newPassword = 'another horse';
    expect(await problem(await change({ password: 'wrong', newPassword }))).toEqual([403, 'INVALID_CREDENTIALS']);
    expect(await problem(await change({ newPassword }))).toEqual([422, 'VALIDATION_FAILED']);
    expect((await two.call('GET', ME)).status).toBe(200);
    expect((await change({ password: phone.password, newPassword })).status).toBe(204);
    expect((await one.call('GET', ME)).status).toBe(200);
    expect((await two.call('GET', ME)).status).toBe(401);
    expect((await phone.get('/api/users/get', accessToken)).status).toBe(401);
    expect((await phone.login()).status).toBe(401);
    await newOtherSession(server, { ...phone, password: newPassword });
    expect((await server.mailTo(phone.email, 'Your Strong Together password was changed')).text).toContain('Dana');
  });

  it('a password changed by the phone leaves the phone', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    const other = await newOtherSession(server, phone);
    const body = { password: phone.password, newPassword: 'another horse' };
    expect((await phone.send('PUT', '/api/v1/me/password', accessToken, body)).status).toBe(204);
    expect((await phone.get('/api/users/get', accessToken)).status).toBe(200);
    expect((await other.call('GET', ME)).status).toBe(401);
  });

  it('the account is deleted for the password or a code only', async ({ server, phone }) => {
    const other = await newOtherSession(server, phone);
    expect(await problem(await other.call('DELETE', ME, { password: 'wrong' }))).toEqual([403, 'INVALID_CREDENTIALS']);
    const code = await codeFor(server, phone.email);
    expect((await other.call('DELETE', ME, { code })).status).toBe(204);
    expect(await problem(await other.call('GET', ME))).toEqual([401, 'LOGIN_REQUIRED']);
    expect(await server.sql('select from other_sessions where user_id = $1', [phone.id])).toEqual([]);
  });
});

/** What each kind of token is for; everywhere else it is refused. */
describe('each kind of token in every other’s place is refused', () => {
  const guarded: AnyRoute[] = (api as AnyRoute[]).filter((route) => route.auth === 'user');

  it('on every guarded route', async ({ server, phone }) => {
    const unlimited = await startTestServer({ sharing: server, env: { RATE_LIMIT_ENABLED: 'false' } });
    try {
      const { accessToken, refreshToken } = await phone.tokens();
      const other = await newOtherSession(unlimited, phone);
      const { secrets } = server.config;
      const kinds: Record<string, string> = {
        'phone refresh': refreshToken,
        'other refresh': other.refreshToken,
        'socket ticket': await ticketOf(phone, accessToken),
        'verification link': await signLink(secrets, VERIFICATION_LINK, { sub: phone.id, email: phone.email }),
        'reset link': await signLink(secrets, RESET_LINK, { sub: phone.id, email: phone.email, fingerprint: 'x' }),
        'address link': await signLink(secrets, EMAIL_CHANGE_LINK, {
          sub: phone.id,
          newEmail: 'a@example.com',
          oldEmail: null,
        }),
        'other access': other.accessToken,
      };
      const letIn: string[] = [];
      for (const route of guarded) {
        const path = route.path.replace(':id', randomUUID());
        for (const [kind, token] of Object.entries(kinds)) {
          const isMeant = kind === 'other access' && (isLogbook(route.path) || route.path === '/api/ws/generateticket');
          if (isMeant && route.method !== 'GET') continue; // what is let in elsewhere would act
          const key = kind === 'phone refresh' ? phone.key : other.key;
          const answer = await fetch(unlimited.url + path, {
            method: route.method,
            headers: {
              'x-app-version': '4.5.0',
              authorization: `DPoP ${token}`,
              dpop: makeProof(key, `${route.method} ${unlimited.url}${path}`, { accessToken: token }),
            },
          });
          const { code } = isMeant ? { code: '' } : ((await answer.json()) as { code: string });
          if (isMeant ? answer.status === 401 : answer.status !== 401 || code !== 'ACCESS_TOKEN_INVALID') {
            letIn.push(`${kind} on ${route.method} ${route.path}: ${answer.status} ${code}`);
          }
        }
      }
      expect(letIn).toEqual([]);
    } finally {
      await unlimited.close();
    }
  });

  it('for refreshing and for sockets', async ({ server, phone }) => {
    const { accessToken, refreshToken } = await phone.tokens();
    const other = await newOtherSession(server, phone);
    for (const token of [refreshToken, accessToken, other.accessToken, await ticketOf(phone, accessToken)]) {
      expect(await problem(await other.refresh(token))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(await problem(await other.refresh(token, phone.key))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    }
    for (const token of [other.refreshToken, other.accessToken, accessToken]) {
      expect(await problem(await phone.refresh(token))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(await problem(await phone.refresh(token, other.key))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    }
    for (const ticket of [other.accessToken, other.refreshToken]) {
      await expect(openSocket(server.url, { ticket }, { reconnection: false }).connected()).rejects.toThrow();
    }
  });
});
