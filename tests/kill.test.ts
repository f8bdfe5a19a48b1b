// What must happen, happens, whatever dies. `npm run test:kill` does it with 500 registrations and 500 reminders.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, it } from 'vitest';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { startExpo } from './fakes/expo.ts';
import { startResend } from './fakes/resend.ts';
import { type ServerProcess, startProcess } from './helpers/process.ts';
import { startRedis } from './setup/redis.ts';

const COUNT = Number(process.env.KILL_COUNT ?? 40);
const CHAOS_MS = COUNT * 80;
/** Longest until everything has ended: a lease, and the pauses between five attempts. */
const SETTLE_MS = 240_000;

it(`${COUNT} registrations and ${COUNT} reminders, while everything dies in turn: each delivered, none lost`, {
  timeout: 600_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-kill-'));
  const [resend, expo] = await Promise.all([startResend(), startExpo()]);
  const [redisPort, postgresPort] = [await freePort(), await freePort()];
  let redis = await startRedis(redisPort);
  const startPostgres = () => startEmbeddedPostgres(folder, ['fsync=off'], postgresPort);
  let postgres = await startPostgres();
  const databaseUrl = postgres.url;
  const superuserUrl = Object.assign(new URL(postgres.superuserUrl), { pathname: '/strong_together' }).href;

  const apiPort = String(await freePort());
  const env = {
    DATA_DIR: folder,
    DATABASE_URL: databaseUrl,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    PUBLIC_BASE_URL: `http://127.0.0.1:${apiPort}`,
    RESEND_API_KEY: 're_test',
    RESEND_BASE_URL: resend.url,
    EXPO_BASE_URL: expo.url,
    MAIL_MAX_PER_SEC: '100',
  };
  const start = async (role: 'api' | 'worker') => {
    for (let tries = 0; ; tries++) {
      try {
        return await startProcess(role, role === 'api' ? { ...env, PORT: apiPort } : env);
      } catch (error) {
        if (tries > 20) throw error; // Redis or PostgreSQL is just away: an operator's supervisor tries again
        await pause(500);
      }
    }
  };
  const processes: Record<'api' | 'first worker' | 'second worker', ServerProcess> = {
    api: await start('api'),
    'first worker': await start('worker'),
    'second worker': await start('worker'),
  };
  const deaths: Record<string, number> = {};
  const sql = async (text: string, values: unknown[] = []) => {
    for (let tries = 0; ; tries++) {
      const client = new pg.Client({ connectionString: superuserUrl });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query(text, values)).rows;
      } catch (error) {
        if (tries > 40) throw error;
        await pause(250);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  };

  /** As a phone whose person taps again: an answer that was lost may have been a success. */
  async function register(n: number): Promise<void> {
    const body = JSON.stringify({ username: `kill_${n}`, email: `kill${n}@example.com`, password: 'long enough' });
    const headers = { 'x-app-version': '4.5.0', 'content-type': 'application/json' };
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${apiPort}/api/users/create`, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(12_000),
      }).catch(() => undefined);
      if (response && [201, 400].includes(response.status)) return;
      await pause(100);
    }
  }

  async function restart(name: keyof typeof processes): Promise<void> {
    await processes[name].kill('SIGKILL');
    processes[name] = await start(name === 'api' ? 'api' : 'worker');
  }
  const disasters: Record<string, () => Promise<void>> = {
    'API killed': () => restart('api'),
    'worker killed': () => restart('first worker'),
    'other worker killed': () => restart('second worker'),
    'Redis flushed': async () => {
      const client = new Redis(env.REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: 0 });
      await client.connect().then(
        () => client.flushall(),
        () => undefined,
      );
      client.disconnect();
    },
    'Redis restarted, empty': async () => {
      await redis.stop();
      await pause(300);
      redis = await startRedis(redisPort);
    },
    'PostgreSQL restarted': async () => {
      const again = await sql('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
      if (again.length > 0) await postgres.stop();
      postgres = await startPostgres();
    },
    'providers answer 500 and 429': async () => {
      resend.failures.push(500, 429, 503, 500);
      expo.failures.push(500, 429, 503);
    },
    'providers say nothing': async () => {
      expo.failures.push('silence');
    },
  };

  try {
    await sql(
      `with person as (
         insert into users (username, push_token, is_verified)
         select 'remind_' || n, 'ExponentPushToken[remind' || n || ']', true from generate_series(1, $1::int) n
         returning id
       ),
       plan as (insert into workoutplans (user_id) select p.id from person p returning id, user_id),
       split as (insert into workoutsplits (workout_id, name) select p.id, 'A' from plan p returning id, workout_id)
       insert into user_split_information (user_id, split_id, estimated_time_utc, confidence, preferred_weekday)
       select p.user_id, s.id, t.at, 1.00, extract(dow from t.at at time zone 'UTC')
       from plan p
       join split s on s.workout_id = p.id
       cross join (select now() + interval '70 minutes' as at) t`,
      [COUNT],
    );
    const end = Date.now() + CHAOS_MS;
    const names = Object.keys(disasters);
    let next = 0;
    const chaos = (async () => {
      while (Date.now() < end || next < names.length) {
        await pause(200 + Math.random() * 800);
        const name = names[next < names.length ? next : Math.floor(Math.random() * names.length)] as string;
        next++;
        deaths[name] = (deaths[name] ?? 0) + 1;
        await disasters[name]?.();
      }
    })();
    const registrations = Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let n = lane; n < COUNT; n += 8) await register(n);
      }),
    );
    const reminders = (async () => {
      while (Date.now() < end) {
        await fetch(`http://127.0.0.1:${apiPort}/api/push/hourlyreminder`).catch(() => undefined);
        // Time passes: some of them fall due.
        await sql(
          `update outbox set next_attempt_at = now()
           where id in (select id from outbox where kind = 'push.reminder' and status = 'pending' and attempts = 0
                        order by random() limit $1)`,
          [Math.ceil(COUNT / 10)],
        );
        await pause(500);
      }
    })();
    await Promise.all([chaos, registrations, reminders]);
    for (let enqueued = false; !enqueued; ) {
      const response = await fetch(`http://127.0.0.1:${apiPort}/api/push/hourlyreminder`).catch(() => undefined);
      enqueued = response?.ok === true;
    }
    await sql(
      "update outbox set next_attempt_at = now() where kind = 'push.reminder' and status = 'pending' and attempts = 0",
    );

    const settled = Date.now() + SETTLE_MS;
    let pending = Number.POSITIVE_INFINITY;
    while (pending > 0 && Date.now() < settled) {
      await pause(1_000);
      pending = (await sql("select count(*)::int as n from outbox where status = 'pending'"))[0].n;
    }

    const counts = await sql('select kind, status, count(*)::int as n from outbox group by 1, 2 order by 1, 2');
    const mails = Map.groupBy([...resend.sent.values()], (mail) => mail.to);
    const pushes = Map.groupBy(expo.pushes, (push) => push.to);
    const twice = [...pushes.values()].filter((sent) => sent.length > 1).length;
    console.log(
      [
        `what died: ${JSON.stringify(deaths)}`,
        `outbox: ${counts.map(({ kind, status, n }) => `${kind} ${status} ${n}`).join(', ')}`,
        `mails: ${mails.size} people, ${resend.sent.size} accepted of ${resend.attempts} tries`,
        `pushes: ${pushes.size} phones, ${expo.pushes.length} accepted; ${twice} phones twice, because Expo knows no idempotency key`,
      ].join('\n'),
    );
    expect(counts).toEqual([
      { kind: 'mail.verification', status: 'sent', n: COUNT },
      { kind: 'push.reminder', status: 'sent', n: COUNT },
    ]);
    expect([...mails.values()].map((sent) => sent.length)).toEqual(Array(COUNT).fill(1));
    expect(pushes.size).toBe(COUNT);
  } finally {
    for (const child of Object.values(processes)) await child.kill('SIGKILL');
    await redis.stop();
    await postgres.stop();
    await Promise.all([resend.close(), expo.close()]);
    await rm(folder, { recursive: true, force: true });
  }
});
