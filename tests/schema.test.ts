import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '#platform/postgres/migrate.ts';
import { StartupError } from '#platform/startupError.ts';
import { newPhone } from './helpers/person.ts';
import { asSuperuser, startTestServer, type TestServer } from './helpers/server.ts';

let server: TestServer;
let userId: string;
let splitId: string;
let etsId: string;

const DB = join(import.meta.dirname, '../db');

beforeAll(async () => {
  server = await startTestServer();
  userId = (await newPhone(server)).id;
  const [plan] = await server.sql('insert into workoutplans (user_id, trainer_id) values ($1, $1) returning id', [
    userId,
  ]);
  const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
    plan?.id,
  ]);
  splitId = split?.id;
  const [ets] = await server.sql(
    'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($1, 1, array[5], 0) returning id',
    [splitId],
  );
  etsId = ets?.id;
});
afterAll(() => server.close());

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('migrations', () => {
  const options = (migrationsDir: string) => ({
    url: server.databaseUrl,
    migrationsDir,
    seedDir: join(DB, 'seed'),
    scheduleFile: join(DB, 'schedule.sql'),
    systemUserId: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a',
  });

  it('run again, also at the same time, change nothing', async () => {
    const migrationsDir = join(DB, 'migrations');
    const before = await server.sql('select * from exercises order by id');
    expect(await Promise.all([migrate(options(migrationsDir)), migrate(options(migrationsDir))])).toEqual([[], []]);
    expect(await server.sql('select * from exercises order by id')).toEqual(before);
  });

  it('refuse a file that was edited after it was applied', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'strong-together-migrations-'));
    for (const name of await readdir(join(DB, 'migrations'))) {
      await writeFile(join(folder, name), await readFile(join(DB, 'migrations', name)));
    }
    await writeFile(join(folder, '0002_tables.sql'), 'select 1');
    await expect(migrate(options(folder))).rejects.toThrow(StartupError);
  });

  it('close what a host opens by default', async () => {
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
      await migrate({ ...options(join(DB, 'migrations')), url: url.href });
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

  it('say so when SYSTEM_USER_ID is not the one of this database', async () => {
    const changed = { ...options(join(DB, 'migrations')), systemUserId: '9954f1f0-0000-4000-8000-000000000000' };
    await expect(migrate(changed)).rejects.toThrow(/SYSTEM_USER_ID/);
  });

  it('seed 127 exercises over eight muscles, and the system user', async () => {
    expect(
      await server.sql(
        'select count(*)::int as exercises, count(distinct targetmuscle)::int as muscles from exercises',
      ),
    ).toEqual([{ exercises: 127, muscles: 8 }]);
    expect(await server.sql("select id, username, is_verified, password from users where role = 'System'")).toEqual([
      { id: '8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a', username: 'system_bot', is_verified: true, password: null },
    ]);
  });
});

describe('constraints', () => {
  it.each([
    ['{}', '{}'],
    ['{1}', '{1,2}'],
    ['{NaN}', '{1}'],
    ['{Infinity}', '{1}'],
    ['{-1}', '{1}'],
    ['{1}', '{0}'],
    ['{NULL}', '{1}'],
    ['{{1}}', '{{1}}'],
  ])('no sets like weight %s and reps %s', async (weight, reps) => {
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

  it('one active plan a person, one workout a start, names and addresses in any case', async () => {
    const insert = (text: string, values: unknown[]) => code(server.sql(text, values));
    expect(await insert('insert into workoutplans (user_id) values ($1)', [userId])).toBe('23505');
    const start = '2026-01-01T10:00:00Z';
    const workout =
      'insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc) values ($1, $2, $3, $3)';
    expect(await insert(workout, [userId, splitId, start])).toBe('done');
    expect(await insert(workout, [userId, splitId, start])).toBe('23505');
    expect(await insert("insert into users (username) values (' SYSTEM_BOT ')", [])).toBe('23505');
  });

  it('history holds plan and catalogue; people leave alone (DA14)', async () => {
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
  it.each([
    ['2026-11-22T23:26:43.770Z', 'Asia/Jerusalem', '2026-11-23T01:26:43.770+02:00'],
    ['2026-07-01T12:00:00.001Z', 'America/New_York', '2026-07-01T08:00:00.001-04:00'],
    ['2026-01-01T00:00:00.000Z', 'America/St_Johns', '2025-12-31T20:30:00.000-03:30'],
    ['2026-01-01T00:00:00.000Z', 'Pacific/Chatham', '2026-01-01T13:45:00.000+13:45'],
    ['2026-07-01T00:00:00.000Z', 'Australia/Lord_Howe', '2026-07-01T10:30:00.000+10:30'],
    ['2026-01-01T00:00:00.000Z', 'UTC', '2026-01-01T00:00:00.000+00:00'],
  ])('%s in %s is %s', async (instant, zone, local) => {
    expect(await server.sql('select app.local_timestamp($1, $2) as local', [instant, zone])).toEqual([{ local }]);
  });

  it('every zone that Node knows, PostgreSQL knows', async () => {
    const zones = Intl.supportedValuesOf('timeZone');
    expect(
      await server.sql('select z from unnest($1::text[]) z where z not in (select name from pg_timezone_names)', [
        zones,
      ]),
    ).toEqual([]);
  });
});

describe('estimated one-rep max (contract 4.4)', () => {
  const estimate = async (weight: number, reps: number) => {
    const [row] = await server.sql<{ e: string | null }>('select round(app.estimated_one_rep_max($1, $2), 1) as e', [
      weight,
      reps,
    ]);
    return row?.e == null ? null : Number(row.e);
  };

  it.each([
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
  ])('%d kg × %d is %s', async (weight, reps, expected) => {
    expect(await estimate(weight, reps)).toBe(expected);
  });

  it('agrees with exact decimal arithmetic for any weight in tenths of a kilogram', async () => {
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
  it('follows its active exercises, alphabetically, and is null without any (DA13)', async () => {
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
    const [expected] = await server.sql(
      `select string_agg(m, ', ' order by m) as text from (
         select e.targetmuscle || ' (' || string_agg(distinct e.specifictargetmuscle, ', ' order by e.specifictargetmuscle) || ')' as m
         from exercises e where e.name in ('Bench Press', 'Bent Over Row', 'Pull Up', 'Back Squat', 'Deadlift') group by e.targetmuscle
       ) x`,
    );
    expect(await group()).toBe(expected?.text);
    expect(await group()).toMatch(/^Back \(.*Lats.*\), Chest \(Major\), Legs \(Quads\)$/);
    await server.sql('update exercisetoworkoutsplit set is_active = false where workoutsplit_id = $1', [split?.id]);
    expect(await group()).toBe(null);
  });
});
