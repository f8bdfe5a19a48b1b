// pg_cron comes with Debian's PostgreSQL, not with the embedded one: this runs where it is installed (as on CI),
// and shows by the way that everything works on PostgreSQL 15.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '#platform/postgres/migrate.ts';
import {
  type DebianPostgres,
  HAS_DEBIAN_POSTGRES,
  queryAt as query,
  startDebianPostgres,
} from './helpers/debianPostgres.ts';

const DB = join(import.meta.dirname, '../db');

describe.skipIf(!HAS_DEBIAN_POSTGRES)('with pg_cron', () => {
  let server: DebianPostgres;
  let url: string;
  let superuserUrl: string;
  const options = () => ({ url, folder: DB, systemUserId: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a' });

  beforeAll(async () => {
    server = await startDebianPostgres(['shared_preload_libraries=pg_cron', 'cron.database_name=strong_together']);
    ({ url, superuserUrl } = server);
  });
  afterAll(() => server.close());

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
    for (const { command } of jobs) await query(url, String(command));
    const reminders = "select count(*)::int as n from outbox where kind = 'push.reminder'";
    expect(await query(superuserUrl, reminders)).toEqual([{ n: 1 }]);
    // Twice, and beside the workers' own schedule: nothing changes.
    for (const { command } of jobs) await query(url, String(command));
    expect(await query(superuserUrl, reminders)).toEqual([{ n: 1 }]);
  });
});
