// How many mails and pushes one worker process delivers to providers that answer at once; see README.md in this folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { startExpo } from '#tests/fakes/expo.ts';
import { startResend } from '#tests/fakes/resend.ts';
import { startProcess } from '#tests/helpers/process.ts';
import { startRedis } from '#tests/setup/redis.ts';

const MAILS = Number(process.env.BENCH_MAILS ?? 5_000);
const PUSHES = Number(process.env.BENCH_PUSHES ?? 20_000);

/** What enqueues that many intents for people who are there already. */
const KINDS = [
  {
    name: 'mails',
    count: MAILS,
    enqueue: `insert into outbox (kind, user_id, payload, dedupe_key, expires_at)
              select 'mail.verification', u.id, jsonb_build_object('email', u.email), 'bench mail ' || u.id, now() + interval '1 hour'
              from users u where u.email is not null limit $1`,
  },
  {
    name: 'daily pushes',
    count: PUSHES,
    enqueue: 'select app.enqueue_daily_pushes(null, now()) where $1::int > 0',
  },
];

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-workers-'));
  const [redis, resend, expo] = await Promise.all([startRedis(), startResend(), startExpo()]);
  const env = {
    DATA_DIR: folder,
    REDIS_URL: redis.url,
    RESEND_API_KEY: 're_bench',
    RESEND_BASE_URL: resend.url,
    EXPO_BASE_URL: expo.url,
    MAIL_MAX_PER_SEC: '10000',
    PUSH_MAX_PER_SEC: '10000',
    DAILY_PUSH_HOUR: 'off',
  };
  const worker = await startProcess('worker', env);
  const url = new URL((await startEmbeddedPostgres(folder)).superuserUrl); // running: it only tells the address
  url.pathname = '/strong_together';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(
      `insert into users (username, email, push_token)
       select 'bench_' || n, 'bench' || n || '@example.com', 'ExponentPushToken[bench' || n || ']'
       from generate_series(1, $1::int) n`,
      [Math.max(MAILS, PUSHES)],
    );
    console.log('| what | number | enqueued in s | delivered in s | a second |\n|---|---:|---:|---:|---:|');
    for (const { name, count, enqueue } of KINDS) {
      const started = performance.now();
      await client.query(enqueue, [count]);
      const enqueued = performance.now();
      for (let pending = 1; pending > 0; ) {
        await pause(200);
        pending = (await client.query("select count(*)::int as n from outbox where status = 'pending'")).rows[0].n;
      }
      const seconds = (performance.now() - enqueued) / 1000;
      const enqueuing = ((enqueued - started) / 1000).toFixed(2);
      console.log(`| ${name} | ${count} | ${enqueuing} | ${seconds.toFixed(1)} | ${(count / seconds).toFixed(0)} |`);
    }
    console.log(
      `\n${resend.sent.size} mails and ${expo.pushes.length} pushes arrived, in ${expo.requests.length} requests to Expo.`,
    );
  } finally {
    await client.end();
    await worker.kill('SIGTERM');
    await Promise.all([redis.stop(), resend.close(), expo.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
