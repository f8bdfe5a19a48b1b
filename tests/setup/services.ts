import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import { installChromium } from './chromium.ts';
import { startRedis } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    superuserUrl: string;
    redisUrl: string;
  }
}

/** A test's cluster may forget everything with the machine, and its hundred databases live for some seconds. */
const FAST = [
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'],
  ...['autovacuum=off', 'checkpoint_timeout=1h', 'max_wal_size=8GB', 'wal_level=minimal', 'max_wal_senders=0'],
];

/** Starts the PostgreSQL and the Redis of one test run, with a migrated database that each server copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-test-'));
  const [postgres, redis] = await Promise.all([startEmbeddedPostgres(folder, FAST), startRedis()]);
  await installChromium(); // after Redis: two programs at once cannot install
  await migrate({
    url: postgres.url,
    folder: join(import.meta.dirname, '../../db'),
    systemUserId: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a',
  });
  await allowCopies(postgres.superuserUrl);
  project.provide('postgresUrl', postgres.url);
  project.provide('superuserUrl', postgres.superuserUrl);
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function allowCopies(superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query('alter database strong_together with is_template true');
  await client.end();
}
