import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, vi } from 'vitest';
import { FORGET_CODES, FORGET_SESSIONS } from '#features/housekeeping/housekeeping.queries.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { sql as query } from '#platform/postgres/query.ts';
import { newOtherSession, postSession } from '#tests/helpers/otherSession.ts';
import { newPhone } from '#tests/helpers/person.ts';
import { openSocket } from '#tests/helpers/phoneSocket.ts';
import { makeProof, proofKey } from '#tests/helpers/proof.ts';
import { asSuperuser, startTestServer, type TestServer, withServer } from '#tests/helpers/server.ts';

/* What somebody with a stolen session, or with patience, might try. */

const it = withServer().extend('phone', ({ server }) => newPhone(server));
const LIMITED = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' };
const READ = query<{ id: string }>('test.read')`select u.id from users u`;
const ME = '/api/v1/me';

async function codeFor(server: TestServer, email: string): Promise<string> {
  expect((await postSession(server, '/code', proofKey(), { email })).status).toBe(204);
  const mail = await server.mailTo(email, 'Your Strong Together sign-in code');
  return /\b\d{8}\b/.exec(mail.text)?.[0] ?? '';
}

it('a code is worth nothing for an address that the account no longer has, however late that is seen', async ({
  server,
  phone,
}) => {
  const code = await codeFor(server, phone.email);
  const holder = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from users where id = $1 for no key update', [phone.id]);
    const held = postSession(server, '', proofKey(), { email: phone.email, code });
    await vi.waitFor(async () => {
      const waiting = await server.sql(
        "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%holdAccount%' and datname = current_database()",
      );
      expect(waiting.length).toBe(1);
    });
    await holder.query("update users set email = 'new_' || email where id = $1", [phone.id]);
    await holder.query('commit');
    expect((await held).status).toBe(401);
  } finally {
    await holder.end();
  }
});

it('two changes of a password at once sign nobody out', async ({ server, phone }) => {
  const one = await newOtherSession(server, phone);
  const change = (newPassword: string) =>
    one.call('PUT', '/api/v1/me/password', { password: phone.password, newPassword });
  const answers = await Promise.all([change('another horse 1'), change('another horse 2')]);
  expect((await one.call('GET', ME)).status).toBe(200);
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
});

it('a replica does not answer for a session that has ended', async ({ server, phone }) => {
  await phone.tokens();
  const db = openDatabase({
    url: server.databaseUrl,
    replicaUrl: server.databaseUrl,
    poolSize: 3,
    preparedStatements: true,
    log: buildLog('silent'),
  });
  try {
    const [u] = await server.sql<{ session_epoch: number }>('select session_epoch::int from users where id = $1', [
      phone.id,
    ]);
    const epoch = Number(u?.session_epoch);
    const read = (session: { userId: string; epoch: number; otherId?: string }) =>
      db.asUser(session, 'read', (tx) => tx.rows(READ), undefined, { session_epoch: epoch });
    await expect(
      db.asUser({ userId: phone.id, epoch: epoch - 1 }, 'read', (tx) => tx.rows(READ), undefined, {
        session_epoch: epoch - 1,
      }),
    ).rejects.toThrow('ended');
    await expect(read({ userId: phone.id, epoch, otherId: randomUUID() })).rejects.toThrow('ended');
  } finally {
    await db.close();
  }
});

it('a socket ticket needs no header of the app', async ({ server, phone }) => {
  const one = await newOtherSession(server, phone);
  const path = '/api/ws/generateticket';
  const ask = (agent: string) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: {
        'user-agent': agent,
        authorization: `DPoP ${one.accessToken}`,
        dpop: makeProof(one.key, `POST ${server.url}${path}`, { accessToken: one.accessToken }),
      },
    });
  expect([(await ask('Mozilla/5.0')).status, (await ask('curl/8')).status]).toEqual([201, 201]);
});

it('a session that sends too much cannot keep the owner from ending it', async ({ server, phone }) => {
  const limited = await startTestServer({ sharing: server, env: LIMITED });
  try {
    const thief = await newOtherSession(limited, phone);
    const owner = await newOtherSession(limited, phone);
    for (let n = 0; n < 26; n++) await Promise.all(Array.from({ length: 10 }, () => thief.call('GET', ME)));
    const end = await owner.call('DELETE', `/api/v1/sessions/${thief.session.id}`);
    expect(end.status).toBe(204);
  } finally {
    await limited.close();
  }
});

it('cleaning leaves a code and a session that were renewed meanwhile', async ({ server, phone }) => {
  await server.sql(
    "insert into sign_in_codes (user_id, email, expires_at) values ($1, $2, now() - interval '1 minute')",
    [phone.id, phone.email],
  );
  const [s] = await server.sql<{ id: string }>(
    "insert into other_sessions (user_id, expires_at) values ($1, now() - interval '1 s') returning id",
    [phone.id],
  );
  for (const [text, update, count] of [
    [
      FORGET_CODES.text,
      `update sign_in_codes set expires_at = now() + interval '10 minutes', nonce = gen_random_uuid() where user_id = '${phone.id}'`,
      'select 1 from sign_in_codes where user_id = $1',
    ],
    [
      FORGET_SESSIONS.text,
      `update other_sessions set expires_at = now() + interval '10 days' where id = '${s?.id}'`,
      'select 1 from other_sessions where user_id = $1',
    ],
  ] as const) {
    const [a, b] = [1, 2].map(() => new pg.Client({ connectionString: asSuperuser(server.databaseUrl) })) as [
      pg.Client,
      pg.Client,
    ];
    await a.connect();
    await b.connect();
    await a.query('begin');
    await a.query(update);
    const del = b.query(text, [100]);
    await new Promise((done) => setTimeout(done, 300));
    await a.query('commit');
    await del;
    const left = (await server.sql(count, [phone.id])).length;
    await a.end();
    await b.end();
    expect.soft(left).toBe(1);
  }
});

it('sessions whose tokens have expired are given up first', async ({ server, phone }) => {
  const old = await newOtherSession(server, phone);
  await server.sql(
    "insert into other_sessions (user_id, expires_at) select $1, now() - interval '1 minute' from generate_series(1, 19)",
    [phone.id],
  );
  await newOtherSession(server, phone);
  expect((await old.call('GET', ME)).status).toBe(200);
});

it('many sockets of one session leave that of the phone', async ({ server, phone }) => {
  const limited = await startTestServer({ sharing: server, env: LIMITED });
  try {
    const { accessToken } = await phone.tokens();
    const { ticket: mine } = (await (await phone.post('/api/ws/generateticket', accessToken, {})).json()) as {
      ticket: string;
    };
    const p = openSocket(limited.url, { ticket: mine }, { reconnection: false });
    await p.connected();
    const one = await newOtherSession(limited, phone);
    const { ticket } = (await (await one.call('POST', '/api/ws/generateticket')).json()) as { ticket: string };
    const others = [];
    for (let n = 0; n < 10; n++) {
      const o = openSocket(limited.url, { ticket }, { reconnection: false });
      await o.connected();
      others.push(o);
    }
    await new Promise((d) => setTimeout(d, 300));
    for (const o of others) o.socket.disconnect();
    expect(p.socket.connected).toBe(true);
  } finally {
    await limited.close();
  }
});
