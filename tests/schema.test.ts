import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect } from 'vitest';
import { migrate } from '#platform/postgres/migrate.ts';
import { StartupError } from '#platform/startupError.ts';
import { newPhone } from './helpers/person.ts';
import { asSuperuser, startTestServer, type TestServer, withServer } from './helpers/server.ts';

const it = withServer()
  .extend('userId', { scope: 'file' }, async ({ server }) => (await newPhone(server)).id)
  .extend('splitId', { scope: 'file' }, async ({ server, userId }) => {
    const [plan] = await server.sql('insert into workoutplans (user_id, trainer_id) values ($1, $1) returning id', [
      userId,
    ]);
    const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
      plan?.id,
    ]);
    return split?.id as string;
  })
  .extend('etsId', { scope: 'file', auto: true }, async ({ server, splitId }) => {
    const [ets] = await server.sql(
      'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($1, 1, array[5], 0) returning id',
      [splitId],
    );
    return ets?.id as string;
  });

const DB = join(import.meta.dirname, '../db');
const MIGRATIONS = (await readdir(join(DB, 'migrations'))).toSorted();

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('migrations', () => {
  const options = (server: TestServer, folder = DB) => ({
    url: server.databaseUrl,
    folder,
    systemUserId: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a',
  });
  /** A copy of all SQL, with changes of the test's own. */
  async function changed(file: string, change: (text: string) => string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'strong-together-migrations-'));
    await cp(DB, folder, { recursive: true });
    await writeFile(join(folder, file), change(await readFile(join(folder, file), 'utf8')));
    return folder;
  }
  /** A database of its own, owned by a login of its own. */
  async function newDatabase(server: TestServer, login: string, settings = ''): Promise<string> {
    const admin = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await admin.connect();
    const database = `db_of_${login}`;
    await admin.query(`drop database if exists ${database}`);
    await admin.query(`drop role if exists ${login}`);
    await admin.query(`create role ${login} login createrole password 'secret'`);
    for (const role of ['authenticated', 'service']) {
      await admin.query(`grant ${role} to ${login} with admin option, inherit false, set true`);
    }
    await admin.query(`create database ${database} owner ${login}`);
    if (settings) await admin.query(`alter role ${login} ${settings}`);
    await admin.end();
    const url = new URL(server.databaseUrl);
    [url.pathname, url.username, url.password] = [`/${database}`, login, 'secret'];
    return url.href;
  }

  it('run again, also at the same time, change nothing', async ({ server }) => {
    const before = await server.sql('select * from exercises order by id');
    expect(await Promise.all([migrate(options(server)), migrate(options(server))])).toEqual([[], []]);
    expect(await server.sql('select * from exercises order by id')).toEqual(before);
  });

  it('refuse a file that was edited after it was applied', async ({ server }) => {
    const folder = await changed('migrations/0002_retired_sets.sql', () => 'select 1');
    await expect(migrate(options(server, folder))).rejects.toThrow(StartupError);
  });

  it('make functions, triggers, views and rights anew when one of their files has changed', async ({ server }) => {
    const folder = await changed('code/20_messages.sql', (text) =>
      text.replace('Great work finishing your workout!', 'Well done!'),
    );
    const rules = () =>
      server.sql(`
        select p.proname as name, pg_get_userbyid(p.proowner) as owner, p.proacl::text as rights
        from pg_proc p where p.pronamespace in ('app'::regnamespace, 'public'::regnamespace)
        union all
        select c.relname, pg_get_userbyid(c.relowner), c.relacl::text
        from pg_class c where c.relnamespace in ('app'::regnamespace, 'public'::regnamespace)
        union all
        select p.polname, p.polrelid::regclass::text, p.polroles::regrole[]::text from pg_policy p
        union all
        select t.tgname, t.tgrelid::regclass::text, '' from pg_trigger t where not t.tgisinternal
        order by 1, 2, 3`);
    const before = await rules();
    const body = async () =>
      (await server.sql("select prosrc as text from pg_proc where proname = 'send_workout_done_message'"))[0]?.text;
    expect(await migrate(options(server, folder))).toEqual(['code']);
    expect(await body()).toContain('Well done!');
    expect(await migrate(options(server))).toEqual(['code']);
    expect(await body()).not.toContain('Well done!');
    expect(await rules()).toEqual(before);
  });

  it('of a later release are left alone by an instance of the one before', async ({ server }) => {
    const later = await changed('code/20_messages.sql', (text) =>
      text.replace('Great work finishing your workout!', 'Well done!'),
    );
    const url = await newDatabase(server, 'of_a_later_release');
    await writeFile(join(later, 'migrations', '0900_later.sql'), 'alter table users add column later text');
    expect(await migrate({ ...options(server, later), url })).toContain('0900_later.sql');
    expect(await migrate({ ...options(server), url })).toEqual([]);
    expect(await migrate({ ...options(server, later), url })).toEqual([]); // functions are still those of the later one
  });

  it('name the oldest release that can run on them; an older one says so and changes nothing', async ({ server }) => {
    const url = await newDatabase(server, 'of_a_much_later_release');
    const folder = await changed('code/20_messages.sql', (text) => `${text}\nselect 'later';`);
    const of = (name: string) => join(folder, 'migrations', name);
    await writeFile(of('0900_expand.sql'), 'alter table users add column later text');
    const expanded = await mkdtemp(join(tmpdir(), 'strong-together-migrations-'));
    await cp(folder, expanded, { recursive: true });
    await writeFile(of('0901_contract.sql'), '-- oldest that runs: 0900\nalter table users drop column later');
    await writeFile(of('0902_lower.sql'), '-- oldest that runs: 0003\nselect 1');
    const told: string[] = [];
    const all = await migrate({ ...options(server, folder), url, onApplied: (name) => told.push(name) });
    expect(all.slice(-4)).toEqual(['0900_expand.sql', '0901_contract.sql', '0902_lower.sql', 'code']);
    expect(told).toEqual(all);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const state = async () =>
      (await client.query('select name, checksum, applied_at from schema_migrations order by name')).rows;
    const before = await state();
    const refused = migrate({ ...options(server), url });
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow(/^This release is too old .* only releases with migration 0900 can run/);
    expect(await state()).toEqual(before);
    expect(await migrate({ ...options(server, expanded), url })).toEqual([]);
    await client.end();
  });

  it('that fail are one sentence with the name of the file, and change nothing', async ({ server }) => {
    const folder = await changed('code/60_views.sql', (text) => `${text}\nselect no_such_thing;`);
    await expect(migrate(options(server, folder))).rejects.toThrow(
      new StartupError(
        'The database could not be brought up to date: 60_views.sql failed: column "no_such_thing" does not exist. This step was undone.',
      ),
    );
    expect(await migrate(options(server))).toEqual([]);
  });

  it('keep what was applied before one that failed; one outside a transaction is tried from its beginning', async ({
    server,
  }) => {
    const url = await newDatabase(server, 'step_by_step');
    const folder = await changed('schedule.sql', (text) => text);
    const write = (name: string, text: string) => writeFile(join(folder, 'migrations', name), text);
    await write('0900_table.sql', 'create table public.added (n int)');
    await write(
      '0901_index.sql',
      `-- outside a transaction
drop index concurrently if exists public.added_idx;
create unique index concurrently added_idx on public.added (n);
insert into public.added select 1 from public.awaited;`,
    );
    await expect(migrate({ ...options(server, folder), url })).rejects.toThrow('0901_index.sql failed');
    const names = async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ name: string }>('select m.name from schema_migrations m order by m.name');
      await client.query('create table if not exists awaited ()');
      await client.end();
      return rows.map(({ name }) => name);
    };
    expect(await names()).toContain('0900_table.sql');
    expect(await names()).not.toContain('code'); // still due
    expect(await migrate({ ...options(server, folder), url })).toEqual(['0901_index.sql', 'code']);
    expect(await migrate({ ...options(server, folder), url })).toEqual([]);
  });

  it('wait for locks without holding up requests, and go on when they get them', async ({ server }) => {
    const phone = await newPhone(server);
    const { accessToken } = await phone.tokens();
    const folder = await changed('code/60_views.sql', (text) => `${text}\nselect 'another text';`);
    const slow = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await slow.connect();
    await slow.query('begin; select from users limit 1');
    let isOver = false;
    const migrating = migrate(options(server, folder)).finally(() => {
      isOver = true;
    });
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 60; n++) {
        statuses.push((await phone.get('/api/workouts/gettracking?tz=UTC', accessToken)).status);
        await pause(50);
      }
      expect([isOver, new Set(statuses)]).toEqual([false, new Set([200])]);
    } finally {
      await slow.query('rollback');
      await slow.end();
    }
    expect(await migrating).toEqual(['code']);
    expect((await phone.get('/api/workouts/gettracking?tz=UTC', accessToken)).status).toBe(200);
  });

  it.for<[string, string]>([
    ['app', ''],
    ['another_login', 'set search_path = pg_catalog, nowhere'],
  ])('work for a login called %s, whatever is set for it: %s', async ([login, settings], { server }) => {
    const url = await newDatabase(server, login, settings);
    expect(await migrate({ ...options(server), url })).toEqual([...MIGRATIONS, 'code']);
    const own = await startTestServer({ sharing: { ...server, databaseUrl: url } });
    try {
      const phone = await newPhone(own);
      const { accessToken } = await phone.tokens();
      const body = { workoutData: { A: [{ id: 1, sets: [5] }] } };
      expect((await phone.post('/api/workouts/add', accessToken, body)).status).toBe(200);
      expect((await phone.get('/api/bootstrap/get', accessToken)).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it('before they were squashed left a database that goes on with the new ones', async ({ server }) => {
    const url = await newDatabase(server, 'old_series');
    await migrate({ ...options(server), url });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`
      delete from schema_migrations;
      insert into schema_migrations (name, checksum) values ('0001_roles.sql', 'x'), ('0009_reminders.sql', 'x');
      drop table app_finishes, other_sessions, sign_in_codes, mailed_codes, retired_sets, import_workouts, imports, shared_versions, exercise_aliases, measurements, log_tombstones, log_sets, log_blocks, log_workouts,
        log_heads cascade;
      drop index exercises_name_key, exercises_same_name_idx;
      alter table exercises
        drop column owner_id cascade, drop column measure, drop column equipment, drop column secondary_muscles,
        drop column archived_at, drop column version, drop column import_id,
        add constraint exercises_name_key unique (name);
      alter table exercise_records alter column pr_tracking_id set not null;
      drop index security_events_age_idx;
      alter table user_reminder_settings drop column unit, drop column week_start, drop column version;
      alter table outbox drop column request_id, drop column traceparent;
      alter table users
        drop column phone_session_since, drop column phone_session_used_on,
        drop column plan_version, drop column training_version, drop column cardio_version,
        drop column inbox_version, drop column profile_version;
      create function app.of_an_old_release() returns int language sql as 'select 1'`);
    expect(await migrate({ ...options(server), url })).toEqual([...MIGRATIONS, 'code']);
    const { rows } = await client.query(
      "select to_regproc('app.of_an_old_release') as old, to_regclass('log_workouts') as now",
    );
    expect(rows).toEqual([{ old: null, now: 'log_workouts' }]);
    await client.end();
  });

  it('close what a host opens by default', async ({ server }) => {
    const admin = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    await admin.connect();
    await admin.query('drop database if exists open_by_default');
    await admin.query('create database open_by_default owner strong_together');
    await admin.end();
    const url = new URL(server.databaseUrl);
    url.pathname = '/open_by_default';
    const login = new pg.Client({ connectionString: url.href });
    await login.connect();
    try {
      for (const [kind, scope] of ['tables', 'functions', 'sequences'].flatMap((k) => [
        [k, 'in schema public'],
        [k, ''],
      ])) {
        await login.query(`alter default privileges ${scope} grant all on ${kind} to authenticated, public`);
      }
      await migrate({ ...options(server), url: url.href });
      const { rows } = await login.query(`
        select c.relname
        from pg_class c
        where c.relnamespace = 'public'::regnamespace
          and c.relkind = 'r'
          and has_table_privilege('authenticated', c.oid, 'delete, truncate, references, trigger')
        union all
        select p.proname
        from pg_proc p
        where p.oid in ('refresh_user_split_information'::regproc, 'housekeeping_compact_old_workouts'::regproc)
          and has_function_privilege('authenticated', p.oid, 'execute')`);
      expect(rows).toEqual([]);
      const { rows: columns } = await login.query(
        "select has_column_privilege('authenticated', 'users', 'password', 'select') as reads, has_column_privilege('authenticated', 'users', 'role', 'update') as writes",
      );
      expect(columns).toEqual([{ reads: false, writes: false }]);
    } finally {
      await login.end();
    }
  });

  it('say so when SYSTEM_USER_ID is not the one of this database', async ({ server }) => {
    const otherId = { ...options(server), systemUserId: '9954f1f0-0000-4000-8000-000000000000' };
    await expect(migrate(otherId)).rejects.toThrow(/SYSTEM_USER_ID/);
  });

  it('seed 478 exercises over eight muscles, and the system user', async ({ server }) => {
    expect(
      await server.sql(
        'select count(*)::int as exercises, count(distinct targetmuscle)::int as muscles from exercises',
      ),
    ).toEqual([{ exercises: 478, muscles: 8 }]);
    expect(await server.sql("select id, username, is_verified, password from users where role = 'System'")).toEqual([
      { id: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a', username: 'system_bot', is_verified: true, password: null },
    ]);
  });
});

describe('constraints', () => {
  it.for([
    ['{}', '{}'],
    ['{1}', '{1,2}'],
    ['{NaN}', '{1}'],
    ['{Infinity}', '{1}'],
    ['{-1}', '{1}'],
    ['{1}', '{0}'],
    ['{NULL}', '{1}'],
    ['{{1}}', '{{1}}'],
  ])('no sets like weight %s and reps %s', async ([weight, reps], { server, userId, splitId, etsId }) => {
    const [summary] = await server.sql(
      'insert into workout_summary (user_id, workoutsplit_id) values ($1, $2) on conflict do nothing returning id',
      [userId, splitId],
    );
    const insert = server.sql(
      'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($1, $2, $3, $4)',
      [etsId, weight, reps, summary?.id],
    );
    expect(await code(insert)).toBe('23514');
  });

  it('one active plan a person, one workout a start, names and addresses in any case', async ({
    server,
    userId,
    splitId,
  }) => {
    const insert = (text: string, values: unknown[]) => code(server.sql(text, values));
    expect(await insert('insert into workoutplans (user_id) values ($1)', [userId])).toBe('23505');
    const start = '2026-01-01T10:00:00Z';
    const workout =
      'insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc) values ($1, $2, $3, $3)';
    expect(await insert(workout, [userId, splitId, start])).toBe('done');
    expect(await insert(workout, [userId, splitId, start])).toBe('23505');
    expect(await insert("insert into users (username) values (' SYSTEM_BOT ')", [])).toBe('23505');
  });

  it('history holds plan and catalogue; people leave alone (DA14)', async ({ server }) => {
    const trainer = await newPhone(server);
    const trainee = await newPhone(server);
    const [plan] = await server.sql('insert into workoutplans (user_id, trainer_id) values ($1, $2) returning id', [
      trainee.id,
      trainer.id,
    ]);
    const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
      plan?.id,
    ]);
    const [ets] = await server.sql(
      'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($1, 1, array[5], 0) returning id',
      [split?.id],
    );
    const [summary] = await server.sql(
      'insert into workout_summary (user_id, workoutsplit_id) values ($1, $2) returning id',
      [trainee.id, split?.id],
    );
    await server.sql(
      'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($1, array[50], array[5], $2)',
      [ets?.id, summary?.id],
    );
    await server.sql("insert into messages (sender_id, receiver_id, subject, msg) values ($1, $2, 's', 'm')", [
      trainer.id,
      trainee.id,
    ]);

    expect(await code(server.sql('delete from exercises where id = 1'))).toBe('23503');
    expect(await code(server.sql('delete from workoutsplits where id = $1', [split?.id]))).toBe('23503');
    await server.sql('delete from users where id = $1', [trainer.id]);
    expect(await server.sql('select trainer_id from workoutplans where id = $1', [plan?.id])).toEqual([
      { trainer_id: null },
    ]);
    expect(await server.sql('select sender_id from messages where receiver_id = $1', [trainee.id])).toEqual([
      { sender_id: null },
    ]);
    await server.sql('delete from users where id = $1', [trainee.id]);
    expect(await server.sql('select 1 from exercisetracking where id = $1', [ets?.id])).toEqual([]);
    expect(await server.sql('select 1 from workoutplans where id = $1', [plan?.id])).toEqual([]);
  });
});

describe('local timestamps', () => {
  it.for([
    ['2026-11-22T23:26:43.770Z', 'Asia/Jerusalem', '2026-11-23T01:26:43.770+02:00'],
    ['2026-07-01T12:00:00.001Z', 'America/New_York', '2026-07-01T08:00:00.001-04:00'],
    ['2026-01-01T00:00:00.000Z', 'America/St_Johns', '2025-12-31T20:30:00.000-03:30'],
    ['2026-01-01T00:00:00.000Z', 'Pacific/Chatham', '2026-01-01T13:45:00.000+13:45'],
    ['2026-07-01T00:00:00.000Z', 'Australia/Lord_Howe', '2026-07-01T10:30:00.000+10:30'],
    ['2026-01-01T00:00:00.000Z', 'UTC', '2026-01-01T00:00:00.000+00:00'],
  ])('%s in %s is %s', async ([instant, zone, local], { server }) => {
    expect(await server.sql('select app.local_timestamp($1, $2) as local', [instant, zone])).toEqual([{ local }]);
  });

  it('every zone that Node knows, PostgreSQL knows', async ({ server }) => {
    const zones = Intl.supportedValuesOf('timeZone');
    expect(
      await server.sql('select z from unnest($1::text[]) z where z not in (select name from pg_timezone_names)', [
        zones,
      ]),
    ).toEqual([]);
  });
});

describe('estimated one-rep max (behaviour 4.4)', () => {
  const estimate = async (server: TestServer, weight: number, reps: number) => {
    const [row] = await server.sql<{ e: string | null }>('select round(app.estimated_one_rep_max($1, $2), 1) as e', [
      weight,
      reps,
    ]);
    return row?.e == null ? null : Number(row.e);
  };

  it.for<[number, number, number | null]>([
    [80, 10, 106.7],
    [82.5, 8, 102.4],
    [50, 12, 65],
    [50, 10, 66.7],
    [100, 1, 100],
    [100, 2, 106.7],
    [100, 5, 116.7],
    [60, 6, 69.7],
    [20.1, 6, 23.3],
    [50, 11, 63.8],
    [50, 13, null],
    [0, 5, null],
  ])('%d kg × %d is %s', async ([weight, reps, expected], { server }) => {
    expect(await estimate(server, weight, reps)).toBe(expected);
  });

  it('agrees with exact decimal arithmetic for any weight in tenths of a kilogram', async ({ server }) => {
    const cases = fc.sample(fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 })), 500);
    const rows = await server.sql<{ e: string }>(
      `select round(app.estimated_one_rep_max((c ->> 0)::numeric / 10, (c ->> 1)::bigint), 1) as e
       from jsonb_array_elements($1) with ordinality as x (c, n) order by n`,
      [JSON.stringify(cases)],
    );
    expect(rows.map((row) => Number(row.e))).toEqual(cases.map(([tenths, reps]) => exactEstimate(tenths, reps)));
  });
});

/** The formulae over whole numbers: tenths of a kilogram in, kilograms rounded half away from zero out. */
function exactEstimate(tenths: number, reps: number): number {
  const [numerator, denominator] =
    reps === 1
      ? [1, 1]
      : reps <= 5
        ? [10_000 + 333 * reps, 10_000]
        : reps <= 10
          ? [36, 37 - reps]
          : [1_000 + 25 * reps, 1_000];
  const doubled = BigInt(tenths) * BigInt(numerator) * 2n;
  const rounded = (doubled / BigInt(denominator) + 1n) / 2n;
  return Number(rounded) / 10;
}

describe('the muscle group of a split', () => {
  it('follows its active exercises, alphabetically, and is null without any (DA13)', async ({ server }) => {
    const person = await newPhone(server);
    const [plan] = await server.sql('insert into workoutplans (user_id) values ($1) returning id', [person.id]);
    const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
      plan?.id,
    ]);
    await server.sql(
      `insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index)
       select $1, e.id, array[5], 0 from exercises e where e.name in ('Bench Press', 'Bent Over Row', 'Pull Up', 'Back Squat', 'Deadlift')`,
      [split?.id],
    );
    const group = async () =>
      (await server.sql('select muscle_group from workoutsplits where id = $1', [split?.id]))[0]?.muscle_group;
    expect(await group()).toBe('Back (Lats, Lower), Chest (Major), Legs (Quads)');
    await server.sql('update exercisetoworkoutsplit set is_active = false where workoutsplit_id = $1', [split?.id]);
    expect(await group()).toBe(null);
  });
});
