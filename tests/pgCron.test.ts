// pg_cron comes with Debian's PostgreSQL, not with the embedded one: this runs where it is installed (as on CI),
// and shows by the way that everything works on PostgreSQL 15.
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';

const ROOT = '/usr/lib/postgresql';
const home = (existsSync(ROOT) ? readdirSync(ROOT) : [])
  .map((version) => join(ROOT, version))
  .find((folder) => existsSync(join(folder, 'lib/pg_cron.so')) && existsSync(join(folder, 'bin/initdb')));
const DB = join(import.meta.dirname, '../db');

describe.skipIf(home === undefined || process.getuid?.() !== 0)('with pg_cron', () => {
  let folder: string;
  let url: string;
  let superuserUrl: string;
  const asPostgres = (program: string, ...args: string[]) =>
    execFileSync(
      'setpriv',
      ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', join(home ?? '', 'bin', program), ...args],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        cwd: '/',
      },
    );
  const options = () => ({
    url,
    folder: DB,
    systemUserId: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a',
  });
  async function query(at: string, text: string) {
    const client = new pg.Client({ connectionString: at });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'strong-together-cron-'));
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
    chownSync(folder, uid ?? 0, gid ?? 0);
    const data = join(folder, 'data');
    const port = await freePort();
    asPostgres(
      'initdb',
      `--pgdata=${data}`,
      '--auth=trust',
      '--username=postgres',
      '--no-sync',
      '--encoding=UTF8',
      '--locale=C',
    );
    const flags = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
      .concat(['shared_preload_libraries=pg_cron', 'cron.database_name=strong_together'])
      .map((flag) => `-c ${flag}`);
    asPostgres(
      'pg_ctl',
      'start',
      `--pgdata=${data}`,
      `--log=${join(folder, 'log')}`,
      '--wait',
      `--options=${flags.join(' ')}`,
    );
    const at = (login: string, database: string) => `postgres://${login}@127.0.0.1:${port}/${database}`;
    await query(at('postgres', 'postgres'), 'create role strong_together login createrole nosuperuser nobypassrls');
    await query(at('postgres', 'postgres'), 'create database strong_together owner strong_together');
    superuserUrl = at('postgres', 'strong_together');
    url = at('strong_together', 'strong_together');
  });
  afterAll(() => {
    asPostgres('pg_ctl', 'stop', `--pgdata=${join(folder, 'data')}`, '--mode=immediate');
    rmSync(folder, { recursive: true, force: true });
  });

  it('without the extension in the database, migrations just go on', async () => {
    await migrate(options());
    expect(await query(superuserUrl, "select to_regclass('cron.job') as job")).toEqual([{ job: null }]);
  });

  it('with it: two jobs, once however often the server starts, which the login may run', async () => {
    await query(superuserUrl, 'create extension pg_cron');
    await query(superuserUrl, 'grant usage on schema cron to strong_together');
    await migrate(options());
    await migrate(options());
    const jobs = await query(
      superuserUrl,
      'select jobname, schedule, command, username from cron.job order by jobname',
    );
    expect(jobs).toMatchObject([
      { jobname: 'strong-together housekeeping', schedule: '37 3 * * *', username: 'strong_together' },
      { jobname: 'strong-together reminders', schedule: '7 * * * *', username: 'strong_together' },
    ]);

    // A person who trained twice on this weekday, at a time an hour and a half from now, and one long ago.
    await query(
      superuserUrl,
      `with person as (
         insert into users (username, push_token, is_verified) values ('cron', 'ExponentPushToken[cron]', true) returning id
       ),
       plan as (insert into workoutplans (user_id) select id from person returning id, user_id),
       split as (insert into workoutsplits (workout_id, name) select id, 'A' from plan returning id, workout_id)
       insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
       select p.user_id, s.id, t.start, t.start
       from plan p
       join split s on s.workout_id = p.id
       cross join (
         select now() + interval '90 minutes' - make_interval(weeks => n) as start from generate_series(1, 2) n
       ) t`,
    );
    for (const { command } of jobs) await query(url, command);
    const reminders = "select count(*)::int as n from outbox where kind = 'push.reminder'";
    expect(await query(superuserUrl, reminders)).toEqual([{ n: 1 }]);
    // Twice, and beside the workers' own schedule: nothing changes.
    for (const { command } of jobs) await query(url, command);
    expect(await query(superuserUrl, reminders)).toEqual([{ n: 1 }]);
  });
});
