import { randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { afterEach, describe, expect, vi } from 'vitest';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { sendMessage } from '#src/cli/sendMessage.ts';
import { newPhone, type Phone, type Tokens } from '#tests/helpers/person.ts';
import { openSocket, type PhoneSocket, ticketOf } from '#tests/helpers/phoneSocket.ts';
import { startSecondProcess } from '#tests/helpers/process.ts';
import { makeProof } from '#tests/helpers/proof.ts';
import { startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';
import { startTcpProxy } from '#tests/helpers/tcpProxy.ts';

/** What makes the app mint a new ticket. */
const MINT = /(missing|invalid|expired|unauth)/i;

const it = withServer()
  .extend('second', { scope: 'file' }, async ({ server }, { onCleanup }) => {
    const second = await startSecondProcess(server, 'api');
    onCleanup(async () => void (await second.kill('SIGTERM')));
    return second;
  })
  .extend('limited', { scope: 'file' }, ({ untilEnd, server }) =>
    untilEnd(
      startTestServer({ sharing: server, env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } }),
    ),
  )
  .extend('phone', ({ server }) => newPhone(server))
  .extend('tokens', ({ phone }) => phone.tokens());
const open: PhoneSocket[] = [];
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.disconnect();
});

function connect(url: string, auth: Record<string, unknown>, options = {}): PhoneSocket {
  const opened = openSocket(url, auth, options);
  open.push(opened);
  return opened;
}
const ticket = (phone: Phone, tokens: Tokens) => ticketOf(phone, tokens.accessToken);

async function planOf(who: Phone, accessToken: string): Promise<number> {
  const response = await who.post('/api/workouts/add', accessToken, { workoutData: { A: [{ id: 1, sets: [5] }] } });
  const { workoutPlan } = (await response.json()) as {
    workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
  };
  return workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id ?? 0;
}

let workouts = 0;
async function finish(who: Phone, accessToken: string, exercise: number, extra: object = {}): Promise<void> {
  const start = new Date(Date.now() - ++workouts * 60_000).toISOString();
  const response = await who.post('/api/workouts/finishworkout', accessToken, {
    workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
    workout_start_utc: start,
    workout_end_utc: start,
    ...extra,
  });
  expect(response.status).toBe(200);
}

interface Fixtures {
  server: TestServer;
  phone: Phone;
  tokens: Tokens;
}

describe('a ticket', () => {
  it('holds the claims of behaviour 0.7; the name comes from the database, whatever the body says', async ({
    phone,
    tokens,
  }) => {
    const response = await phone.post('/api/ws/generateticket', tokens.accessToken, { username: 'somebody_else' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const body = (await response.json()) as { ticket: string };
    expect(Object.keys(body)).toEqual(['ticket']);
    const { iat = 0, exp = 0, ...claims } = decodeJwt(body.ticket);
    expect(claims).toEqual({
      id: phone.id,
      username: phone.username,
      sessionEpoch: expect.any(Number),
      jti: expect.any(String),
      iss: 'strong-together',
      aud: 'socket',
    });
    expect(exp - iat).toBe(5400);
    expect((await phone.post('/api/ws/generateticket', tokens.accessToken)).status).toBe(201);
  });

  it('opens sockets on every instance, as often as it likes (behaviour 1.9)', async ({
    server,
    second,
    phone,
    tokens,
  }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    for (const url of [server.url, second.url, server.url]) {
      expect((await connect(url, auth).connected()).socket.connected).toBe(true);
    }
  });

  const sign = (
    server: TestServer,
    phone: Phone,
    claims: Record<string, unknown>,
    secret = server.config.secrets.JWT_SOCKET_SECRET,
  ) =>
    new SignJWT({ id: phone.id, username: phone.username, sessionEpoch: 1, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setJti(randomUUID())
      .setIssuer((claims.iss as string) ?? 'strong-together')
      .setAudience((claims.aud as string) ?? 'socket')
      .setExpirationTime((claims.exp as number) ?? '1h')
      .sign(new TextEncoder().encode(secret));

  const bad: Array<[string, string, (fixtures: Fixtures) => unknown]> = [
    ['missing', 'Missing ticket', () => undefined],
    ['empty', 'Missing ticket', () => ''],
    ['no text', 'Missing ticket', () => ({ a: 1 })],
    ['nonsense', 'Invalid or expired ticket', () => 'nonsense'],
    [
      'forged',
      'Invalid or expired ticket',
      ({ server, phone }) => sign(server, phone, {}, 'another secret that is long enough, too'),
    ],
    [
      'expired',
      'Invalid or expired ticket',
      ({ server, phone }) => sign(server, phone, { exp: Math.floor(Date.now() / 1000) - 10 }),
    ],
    ['for another audience', 'Invalid or expired ticket', ({ server, phone }) => sign(server, phone, { aud: 'api' })],
    ['of another issuer', 'Invalid or expired ticket', ({ server, phone }) => sign(server, phone, { iss: 'somebody' })],
    ['of another epoch', 'Invalid or expired ticket', ({ server, phone }) => sign(server, phone, { sessionEpoch: 99 })],
    [
      'an epoch as text',
      'Invalid or expired ticket',
      ({ server, phone }) => sign(server, phone, { sessionEpoch: '1' }),
    ],
    ['an access token', 'Invalid or expired ticket', ({ tokens }) => tokens.accessToken],
    ['a refresh token', 'Invalid or expired ticket', ({ tokens }) => tokens.refreshToken],
    ['of nobody', 'Unauthorized', ({ server, phone }) => sign(server, phone, { id: randomUUID() })],
  ];
  it.for(bad)(
    '%s: refused with a text that makes the app mint a new one (ID8)',
    async ([_name, text, make], { server, phone, tokens }) => {
      const refused = connect(server.url, { ticket: await make({ server, phone, tokens }) }, { reconnection: false });
      await expect(refused.connected()).rejects.toThrow(text);
      expect(text).toMatch(MINT);
    },
  );

  it('without signature, or signed with RS256 in its header, is refused (ID21)', async ({ server, phone, tokens }) => {
    const [, payload] = (await ticket(phone, tokens)).split('.');
    for (const alg of ['none', 'RS256']) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
      const refused = connect(server.url, { ticket: `${header}.${payload}.` }, { reconnection: false });
      await expect(refused.connected()).rejects.toThrow('Invalid or expired ticket');
    }
  });

  it('of a person who is not verified is refused', async ({ server, phone, tokens }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    await server.sql('update users set is_verified = false where id = $1', [phone.id]);
    await expect(connect(server.url, auth, { reconnection: false }).connected()).rejects.toThrow('Unauthorized');
  });

  it('is no access token and no refresh token', async ({ phone, tokens }) => {
    const socketTicket = await ticket(phone, tokens);
    expect((await phone.get('/api/users/get', socketTicket)).status).toBe(401);
    expect((await phone.refresh(socketTicket)).status).toBe(401);
  });

  it('while the database is away: an error that lets the app try again with the same ticket', async ({
    server,
    phone,
    tokens,
  }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    await server.sql('revoke select on users from service');
    try {
      const waiting = connect(server.url, auth, { reconnection: false });
      const text = await waiting.connected().then(
        () => 'connected',
        (error: Error) => error.message,
      );
      expect(text).toBe('Service temporarily unavailable');
      expect(text).not.toMatch(MINT);
    } finally {
      await server.sql('grant select on users to service');
    }
    await connect(server.url, auth).connected();
  });

  it('polling is refused, in the shape of an answer with an id', async ({ server }) => {
    const response = await server.fetch('/socket.io/?EIO=4&transport=polling');
    expect([response.status, response.headers.get('x-request-id')]).toEqual([
      400,
      expect.stringMatching(/^[\w-]{36}$/),
    ]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('new_message', () => {
  it('has the shape of the inbox, in the zone of the request, on every instance (behaviour 1.9, DA11, DA12)', async ({
    server,
    second,
    phone,
    tokens,
  }) => {
    const exercise = await planOf(phone, tokens.accessToken);
    const auth = { ticket: await ticket(phone, tokens) };
    const sockets = [connect(server.url, auth), connect(second.url, auth)];
    for (const socket of sockets) await socket.connected();
    await finish(phone, tokens.accessToken, exercise, { tz: 'Pacific/Chatham' });
    const [here, there] = await Promise.all(sockets.map((socket) => socket.messages(1)));
    const inbox = await phone.get('/api/messages/getmessages?tz=Pacific%2FChatham', tokens.accessToken);
    const { messages } = (await inbox.json()) as { messages: unknown[] };
    expect(here?.[0]).toStrictEqual(messages[0]);
    expect(there?.[0]).toStrictEqual(messages[0]);
    expect(here?.[0]).toMatchObject({ subject: 'Workout Done!', sender_full_name: 'System Bot' });
    expect(here?.[0]?.sent_at).toMatch(/\+1[23]:45$/);
  });

  it('a workout that was stored before sends nothing again', async ({ second, phone, tokens }) => {
    const exercise = await planOf(phone, tokens.accessToken);
    const socket = await connect(second.url, { ticket: await ticket(phone, tokens) }).connected();
    const start = new Date().toISOString();
    for (let n = 0; n < 3; n++)
      await finish(phone, tokens.accessToken, exercise, { workout_start_utc: start, workout_end_utc: start });
    await finish(phone, tokens.accessToken, exercise);
    expect(await socket.messages(2)).toHaveLength(2);
  });

  it('nothing is emitted for a change that was not committed (DA2)', async ({ server, phone, tokens }) => {
    const exercise = await planOf(phone, tokens.accessToken);
    const socket = await connect(server.url, { ticket: await ticket(phone, tokens) }).connected();
    await server.sql(`
      create function refuse_commit() returns trigger language plpgsql as 'begin raise exception $x$no$x$; end';
      create constraint trigger refuse_commit after insert on workout_summary
      deferrable initially deferred for each row execute function refuse_commit()`);
    try {
      const response = await phone.post('/api/workouts/finishworkout', tokens.accessToken, {
        workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
      });
      expect(response.status).toBe(500);
    } finally {
      await server.sql('drop trigger refuse_commit on workout_summary; drop function refuse_commit()');
    }
    await finish(phone, tokens.accessToken, exercise);
    expect(await socket.messages(1)).toHaveLength(1);
  });

  it('200 people: each hears their own messages and nobody else, whatever the instance', async ({ server, second }) => {
    const join = async (n: number) => {
      const who = await newPhone(server);
      const { accessToken } = await who.tokens();
      const url = n % 2 ? server.url : second.url;
      const socket = await connect(url, { ticket: await ticketOf(who, accessToken) }).connected();
      return { who, accessToken, socket };
    };
    const people: Array<Awaited<ReturnType<typeof join>>> = [];
    // Some at a time: who signs in beside 199 others may be told to come back later.
    while (people.length < 200) people.push(...(await Promise.all(Array.from({ length: 25 }, (_, n) => join(n)))));
    const some = people.slice(0, 40);
    await Promise.all(
      some.map(async ({ who, accessToken }) => finish(who, accessToken, await planOf(who, accessToken))),
    );
    await Promise.all(some.map(({ socket }) => socket.messages(1)));
    await new Promise((done) => setTimeout(done, 300));
    for (const [n, { who, socket }] of people.entries()) {
      const own = await server.sql("select id from messages where receiver_id = $1 and subject = 'Workout Done!'", [
        who.id,
      ]);
      expect(socket.arrived.map(({ id }) => id)).toEqual(n < 40 ? own.map(({ id }) => id) : []);
    }
  });

  it('the welcome of a first sign-in reaches a socket that is open, in the stored zone', async ({
    server,
    phone,
    tokens,
  }) => {
    const socket = await connect(server.url, { ticket: await ticket(phone, tokens) }).connected();
    await server.sql("update user_reminder_settings set timezone = 'Asia/Tokyo' where user_id = $1", [phone.id]);
    await server.sql('delete from messages where receiver_id = $1', [phone.id]);
    await server.sql('update users set is_first_login = true where id = $1', [phone.id]);
    // The sign-in also ends this socket: the message comes before that or not at all.
    const ended = socket.ended();
    await phone.tokens();
    await ended;
    const [welcome] = await server.sql('select subject from messages where receiver_id = $1', [phone.id]);
    expect(welcome?.subject).toMatch(/^Welcome to Strong Together, Dana!$/);
    for (const item of socket.arrived) expect(item.sent_at).toMatch(/\+09:00$/);
  });
});

describe('npm run message:send', () => {
  const send = async (server: TestServer, ...args: string[]) => {
    const db = openDatabase({
      url: server.databaseUrl,
      poolSize: 1,
      preparedStatements: true,
      log: buildLog('silent'),
    });
    const said: string[] = [];
    try {
      const operator = {
        config: server.config,
        db,
        ownerUrl: server.databaseUrl,
        log: buildLog('silent'),
        outbox: buildOutbox(),
        args,
      };
      await sendMessage({ ...operator, say: (line) => said.push(line), progress: (line) => said.push(line) });
    } finally {
      await db.close();
    }
    return said;
  };

  it('writes to one inbox and emits to sockets of every instance', async ({ server, second, phone, tokens }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    const sockets = [connect(server.url, auth), connect(second.url, auth)];
    for (const socket of sockets) await socket.connected();
    expect(await send(server, '--to', phone.username, '--subject', 'New', '--body', 'Supersets are here.')).toEqual([
      `Sent to ${phone.username}.`,
    ]);
    for (const socket of sockets) {
      expect(await socket.messages(1)).toMatchObject([{ subject: 'New', msg: 'Supersets are here.' }]);
    }
  });

  it('to all: once to everybody who is verified, in batches', async ({ server, second, phone, tokens }) => {
    const others = await Promise.all(Array.from({ length: 3 }, () => newPhone(server)));
    await server.sql(
      `insert into users (username, email, is_verified)
       select 'crowd_' || n, 'crowd' || n || '@example.com', n % 10 > 0 from generate_series(1, 1200) n`,
    );
    const socket = await connect(second.url, { ticket: await ticket(phone, tokens) }).connected();
    const said = await send(server, '--to', 'all', '--subject', 'Pause', '--body', 'Tonight at two.');
    const [people] = await server.sql("select count(*)::int as n from users where is_verified and role <> 'System'");
    expect(said.length).toBeGreaterThan(2);
    expect(said.at(-1)).toBe(`Sent to ${people?.n} people.`);
    const sent = await server.sql(
      "select count(*)::int as n, count(distinct receiver_id)::int as people from messages where subject = 'Pause'",
    );
    expect(sent).toEqual([{ n: people?.n, people: people?.n }]);
    expect(await socket.messages(1)).toMatchObject([{ subject: 'Pause' }]);
    const inbox = await server.sql("select 1 from messages where subject = 'Pause' and receiver_id = any ($1)", [
      others.map(({ id }) => id),
    ]);
    expect(inbox).toHaveLength(3);
  });

  it('says how it is used, and when there is nobody', async ({ server }) => {
    for (const args of [[], ['--to', 'all'], ['--what'], ['--to', 'all', '--subject', ' ', '--body', 'x']]) {
      await expect(send(server, ...args)).rejects.toThrow('Usage: npm run message:send');
    }
    await expect(send(server, '--to', 'nobody_here', '--subject', 'a', '--body', 'b')).rejects.toThrow('nobody_here');
    await expect(send(server, '--to', 'system_bot', '--subject', 'a', '--body', 'b')).rejects.toThrow('nobody');
  });
});

describe('the end of a session ends its sockets, everywhere and at once (ID9)', () => {
  const call = (server: TestServer, phone: Phone, tokens: Tokens, method: string, path: string) =>
    server.fetch(path, {
      method,
      headers: {
        authorization: `DPoP ${tokens.accessToken}`,
        dpop: makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken: tokens.accessToken }),
      },
    });
  const ends: Array<[string, (fixtures: Fixtures) => Promise<unknown>]> = [
    ['logout', ({ phone, tokens }) => phone.post('/api/auth/logout', tokens.accessToken, {})],
    ['a sign-in elsewhere', ({ phone }) => phone.login()],
    [
      'the deletion of the account',
      ({ server, phone, tokens }) => call(server, phone, tokens, 'DELETE', '/api/users/deleteself'),
    ],
  ];
  it.for(ends)('%s', async ([_name, end], { server, second, phone, tokens }) => {
    const old = { ticket: await ticket(phone, tokens) };
    const sockets = await Promise.all([server.url, second.url].map((url) => connect(url, old).connected()));
    const ended = sockets.map((socket) => socket.ended());
    const started = performance.now();
    await end({ server, phone, tokens });
    expect(await Promise.all(ended)).toEqual(['io server disconnect', 'io server disconnect']);
    expect(performance.now() - started).toBeLessThan(5_000); // the regular look comes after 15 s
    for (const url of [server.url, second.url]) {
      await expect(connect(url, old, { reconnection: false }).connected()).rejects.toThrow(MINT);
    }
  });

  it('a password reset', async ({ server, second, phone, tokens }) => {
    const sockets = await Promise.all(
      [server.url, second.url].map(async (url) => connect(url, { ticket: await ticket(phone, tokens) }).connected()),
    );
    const ended = sockets.map((socket) => socket.ended());
    const post = (path: string, method: string, body: object) =>
      server.fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    await post('/api/auth/forgotpassemail', 'POST', { identifier: phone.username });
    const mail = await server.mailTo(`${phone.username}@example.com`, 'Reset your password');
    const token = new URL(/https?:\/\/\S+/.exec(mail.text)?.[0] ?? '').searchParams.get('token');
    expect(
      (await post(`/api/auth/resetpassword?token=${token}`, 'PUT', { newPassword: 'another password' })).status,
    ).toBe(200);
    expect(await Promise.all(ended)).toEqual(['io server disconnect', 'io server disconnect']);
  });

  it('a refresh ends nothing, and the ticket from before it still opens sockets', async ({
    server,
    second,
    phone,
    tokens,
  }) => {
    const before = { ticket: await ticket(phone, tokens) };
    const socket = await connect(second.url, before).connected();
    expect((await phone.refresh(tokens.refreshToken)).status).toBe(200);
    await connect(server.url, before).connected();
    await new Promise((done) => setTimeout(done, 300));
    expect(socket.socket.connected).toBe(true);
  });

  it('a sign-in leaves the sockets of the new session alone', async ({ server, second, phone, tokens }) => {
    for (let n = 0; n < 5; n++) {
      tokens = await phone.tokens();
      const socket = await connect(n % 2 ? server.url : second.url, {
        ticket: await ticket(phone, tokens),
      }).connected();
      await new Promise((done) => setTimeout(done, 50));
      expect(socket.socket.connected).toBe(true);
    }
  });
});

describe('a phone in a tunnel', () => {
  it.for([
    ['the same instance', 'server'],
    ['another instance', 'second'],
  ] as const)(
    'gets what it missed when it comes back to %s: once, in order',
    async ([_name, next], { server, second, phone, tokens }) => {
      const exercise = await planOf(phone, tokens.accessToken);
      const [before, after] = await Promise.all(
        [server, { server, second }[next]].map(({ url }) => startTcpProxy(Number(new URL(url).port))),
      );
      try {
        const auth = { ticket: await ticket(phone, tokens) };
        const socket = await connect(`http://127.0.0.1:${before?.port}`, auth).connected();
        await finish(phone, tokens.accessToken, exercise);
        await socket.messages(1);
        const left = socket.ended();
        before?.cut();
        await left;
        for (let n = 0; n < 3; n++) await finish(phone, tokens.accessToken, exercise);
        // As a balancer would: the next connection may lead to another instance.
        (socket.socket.io as unknown as { uri: string }).uri = `http://127.0.0.1:${after?.port}`;
        if (after === before) before?.restore();
        await socket.messages(4);
        await finish(phone, tokens.accessToken, exercise);
        await socket.messages(5);
        const inbox = (await (await phone.get('/api/messages/getmessages', tokens.accessToken)).json()) as {
          messages: Array<{ id: string; subject: string }>;
        };
        const sent = inbox.messages.filter(({ subject }) => subject === 'Workout Done!').map(({ id }) => id);
        expect(socket.arrived.map(({ id }) => id)).toEqual(sent.toReversed());
      } finally {
        await Promise.all([before?.close(), after?.close()]);
      }
    },
  );

  it('whose session ended meanwhile gets nothing of it', async ({ server, phone, tokens }) => {
    const exercise = await planOf(phone, tokens.accessToken);
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    try {
      const socket = await connect(`http://127.0.0.1:${proxy.port}`, {
        ticket: await ticket(phone, tokens),
      }).connected();
      await finish(phone, tokens.accessToken, exercise);
      await socket.messages(1);
      const left = socket.ended();
      proxy.cut();
      await left;
      const elsewhere = await phone.tokens();
      await finish(phone, elsewhere.accessToken, exercise);
      proxy.restore();
      await vi.waitFor(() => expect(socket.refusals.at(-1)).toBe('Invalid or expired ticket'), { timeout: 15_000 });
      expect(socket.arrived).toHaveLength(1);
    } finally {
      await proxy.close();
    }
  });
});

describe('limits', () => {
  it("a person's eleventh socket ends the oldest", async ({ limited, phone, tokens }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    const first = await connect(limited.url, auth).connected();
    const ended = first.ended();
    for (let n = 0; n < 10; n++) await connect(limited.url, auth).connected();
    expect(await ended).toBe('io server disconnect');
    expect(open.filter(({ socket }) => socket.connected)).toHaveLength(10);
  });

  it('a socket that sends many events, or a large one, is dropped; unknown ones are ignored', async ({
    limited,
    phone,
    tokens,
  }) => {
    const auth = { ticket: await ticket(phone, tokens) };
    const odd = await connect(limited.url, auth).connected();
    odd.socket.emit('join', 'another room');
    odd.socket.emit('user_loggedin', { what: 'ever' }, () => undefined);
    await new Promise((done) => setTimeout(done, 200));
    expect(odd.socket.connected).toBe(true);
    const noisy = odd.ended();
    for (let n = 0; n < 50; n++) odd.socket.emit('noise');
    expect(await noisy).toBe('io server disconnect');

    const large = await connect(limited.url, auth, { reconnection: false }).connected();
    const dropped = large.ended();
    large.socket.emit('user_loggedin', 'x'.repeat(20_000));
    expect(await dropped).toBe('transport close');
  });

  it('handshakes are counted by address, and the refusal does not make the app mint tickets', async ({
    limited,
    phone,
    tokens,
  }) => {
    await limited.redis.set('limit:socketHandshakes:203.0.113.7', '600', 'EX', 60);
    const options = { reconnection: false, extraHeaders: { 'x-forwarded-for': '203.0.113.7' } };
    const refused = connect(limited.url, { ticket: await ticket(phone, tokens) }, options);
    const text = await refused.connected().then(
      () => 'connected',
      (error: Error) => error.message,
    );
    expect(text).toBe('websocket error'); // refused before the upgrade
    expect(text).not.toMatch(MINT);
  });
});

it('a phone that does not read is dropped, and the others go on', async ({ server, phone, tokens }) => {
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  try {
    const auth = { ticket: await ticket(phone, tokens) };
    const stuck = await connect(`http://127.0.0.1:${proxy.port}`, auth, { reconnection: false }).connected();
    const fine = await connect(server.url, auth).connected();
    const pending = () => server.logged.filter((line) => line.includes('slow consumer')).length;
    proxy.freeze();
    const msg = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 12; n++) {
      await server.sql("insert into messages (receiver_id, subject, msg) values ($1, 'Long', $2)", [phone.id, msg]);
    }
    const rows = await server.sql('select id from messages where receiver_id = $1 and subject = $2', [
      phone.id,
      'Long',
    ]);
    await server.sql(
      `insert into outbox (kind, payload, dedupe_key, expires_at)
       values ('messages.announce', jsonb_build_object('ids', $1::text), gen_random_uuid()::text, now() + interval '1 minute')`,
      [rows.map(({ id }) => id).join(' ')],
    );
    await fine.messages(12);
    await vi.waitFor(() => expect(pending()).toBeGreaterThan(0), { timeout: 20_000, interval: 100 });
    expect(fine.socket.connected).toBe(true);
    stuck.socket.disconnect();
  } finally {
    await proxy.close();
  }
});

describe('while Redis is away', () => {
  it('sockets of the same instance hear everything, and both hear again once it is back', async ({
    server,
    phone,
    tokens,
  }) => {
    const redisProxy = await startTcpProxy(Number(new URL(server.config.redisUrl ?? '').port));
    const redisUrl = new URL(server.config.redisUrl ?? '');
    redisUrl.port = String(redisProxy.port);
    const cutOff = await startTestServer({ sharing: server, env: { REDIS_URL: redisUrl.href } });
    try {
      const exercise = await planOf(phone, tokens.accessToken);
      const auth = { ticket: await ticket(phone, tokens) };
      const [here, there] = [connect(cutOff.url, auth), connect(server.url, auth)];
      await Promise.all([here.connected(), there.connected()]);
      redisProxy.cut();
      const url = '/api/workouts/finishworkout';
      const finishOn = async (target: TestServer) => {
        const start = new Date(Date.now() - ++workouts * 60_000).toISOString();
        const response = await target.fetch(url, {
          method: 'POST',
          headers: {
            authorization: `DPoP ${tokens.accessToken}`,
            dpop: makeProof(phone.key, `POST ${target.url}${url}`, { accessToken: tokens.accessToken }),
            'content-type': 'application/json',
          },
          body: JSON.stringify({
            workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
            workout_start_utc: start,
            workout_end_utc: start,
          }),
        });
        expect(response.status).toBe(200);
      };
      await finishOn(cutOff);
      await here.messages(1);
      redisProxy.restore();
      const hasArrived = async () => {
        await finishOn(cutOff);
        return there.arrived.length > 0;
      };
      await vi.waitUntil(hasArrived, { timeout: 15_000, interval: 250 });
    } finally {
      await cutOff.close();
      await redisProxy.close();
    }
  });
});

it('a browser of a foreign origin may not connect where CORS_ORIGINS narrows', async ({ server, phone, tokens }) => {
  const narrowed = await startTestServer({ sharing: server, env: { CORS_ORIGINS: 'https://app.example.com' } });
  try {
    const auth = { ticket: await ticket(phone, tokens) };
    const from = (origin: string) =>
      connect(narrowed.url, auth, { extraHeaders: { origin }, reconnection: false }).connected();
    await expect(from('https://evil.example.com')).rejects.toThrow('websocket error');
    await from('https://app.example.com');
  } finally {
    await narrowed.close();
  }
});
