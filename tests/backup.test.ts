// A backup is one that was restored: into another cluster, where people go on as if nothing had happened.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { migrate } from '#platform/postgres/migrate.ts';
import {
  DEBIAN_PROGRAMS,
  type DebianPostgres,
  HAS_DEBIAN_POSTGRES,
  queryAt,
  startDebianPostgres,
} from './helpers/debianPostgres.ts';
import { newPhone } from './helpers/person.ts';
import { startTestServer, withServer } from './helpers/server.ts';

const it = withServer();
const ROOT = join(import.meta.dirname, '..');
const DB = join(ROOT, 'db');

const environment = ({ port }: DebianPostgres) => ({
  PATH: `${DEBIAN_PROGRAMS}:${process.env.PATH}`,
  PGHOST: '127.0.0.1',
  PGPORT: String(port),
  PGUSER: 'postgres',
});

/** All rows of all tables, but for what a server writes by itself. */
async function contents(url: string): Promise<unknown> {
  const tables = await queryAt(url, "select tablename from pg_tables where schemaname = 'public' order by 1");
  const rows = tables.map(async ({ tablename }) => [
    tablename,
    await queryAt(url, `select md5(string_agg(t::text, '' order by t::text)) as all from public.${tablename} t`),
  ]);
  return Promise.all(rows);
}

it.skipIf(!HAS_DEBIAN_POSTGRES)(
  'a backup, restored into a new cluster, is the same; people go on with their tokens',
  {
    timeout: 120_000,
  },
  async ({ server }) => {
    const [old, fresh] = await Promise.all([startDebianPostgres(), startDebianPostgres()]);
    for (const cluster of [old, fresh]) onTestFinished(() => cluster.close());
    const folder = await mkdtemp(join(tmpdir(), 'strong-together-backup-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const systemUserId = server.config.SYSTEM_USER_ID;
    await migrate({ url: old.url, folder: DB, systemUserId });

    const first = await startTestServer({ sharing: { ...server, databaseUrl: old.url } });
    const pool = new pg.Pool({ connectionString: old.superuserUrl, max: 1 });
    const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows;
    const phone = await newPhone({ ...first, sql });
    const { refreshToken, accessToken } = await phone.tokens();
    const added = await phone.post('/api/workouts/add', accessToken, { workoutData: { A: [{ id: 1, sets: [5, 5] }] } });
    const { workoutPlan } = (await added.json()) as {
      workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> };
    };
    const exercise = workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id;
    const workout = (weight: number, minutesAgo: number) => ({
      workout: [{ exercisetosplit_id: exercise, weight: [weight, 40], reps: [5, 5] }],
      workout_start_utc: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
      workout_end_utc: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
    });
    expect((await phone.post('/api/workouts/finishworkout', accessToken, workout(80, 600))).status).toBe(200);
    const tracking = await (await phone.get('/api/workouts/gettracking?tz=UTC', accessToken)).text();
    await first.close();
    await pool.end();

    const file = join(folder, 'backup.dump');
    const before = await contents(old.superuserUrl);
    execFileSync(join(ROOT, 'ops/backup.sh'), [file], { env: { ...environment(old), PGDATABASE: 'strong_together' } });
    await queryAt(fresh.superuserUrl.replace('/strong_together', '/postgres'), 'drop database strong_together');
    const restore = () =>
      spawnSync(join(ROOT, 'ops/restore.sh'), [file, 'strong_together', 'strong_together'], {
        env: environment(fresh),
        encoding: 'utf8',
      });
    expect(restore()).toMatchObject({ status: 0, stderr: '' });
    expect(await contents(fresh.superuserUrl)).toEqual(before);
    expect(restore().status).not.toBe(0); // not over a database that is there

    expect(await migrate({ url: fresh.url, folder: DB, systemUserId })).toEqual([]);
    const second = await startTestServer({
      sharing: { ...server, databaseUrl: fresh.url },
      env: { PORT: new URL(first.url).port, PUBLIC_BASE_URL: first.url },
    });
    onTestFinished(() => second.close());
    const tokens = (await (await phone.refresh(refreshToken)).json()) as { accessToken: string };
    expect(await (await phone.get('/api/workouts/gettracking?tz=UTC', tokens.accessToken)).text()).toBe(tracking);
    expect((await phone.post('/api/workouts/finishworkout', tokens.accessToken, workout(90, 60))).status).toBe(200);
    const [record] = await queryAt(fresh.superuserUrl, 'select r.pr_weight as best from exercise_records r');
    expect(record).toEqual({ best: 90 });
  },
);
