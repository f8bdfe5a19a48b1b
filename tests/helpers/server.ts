import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { inject, it, vi } from 'vitest';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import type { MailboxEntry } from '#platform/mail/mailbox.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { type Config, loadConfig } from '#src/config.ts';
import { startServer } from '#src/server.ts';
import { watchAnswers } from './openapiCheck.ts';

export interface TestServer {
  url: string;
  config: Config;
  databaseUrl: string;
  /** Everything that was logged, as JSON lines. */
  logged: string[];
  /** A request as the app makes it, without proof or token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Runs SQL as superuser, past row-level security. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Waits for the newest mail to an address. */
  mailTo(address: string, subject?: string): Promise<MailboxEntry>;
  /** The mails to an address, newest first; waits until there are at least so many. */
  mails(address: string, subject: string, atLeast?: number): Promise<MailboxEntry[]>;
  redis: Redis;
  close(): Promise<void>;
}

export interface TestServerOptions {
  env?: Record<string, string>;
  /** False: the in-process stand-ins. */
  redis?: boolean;
  /** A database that another server made: several instances on one. */
  sharing?: TestServer;
}

/**
 * A server of the test's own: its own database, Redis database, port and data folder; no limits unless asked for.
 * `close` throws when it gave an answer that the OpenAPI document does not declare.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strong-together-data-'));
  const databaseUrl = options.sharing?.databaseUrl ?? (await copyDatabase());
  const redisUrl = options.sharing?.config.redisUrl ?? (await ownRedisDatabase());
  const port = await freePort();
  const config = loadConfig(
    {
      NODE_ENV: 'test',
      PORT: String(port),
      PUBLIC_BASE_URL: `http://127.0.0.1:${port}`,
      DATA_DIR: options.sharing?.config.DATA_DIR ?? dataDir,
      RATE_LIMIT_ENABLED: 'false',
      SHUTDOWN_DRAIN_MS: '0',
      LOG_LEVEL: 'debug',
      EXPO_BASE_URL: 'http://127.0.0.1:9', // nobody: no test reaches beyond this machine
      DAILY_PUSH_HOUR: 'off',
      ...(options.redis === false ? {} : { REDIS_URL: redisUrl }),
      ...options.env,
    },
    developmentSecrets,
  );
  const logged: string[] = [];
  const log = buildLog(config.LOG_LEVEL, {
    write: (line) => {
      logged.push(line);
      if (process.env.SHOW_LOG) process.stderr.write(line);
    },
  });
  const answers = watchAnswers(port);
  const server = await startServer(config, databaseUrl, log, { api: true, workers: true });
  const superuser = new pg.Pool({ connectionString: asSuperuser(databaseUrl), max: 3 });
  superuser.on('error', () => undefined);
  const redis = new Redis(redisUrl, { lazyConnect: true });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    config,
    databaseUrl,
    logged,
    redis,
    fetch: (path, init = {}) => fetch(url + path, { ...init, headers: { 'x-app-version': '4.5.0', ...init.headers } }),
    sql: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await superuser.query<Row>(text, values)).rows,
    mailTo: async (address, subject) => (await waitForMails(url, address, 1, subject))[0] as MailboxEntry,
    mails: (address, subject, atLeast = 0) => waitForMails(url, address, atLeast, subject),
    close: async () => {
      await server.close();
      await superuser.end();
      redis.disconnect();
      await rm(dataDir, { recursive: true, force: true });
      answers.finish();
    },
  };
}

/** `it` with a function through which a file starts what is to be closed after it: the last first. */
// biome-ignore lint/correctness/noEmptyPattern: vitest reads in the pattern what a fixture needs
export const fixtures = it.extend('untilEnd', { scope: 'file' }, async ({}, { onCleanup }) => {
  const started = new AsyncDisposableStack();
  onCleanup(() => started.disposeAsync());
  return async <Value extends { close(): Promise<unknown> }>(starting: Promise<Value>) =>
    started.adopt(await starting, async (value) => void (await value.close()));
});

/** `it` with a server of the file: it starts for the first test that asks for it. */
export function withServer(options?: TestServerOptions) {
  return fixtures.extend('server', { scope: 'file' }, ({ untilEnd }) => untilEnd(startTestServer(options)));
}

let copies = 0;

async function copyDatabase(): Promise<string> {
  const name = `test_${process.pid}_${copies++}`;
  const client = new pg.Client({ connectionString: inject('superuserUrl') });
  await client.connect();
  await client.query(`create database ${name} template strong_together owner strong_together`);
  await client.end();
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function ownRedisDatabase(): Promise<string> {
  const redis = new Redis(inject('redisUrl'));
  const number = await redis.incr('next-test-database');
  redis.disconnect();
  return `${inject('redisUrl')}/${number}`;
}

export function asSuperuser(databaseUrl: string): string {
  const url = new URL(inject('superuserUrl'));
  url.pathname = new URL(databaseUrl).pathname;
  return url.href;
}

async function waitForMails(url: string, address: string, atLeast: number, subject?: string): Promise<MailboxEntry[]> {
  return vi.waitFor(
    async () => {
      const response = await fetch(`${url}/dev/mailbox/json?to=${encodeURIComponent(address)}`);
      const mails = (await response.json()) as MailboxEntry[];
      const wanted = mails.filter((mail) => subject === undefined || mail.subject === subject);
      if (wanted.length < atLeast) throw new Error(`fewer than ${atLeast} mails ${subject ?? ''} to ${address}`);
      return wanted;
    },
    { timeout: 15_000, interval: 10 },
  );
}

/** The first link in a mail. */
export function linkIn(mail: MailboxEntry): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0];
  if (!link) throw new Error('the mail has no link');
  return link;
}
