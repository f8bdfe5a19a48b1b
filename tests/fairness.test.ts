import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import pg from 'pg';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import { startSupabase } from './fakes/supabase.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { asSuperuser, fixtures, startTestServer, type TestServer, withServer } from './helpers/server.ts';

let walks = 0;
/** Another record each time: the same one within a minute is one. */
const addCardio = (phone: Phone, token: string) =>
  phone.post('/api/aerobics/add', token, { record: { type: `Walk ${walks++}`, durationMins: 1 } });

/** With a connection beside the server's that holds rows. */
const fewConnections = withServer({ env: { DATABASE_POOL_SIZE: '3' } }).extend(
  'holder',
  { scope: 'file' },
  async ({ server }, { onCleanup }) => {
    const holder = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    onCleanup(() => holder.end());
    await holder.connect();
    return holder;
  },
);
const limited = withServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
const withPictures = fixtures
  .extend('supabase', { scope: 'file' }, ({ untilEnd }) => untilEnd(startSupabase()))
  .extend('server', { scope: 'file' }, ({ untilEnd, supabase }) =>
    untilEnd(startTestServer({ env: { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE: 'service-role' } })),
  )
  .extend('phone', { scope: 'file' }, ({ server }) => newPhone(server))
  .extend('token', { scope: 'file' }, async ({ phone }) => (await phone.tokens()).accessToken)
  .extend('large', { scope: 'file' }, () =>
    sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'green' } })
      .jpeg()
      .toBuffer(),
  );

describe('one person who sends too much', () => {
  const it = fewConnections;

  let [greedy, other]: [Phone | undefined, Phone | undefined] = [undefined, undefined];
  it.afterEach(({ holder }) => holder.query('rollback'));

  /** Two people, and a lock on the row of the first: whatever changes something for them has to wait. */
  async function heldPerson(server: TestServer, holder: pg.Client) {
    [greedy, other] = [await newPhone(server), await newPhone(server)];
    const tokens = [await greedy.tokens(), await other.tokens()] as const;
    await holder.query('begin');
    await holder.query('select 1 from users where id = $1 for update', [greedy.id]);
    return { greedy, other, greedyTokens: tokens[0], otherTokens: tokens[1] };
  }

  it('waits in a queue of their own, takes no connection from others, and is refused when it is full', async ({
    server,
    holder,
  }) => {
    const { greedy, other, greedyTokens, otherTokens } = await heldPerson(server, holder);
    const flood = Array.from({ length: 80 }, () => addCardio(greedy, greedyTokens.accessToken));
    const refused = await Promise.race(flood); // the first answers are those of the full queue
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    for (let round = 0; round < 5; round++) {
      expect((await other.get('/api/users/get', otherTokens.accessToken)).status).toBe(200);
      expect((await addCardio(other, otherTokens.accessToken)).status).toBe(201);
    }
    expect((await other.refresh(otherTokens.refreshToken)).status).toBe(200);
    await holder.query('rollback');
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([201, 429]));
    const [row] = await server.sql<{ n: string }>('select count(*) as n from aerobictracking where user_id = $1', [
      greedy.id,
    ]);
    expect(Number(row?.n)).toBe(statuses.filter((status) => status === 201).length);
  });

  it('a refresh and the guard need none of the connections that everybody shares', async ({ server, holder }) => {
    const { greedy, other, otherTokens } = await heldPerson(server, holder);
    const third = await newPhone(server);
    await holder.query('select 1 from users where id = $1 for update', [third.id]);
    // Sign-ins of two people wait for their rows, and hold all connections but the reserved one.
    const signIns = [greedy.login(), third.login()];
    const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%startSession%'";
    await vi.waitFor(async () => expect(await server.sql(waiting)).toHaveLength(2));
    const refreshed = await other.refresh(otherTokens.refreshToken);
    const { accessToken } = (await refreshed.json()) as { accessToken: string };
    expect(refreshed.status).toBe(200);
    // The guard has let it in before it waits for a connection.
    const read = other.get('/api/users/get', accessToken);
    const [row] = await server.sql('select token_version_used as used from users where id = $1', [other.id]);
    await vi.waitFor(async () =>
      expect(await server.sql('select token_version_used as used from users where id = $1', [other.id])).toEqual([
        { used: true },
      ]),
    );
    expect(row).toBeDefined();
    await holder.query('rollback');
    expect((await read).status).toBe(200);
    expect((await Promise.all(signIns)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('a refresh of somebody whose row is held waits without a connection, and is answered when it is free', async ({
    server,
    holder,
  }) => {
    const { greedy, other, greedyTokens, otherTokens } = await heldPerson(server, holder);
    const own = greedy.refresh(greedyTokens.refreshToken);
    for (let round = 0; round < 3; round++) expect((await other.refresh(otherTokens.refreshToken)).status).toBe(200);
    await holder.query('rollback');
    expect((await own).status).toBe(200);
  });

  it('signs in over and over: the others find connections all the same', async ({ server, holder }) => {
    const { greedy, other, otherTokens } = await heldPerson(server, holder);
    const flood = Array.from({ length: 12 }, () => greedy.login());
    const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock'";
    await vi.waitFor(async () => expect(await server.sql(waiting)).not.toHaveLength(0));
    for (let round = 0; round < 4; round++) {
      expect((await other.get('/api/users/get', otherTokens.accessToken)).status).toBe(200);
      expect((await addCardio(other, otherTokens.accessToken)).status).toBe(201);
    }
    await holder.query('rollback');
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('whose phone another one takes: phones of other people change hands meanwhile', async ({ server, holder }) => {
    const { greedy, other, otherTokens } = await heldPerson(server, holder);
    const third = await newPhone(server);
    const thirdToken = (await third.tokens()).accessToken;
    await holder.query("update users set push_token = 'ExponentPushToken[held]' where id = $1", [greedy.id]);
    await holder.query('commit');
    await holder.query('begin');
    await holder.query('select 1 from users where id = $1 for update', [greedy.id]);
    const put = (phone: Phone, accessToken: string, pushToken: string) =>
      server.fetch('/api/users/pushtoken', {
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          authorization: `DPoP ${accessToken}`,
          dpop: makeProof(phone.key, `PUT ${server.url}/api/users/pushtoken`, { accessToken }),
        },
        body: JSON.stringify({ token: pushToken }),
      });
    const taking = put(other, otherTokens.accessToken, 'ExponentPushToken[held]');
    for (let round = 0; round < 3; round++) {
      expect((await put(third, thirdToken, `ExponentPushToken[free${round}]`)).status).toBe(204);
    }
    await holder.query('rollback');
    expect((await taking).status).toBe(204);
  });

  it('on two instances: a change waits for the row, and no connection is given up for it', async ({
    server,
    holder,
  }) => {
    const { greedy } = await heldPerson(server, holder);
    const log = buildLog('silent');
    const open = () => openDatabase({ url: server.databaseUrl, poolSize: 5, preparedStatements: true, log });
    const instances = [open(), open()];
    const [row] = await server.sql<{ e: string }>('select session_epoch as e from users where id = $1', [greedy.id]);
    const session = { userId: greedy.id, epoch: Number(row?.e) };
    const pid = sql<{ pid: number }>('test.pid')`select pg_backend_pid() as pid`;
    const before = await Promise.all(instances.map((db) => db.asService((tx) => tx.one(pid))));
    const changes = instances.map((db) => db.asUser(session, 'write', (tx) => tx.one(pid)));
    const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%app.hold_session%'";
    for (let seen = 0; seen < 4; ) if ((await server.sql(waiting)).length > 1) seen++; // both have waited for a while
    await new Promise((done) => setTimeout(done, 1_200)); // longer than one try
    await holder.query('rollback');
    expect(await Promise.all(changes)).toEqual(before); // the same connections
    await Promise.all(instances.map((db) => db.close()));
  });
});

it('a process that is too busy to read does not take the database for dead', async () => {
  const server = await startTestServer();
  try {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    const answers = [1, 2, 3].map(() => phone.get('/api/workouts/gettracking', accessToken));
    await new Promise((done) => setTimeout(done, 20));
    const end = performance.now() + 2_000; // longer than PostgreSQL may stay silent
    while (performance.now() < end);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  } finally {
    await server.close();
  }
});

describe('guesses from one address', () => {
  const it = limited;

  const guess = (server: TestServer, identifier: string, address: string, password = 'wrong password') =>
    server.fetch('/api/auth/login', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'dpop-key-binding': 'x'.repeat(43),
        'x-forwarded-for': address,
      },
      body: JSON.stringify({ identifier, password }),
    });
  const failures = async (server: TestServer) =>
    Number(
      (await server.sql<{ n: string }>("select count(*) as n from security_events where kind = 'login-failed'"))[0]?.n,
    );

  it('at the same time are compared thirty times, not once for each, and hold up nobody on another address', async ({
    server,
  }) => {
    const owner = await newPhone(server);
    const flood = Array.from({ length: 95 }, (_, n) => guess(server, `nobody_${n}`, '198.51.100.1'));
    let left = flood.length;
    for (const answer of flood) answer.then(() => left--);
    const right = await guess(server, owner.username, '198.51.100.2', owner.password);
    expect([right.status, left > 0]).toEqual([200, true]);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect(statuses.filter((status) => status === 429)).toHaveLength(65);
    expect(await failures(server)).toBe(30);
  });

  it('that are right never count, however many at once', async ({ server }) => {
    const owner = await newPhone(server);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => guess(server, owner.username, '198.51.100.3', owner.password)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect((await guess(server, owner.username, '198.51.100.3')).headers.get('ratelimit-remaining')).toBe('4');
  });

  it('with another lower half of an IPv6 address are guesses from the same', async ({ server }) => {
    const name = `name_${randomUUID().slice(0, 8)}`;
    const spellings = [
      '2001:db8:1:1::1',
      '[2001:db8:1:1::2]:443',
      '2001:DB8:1:1:ffff:ffff:ffff:ffff',
      '2001:db8:1:1::9',
    ];
    const statuses: number[] = [];
    for (const address of [...spellings, '2001:db8:1:1::4', '2001:db8:1:1::5']) {
      statuses.push((await guess(server, name, address)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await guess(server, name, '2001:db8:1:2::1')).status).toBe(401); // the next customer
  });

  it('from ever new /64 of one /48 meet a limit, too', async ({ server }) => {
    const name = `name_${randomUUID().slice(0, 8)}`;
    await server.redis.set(`limit:signInFailures:site:${name} 2001:db8:2::/48`, '39', 'EX', 900);
    expect((await guess(server, name, '2001:db8:2:7::1')).status).toBe(401);
    expect((await guess(server, name, '2001:db8:2:8::1')).status).toBe(429);
    expect((await guess(server, name, '2001:db8:3:8::1')).status).toBe(401);
  });

  it('that are refused give back to no limit what they never took from it', async ({ server }) => {
    const name = `name_${randomUUID().slice(0, 8)}`;
    for (const net of ['a', 'b', 'c']) {
      await Promise.all(Array.from({ length: 12 }, () => guess(server, name, `2001:db8:9:${net}::1`)));
    }
    const counter = `limit:signInFailures:site:${name} 2001:db8:9::/48`;
    expect(await server.redis.get(counter)).toBe('15'); // five from each, none less
  });

  it('with a refresh token of an ended session use up nothing of its owner', async ({ server }) => {
    const phone = await newPhone(server);
    const dead = await phone.tokens();
    const live = await phone.tokens();
    for (let n = 0; n < 61; n++) expect((await phone.refresh(dead.refreshToken)).status).toBe(401);
    expect((await phone.refresh(live.refreshToken)).status).toBe(200);
  });

  it('from an IPv4 address are the same with a port or inside IPv6', async ({ server }) => {
    const name = `name_${randomUUID().slice(0, 8)}`;
    const spellings = [
      '203.0.113.9',
      '203.0.113.9:1',
      '::ffff:203.0.113.9',
      '[::ffff:203.0.113.9]:99',
      '203.0.113.9:2',
    ];
    for (const address of spellings) expect((await guess(server, name, address)).status).toBe(401);
    expect((await guess(server, name, '203.0.113.9')).status).toBe(429);
  });
});

it('one person’s requests count together, whatever addresses they come from', async () => {
  const server = await startTestServer({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '0' } });
  try {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    await server.redis.set(`limit:person:${phone.id}`, '239', 'EX', 60);
    expect((await phone.get('/api/users/get', accessToken)).status).toBe(200);
    const refused = await phone.get('/api/users/get', accessToken);
    expect([refused.status, refused.headers.get('ratelimit-limit')]).toEqual([429, '240']);
    // Not used up by somebody who only has the token, or replays a captured request.
    const stranger = await newPhone(server);
    await server.redis.set(`limit:person:${phone.id}`, '0', 'EX', 60);
    for (let n = 0; n < 3; n++) expect((await phone.get('/api/users/get', accessToken, stranger.key)).status).toBe(401);
    expect(await server.redis.get(`limit:person:${phone.id}`)).toBe('0');
  } finally {
    await server.close();
  }
});

describe('pictures', () => {
  const it = withPictures;

  function upload(server: TestServer, by: Phone, accessToken: string, bytes: Buffer) {
    const path = '/api/users/setprofilepic';
    const boundary = 'boundary';
    const body = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n`),
      bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const sent = request(server.url + path, {
      method: 'PUT',
      headers: {
        'x-app-version': '4.5.0',
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': body.length,
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(by.key, `PUT ${server.url}${path}`, { accessToken }),
      },
    });
    const status = new Promise<number | string>((done) => {
      sent.once('response', (response) => done(response.resume().statusCode ?? 0));
      sent.once('error', (error) => done((error as NodeJS.ErrnoException).code ?? 'error'));
    });
    sent.end(body);
    return { status, abort: () => sent.destroy() };
  }

  it('of a client that has hung up are neither decoded nor stored', async ({
    server,
    supabase,
    phone,
    token,
    large,
  }) => {
    const first = upload(server, phone, token, large);
    const abandoned = Array.from({ length: 5 }, () => upload(server, phone, token, large));
    await new Promise((done) => setTimeout(done, 100)); // most have arrived and wait for their turn
    for (const { abort } of abandoned) abort();
    expect(await first.status).toBe(201);
    await vi.waitFor(() => expect(server.logged.filter((line) => line.includes('aborted')).length).toBe(5));
    const last = upload(server, phone, token, large);
    expect(await last.status).toBe(201);
    expect(supabase.requests.filter((line) => line.startsWith('POST')).length).toBeLessThanOrEqual(3);
    expect([...supabase.objects.keys()].filter((key) => key.includes(phone.id))).toHaveLength(1);
  });

  it('that wait are bounded: the one too many is refused, others have their turn between', async ({
    server,
    phone,
    token,
    large,
  }) => {
    const bystander = await newPhone(server);
    const bystandersToken = (await bystander.tokens()).accessToken;
    const flood = Array.from({ length: 20 }, () => upload(server, phone, token, large).status);
    const theirs = await upload(server, bystander, bystandersToken, large).status;
    const statuses = await Promise.all(flood);
    expect(theirs).toBe(201);
    expect(new Set(statuses)).toEqual(new Set([201, 503]));
  }, 60_000);

  it('that no row points to are removed later, whatever happened in between; those in use stay', async ({
    server,
    supabase,
    phone,
    token,
    large,
  }) => {
    supabase.objects.clear();
    expect(await upload(server, phone, token, large).status).toBe(201);
    const [used] = supabase.objects.keys();
    const key = used?.slice('profile_pics/'.length) ?? '';
    // A crash between storing and writing leaves an object, and the intent that was written first.
    const orphan = `${phone.id}/${randomUUID()}.jpg`;
    supabase.objects.set(`profile_pics/${orphan}`, { bytes: large, contentType: 'image/jpeg' });
    await server.sql(
      `insert into outbox (kind, payload, dedupe_key, expires_at)
       values ('pictures.remove-one', jsonb_build_object('key', $1::text), $1, now() + interval '1 hour')`,
      [orphan],
    );
    const pending = () =>
      server.sql(
        "select payload ->> 'key' as key from outbox where kind = 'pictures.remove-one' and status = 'pending'",
      );
    expect(await pending()).toContainEqual({ key });
    await server.sql("update outbox set next_attempt_at = now() where kind = 'pictures.remove-one'");
    await vi.waitFor(async () => expect(await pending()).toEqual([]), { timeout: 10_000 });
    expect([...supabase.objects.keys()]).toEqual([used]);
  });

  it('a store that takes its time holds up no mail', async ({ server, supabase }) => {
    supabase.removalDelay = 3_000;
    try {
      await server.sql(
        `insert into outbox (kind, payload, dedupe_key, expires_at)
         select 'pictures.remove-all', jsonb_build_object('userId', gen_random_uuid()), 'slow ' || n, now() + interval '1 hour'
         from generate_series(1, 250) n`,
      );
      await vi.waitFor(() => expect(supabase.waiting).toBeGreaterThan(50), { timeout: 10_000 });
      const email = 'between@example.com';
      const form = { username: 'between', email, password: 'correct horse' };
      await server.fetch('/api/users/create', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(form),
      });
      await server.mailTo(email);
      expect(supabase.waiting).toBeGreaterThan(0); // the mail did not wait for the store
    } finally {
      supabase.removalDelay = 0;
    }
  });
});
