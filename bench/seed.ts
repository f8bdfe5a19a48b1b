// Fills an embedded database with other people's data, to see whether an answer's time grows with it:
//   node bench/seed.ts --users 100000 --sets 20000000 --data .data-large
import { parseArgs } from 'node:util';
import pg from 'pg';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { loadConfig } from '#src/config.ts';
import { prepareDatabase } from '#src/preparedDatabase.ts';

const PEOPLE_AT_ONCE = 1000;
const SETS_A_WORKOUT = 18; // six exercises of three sets

/**
 * $1 first person, $2 last person, $3 mean number of workouts. Each statement makes one table's rows for
 * those people. One person in a hundred trains very often, nine often, ninety now and then.
 */
const PERSON = `
  select
    n,
    md5('person ' || n)::uuid as id,
    ceil($3::numeric * case when n % 100 = 0 then 18 when n % 10 = 0 then 4.5 else 0.46 end)::int as workouts
  from generate_series($1::int, $2::int) as n`;

const STATEMENTS = [
  `insert into users (id, username, email, name, is_verified, is_first_login, data_version)
   select p.id, 'seed_' || p.n, 'seed' || p.n || '@example.com', 'Seed Person', true, false, $3::int
   from (${PERSON}) p`,
  `insert into user_reminder_settings (user_id, timezone)
   select p.id, (array['Asia/Jerusalem', 'America/New_York', 'Europe/Berlin'])[1 + p.n % 3]
   from (${PERSON}) p`,
  `insert into workoutplans (id, user_id, trainer_id, numberofsplits)
   select p.n, p.id, p.id, 2
   from (${PERSON}) p`,
  `insert into workoutsplits (id, workout_id, name, muscle_group)
   select 2 * p.n - 1 + s.n, p.n, (array['A', 'B'])[1 + s.n], 'Chest (Major)'
   from (${PERSON}) p
   cross join generate_series(0, 1) as s (n)`,
  `insert into exercisetoworkoutsplit (id, exercise_id, workoutsplit_id, sets, order_index)
   select 12 * (p.n - 1) + 6 * s.n + e.n, 1 + (6 * s.n + e.n + p.n) % 100, 2 * p.n - 1 + s.n, array[10, 8, 6], e.n
   from (${PERSON}) p
   cross join generate_series(0, 1) as s (n)
   cross join generate_series(1, 6) as e (n)`,
  `insert into workout_summary (id, user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
   select
     md5(p.n || ' workout ' || w.n)::uuid,
     p.id,
     2 * p.n - 1 + w.n % 2,
     now() - make_interval(days => 2 * w.n, mins => p.n % 600),
     now() - make_interval(days => 2 * w.n, mins => p.n % 600 - 60)
   from (${PERSON}) p
   cross join generate_series(1, p.workouts) as w (n)`,
  `insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id)
   select
     12 * (p.n - 1) + 6 * (w.n % 2) + e.n,
     array[40 + (w.n * 7 + p.n) % 60, 42.5 + (w.n * 7 + p.n) % 60, 45 + (w.n * 7 + p.n) % 60]::real[],
     array[10, 8, 6],
     md5(p.n || ' workout ' || w.n)::uuid
   from (${PERSON}) p
   cross join generate_series(1, p.workouts) as w (n)
   cross join generate_series(1, 6) as e (n)`,
  `select app.raise_exercise_records(array(
     select et.id
     from (${PERSON}) p
     join workout_summary ws on ws.user_id = p.id
     join exercisetracking et on et.workout_summary_id = ws.id
   ))`,
  `insert into aerobictracking (user_id, type, duration_mins, workout_time_utc)
   select p.id, 'Run', 30, now() - make_interval(days => 5 * r.n)
   from (${PERSON}) p
   cross join generate_series(1, 12) as r (n)`,
  `insert into messages (sender_id, receiver_id, subject, msg, sent_at)
   select app.system_user_id(), p.id, 'Workout Done!', 'Great work.', now() - make_interval(days => 2 * m.n)
   from (${PERSON}) p
   cross join generate_series(1, least(p.workouts, 20)) as m (n)`,
  `insert into oauth_accounts (user_id, provider, provider_user_id)
   select p.id, 'google', 'seed ' || p.n
   from (${PERSON}) p
   where p.n % 3 = 0`,
  `insert into idempotency_keys (user_id, route, key, body_hash, status, body)
   select p.id, 'POST /api/workouts/finishworkout', k.n::text, '', 200, '{}'
   from (${PERSON}) p
   cross join generate_series(1, 2) as k (n)`,
  `insert into seen_proofs (thumbprint, jti, request_id, expires_at)
   select md5('key ' || p.n), md5('jti ' || p.n), '', now()
   from (${PERSON}) p`,
  `insert into outbox (kind, user_id, dedupe_key, expires_at, status, finished_at)
   select 'mail.verification', p.id, 'seed ' || p.n || ' ' || m.n, now(), 'sent', now() - make_interval(days => m.n)
   from (${PERSON}) p
   cross join generate_series(1, 3) as m (n)`,
  `insert into security_events (kind, user_id)
   select 'login-failed', p.id
   from (${PERSON}) p`,
];

const FINISH = [
  ...['workoutplans', 'workoutsplits', 'exercisetoworkoutsplit'].map(
    (table) => `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(t.id) from ${table} t))`,
  ),
  'select refresh_user_split_information()',
  'vacuum analyze',
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '100000' },
      sets: { type: 'string', default: '20000000' },
      data: { type: 'string', default: '.data-large' },
    },
  });
  const [users, sets] = [Number(values.users), Number(values.sets)];
  const database = await prepareDatabase(
    loadConfig({ DATA_DIR: values.data, LOG_LEVEL: 'warn' }, developmentSecrets),
    buildLog('warn'),
  );
  const { superuserUrl } = await startEmbeddedPostgres(values.data); // running: it only tells the address
  const url = new URL(superuserUrl);
  url.pathname = '/strong_together';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const { rows } = await client.query("select 1 from users u where u.role <> 'System' limit 1");
    if (rows.length > 0) throw new Error(`${values.data} has people already; name another folder with --data.`);
    // Without triggers and foreign keys, which these rows are made to satisfy.
    await client.query('set session_replication_role = replica');
    await client.query('set synchronous_commit = off');
    for (let first = 1; first <= users; first += PEOPLE_AT_ONCE) {
      const last = Math.min(users, first + PEOPLE_AT_ONCE - 1);
      for (const statement of STATEMENTS) await client.query(statement, [first, last, sets / users / SETS_A_WORKOUT]);
      if (last % 10_000 === 0) console.log(`${last} people`);
    }
    for (const statement of FINISH) await client.query(statement);
    const { rows: sizes } = await client.query(`
      select
        (select count(*) from users) as users,
        (select count(*) from workout_summary) as workouts,
        (select sum(cardinality(et.weight)) from exercisetracking et) as sets,
        pg_size_pretty(pg_database_size(current_database())) as size`);
    console.table(sizes);
  } finally {
    await client.end();
    await database.close();
  }
}

await main();
