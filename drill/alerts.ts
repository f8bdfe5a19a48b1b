// Fires each alert of ops/alerts.yml once, by Prometheus against running servers with the fault made, and looks whether
// each panel of ops/dashboard.json gets data meanwhile. Windows and waits of the rules are shortened to seconds, their
// thresholds are as they are. As root on Debian, with postgresql, postgresql-NN-cron, redis-server and prometheus:
//   npm run drill:alerts
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import pg from 'pg';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import { loadConfig } from '#src/config.ts';
import { startExpo } from '#tests/fakes/expo.ts';
import { startResend } from '#tests/fakes/resend.ts';
import { startDebianPostgres } from '#tests/helpers/debianPostgres.ts';
import { startProcess } from '#tests/helpers/process.ts';
import { startRedis } from '#tests/setup/redis.ts';
import { keepTokens, makePhones, prepare, prepareLogin, send, ZONE } from '../bench/helpers.ts';
import { whatIsMissing } from './surroundings.ts';

const OPS = join(import.meta.dirname, '../ops');
const PEOPLE = 10;
/** Longest that an alert may take, in milliseconds. */
const PATIENCE_MS = 60_000;
/** Code for a process that holds 900 MB of memory, or keeps its event loop busy nine tenths of the time. */
const HOLD = 'globalThis.held = Buffer.alloc(900e6, 1)';
const BLOCK = 'setInterval(() => { const end = Date.now() + 450; while (Date.now() < end); }, 500).unref()';

const closers: Array<() => Promise<unknown>> = [];
function closing<Value extends { close(): Promise<unknown> } | { stop(): Promise<unknown> }>(value: Value): Value {
  closers.unshift(() => ('close' in value ? value.close() : value.stop()));
  return value;
}

/** Prometheus, which asks these ports every second and knows the rules with windows of ten seconds. */
async function startPrometheus(folder: string, ports: string[]) {
  const rules = (await readFile(join(OPS, 'alerts.yml'), 'utf8'))
    .replaceAll(/\[\d+m\]/g, '[10s]')
    .replaceAll(/\bfor: \d+m/g, 'for: 2s');
  await writeFile(join(folder, 'alerts.yml'), rules);
  const targets = ports.map((port) => `'127.0.0.1:${port}'`).join(', ');
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [alerts.yml]
scrape_configs:
  - job_name: strong-together
    static_configs: [{ targets: [${targets}] }]
`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const files = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`];
  const child = spawn('prometheus', [...files, `--web.listen-address=${address}`, '--log.level=error'], {
    stdio: 'inherit',
  });
  closers.unshift(async () => void child.kill('SIGKILL'));
  const ask = async <Data>(path: string): Promise<Data> =>
    ((await (await fetch(`http://${address}/api/v1/${path}`)).json()) as { data: Data }).data;
  return {
    firing: async () => {
      const { alerts } = await ask<{ alerts: Array<{ state: string; labels: { alertname: string } }> }>('alerts');
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
    },
    hasData: async (expression: string) => {
      const query = encodeURIComponent(expression.replaceAll('$__rate_interval', '10s'));
      const { result } = await ask<{ result: Array<{ value: [number, string] }> }>(`query?query=${query}`);
      return result.some(({ value }) => !Number.isNaN(Number(value[1])));
    },
  };
}

interface Panel {
  title: string;
  targets: Array<{ expr: string }>;
}

async function drill(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-alerts-'));
  closers.unshift(() => rm(folder, { recursive: true, force: true }));
  const [resend, expo, redis] = [closing(await startResend()), closing(await startExpo()), closing(await startRedis())];
  const primary = closing(await startDebianPostgres());
  const { SYSTEM_USER_ID: systemUserId } = loadConfig({ DATA_DIR: folder }, developmentSecrets);
  await migrate({ url: primary.url, folder: join(import.meta.dirname, '../db'), systemUserId });
  const [port, ...metrics] = await Promise.all([1, 2, 3, 4, 5].map(async () => String(await freePort())));
  const url = `http://127.0.0.1:${port}`;
  const env = {
    DATA_DIR: folder,
    DATABASE_URL: primary.url,
    DATABASE_POOL_SIZE: '4',
    REDIS_URL: redis.url,
    PUBLIC_BASE_URL: url,
    RESEND_API_KEY: 're_drill',
    RESEND_BASE_URL: resend.url,
    EXPO_BASE_URL: expo.url,
    MAIL_MAX_PER_SEC: '2',
    METRICS_PORT: metrics[0] ?? '',
  };
  const start = async (role: 'all' | 'api', changes: Record<string, string>) => {
    const server = await startProcess(role, { ...env, ...changes });
    closers.unshift(() => server.kill('SIGKILL'));
    return server;
  };
  await start('all', { PORT: port ?? '' });
  const limited = await start('api', {
    METRICS_PORT: metrics[1] ?? '',
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_GENERAL_PER_MIN: '1',
  });
  const startBurdened = (metricsPort: string | undefined, script: string) =>
    start('api', {
      METRICS_PORT: metricsPort ?? '',
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    });
  const prometheus = await startPrometheus(folder, metrics);

  const sql = new pg.Client({ connectionString: primary.superuserUrl });
  await sql.connect();
  sql.on('error', () => undefined); // it ends with the primary
  const agent = new Agent({ keepAlive: true });
  const people = await makePhones(sql, 'alert', PEOPLE);
  for (const phone of people) keepTokens(phone, await send(agent, url, prepareLogin(phone)));
  const everybody = (ask: (phone: (typeof people)[number]) => Promise<unknown>) =>
    Promise.all(people.map((phone) => ask(phone).catch(() => undefined)));
  const add = (n: number) =>
    everybody(async (phone) => {
      const record = { type: 'Run', durationMins: n % 600, durationSec: 1 };
      await send(agent, url, await prepare(url, phone, 'POST', '/api/aerobics/add', { record, tz: ZONE }));
    });
  const zones = Intl.supportedValuesOf('timeZone');
  const queue = new Queue('emails', { connection: { url: redis.url } });
  queue.on('error', () => undefined);
  closers.unshift(() => queue.close());

  const panels = (JSON.parse(await readFile(join(OPS, 'dashboard.json'), 'utf8')) as { panels: Panel[] }).panels;
  /** Expression → panel. */
  const empty = new Map(panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [expr, title])));
  const lookAtPanels = async () => {
    for (const expr of empty.keys()) if (await prometheus.hasData(expr).catch(() => false)) empty.delete(expr);
  };
  /** Makes a fault again and again until its alert fires. */
  const fires = async (alert: string, fault: (n: number) => Promise<unknown>): Promise<boolean> => {
    const isFiring = async () => (await prometheus.firing().catch((): string[] => [])).includes(alert);
    for (let n = 0; n < 60 && (await isFiring()); n++) await pause(500); // because of an earlier fault
    const began = performance.now();
    for (let n = 1; performance.now() - began < PATIENCE_MS; n++) {
      await fault(n);
      if (n % 10 === 0) await lookAtPanels();
      if (await isFiring()) {
        await lookAtPanels();
        console.log(`| ${alert} | yes | ${((performance.now() - began) / 1000).toFixed(1)} |`);
        return true;
      }
    }
    console.log(`| ${alert} | NO | |`);
    return false;
  };
  const locked = async (n: number) => {
    await sql.query('begin; lock table aerobictracking in access exclusive mode');
    const waiting = add(n);
    await pause(4_000);
    await sql.query('rollback');
    await waiting;
  };

  const faults: Array<[string, (n: number) => Promise<unknown>]> = [
    [
      'MemoryHigh',
      async (n) => {
        if (n === 1) await startBurdened(metrics[2], HOLD);
        await pause(500);
      },
    ],
    [
      'EventLoopBlocked',
      async (n) => {
        if (n === 1) await startBurdened(metrics[3], BLOCK);
        await pause(500);
      },
    ],
    [
      'CacheCold', // each zone is asked for once
      (n) =>
        everybody(async (phone) => {
          const zone = encodeURIComponent(zones[n % zones.length] ?? 'UTC');
          await send(agent, url, await prepare(url, phone, 'GET', `/api/workouts/gettracking?tz=${zone}`));
        }),
    ],
    ['ConnectionsExhausted', locked],
    ['RequestsSlow', locked],
    [
      'DeliveriesFail',
      async (n) => {
        resend.failures.push(422);
        const body = { username: `newcomer_${n}`, email: `newcomer_${n}@example.com`, password: 'long enough' };
        const headers = { 'x-app-version': '4.5.0', 'content-type': 'application/json' };
        await fetch(`${url}/api/users/create`, { method: 'POST', headers, body: JSON.stringify(body) });
        await pause(500);
      },
    ],
    [
      'DeliveriesLate',
      async (n) => {
        if (n === 1) {
          await sql.query(
            `insert into outbox (kind, user_id, dedupe_key, attempts, created_at, next_attempt_at, expires_at)
             select 'mail.verification', u.id, 'drill', 1, now() - interval '10 min', now() + interval '1 hour', now() + interval '2 hours'
             from users u
             where u.username = $1`,
            [people[0]?.username],
          );
        }
        await pause(500);
      },
    ],
    [
      'QueueGrows',
      async (n) => {
        const timestamp = Date.now() - 20 * 60_000;
        const jobs = Array.from({ length: 1_500 }, () => ({ name: 'drill', data: {}, opts: { timestamp } }));
        if (n === 1) await queue.addBulk(jobs);
        await pause(500);
      },
    ],
    [
      'LimitsHit',
      async () => {
        await Promise.all(Array.from({ length: 10 }, async () => (await fetch(limited.url)).text()));
        await pause(200);
      },
    ],
    [
      'ProcessDown',
      async (n) => {
        if (n === 1) await limited.kill('SIGKILL');
        await pause(500);
      },
    ],
    [
      'RedisFails', // nobody asks for anything meanwhile
      async (n) => {
        if (n === 1) await redis.stop();
        await pause(500);
      },
    ],
    [
      'RequestsFail',
      async (n) => {
        if (n === 1) await primary.kill();
        await add(n);
        await pause(200);
      },
    ],
  ];
  const named = [...(await readFile(join(OPS, 'alerts.yml'), 'utf8')).matchAll(/alert: (\S+)/g)].map(
    ([, name]) => name,
  );
  const untried = named.filter((name) => !faults.some(([alert]) => alert === name));
  if (untried.length > 0) console.log(`no fault is made for: ${untried.join(', ')}`);
  console.log('| alert | fired | after, s |\n|---|---|---:|');
  let missed = untried.length;
  for (const [alert, fault] of faults) if (!(await fires(alert, fault))) missed++;
  console.log(`\nPanels: ${panels.length}. Without data: ${[...empty.values()].join('; ') || 'none'}.`);
  agent.destroy();
  await sql.end().catch(() => undefined);
  return missed === 0 && empty.size === 0;
}

const obstacle = whatIsMissing(['setpriv', 'redis-server', 'prometheus']);
if (obstacle !== undefined) {
  console.error(obstacle);
  process.exit(1);
}
try {
  if (!(await drill())) process.exitCode = 1;
} finally {
  for (const close of closers) await close().catch(() => undefined);
}
