import { describe, expect, vi } from 'vitest';
import { cleanUp } from '#features/housekeeping/housekeeping.tasks.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { newPhone } from './helpers/person.ts';
import { type TestServer, withServer } from './helpers/server.ts';

const it = withServer();

/** A person with one split of one exercise, in a zone. */
async function trainee(server: TestServer, zone: string) {
  const { id } = await newPhone(server);
  await server.sql('update user_reminder_settings set timezone = $2 where user_id = $1', [id, zone]);
  const [plan] = await server.sql('insert into workoutplans (user_id) values ($1) returning id', [id]);
  const [split] = await server.sql("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [
    plan?.id,
  ]);
  const [ets] = await server.sql(
    'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($1, 1, array[5], 0) returning id',
    [split?.id],
  );
  const train = async (start: string, weight = 50, rows = 1) => {
    const [summary] = await server.sql(
      'insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc) values ($1, $2, $3, $3) returning id',
      [id, split?.id, start],
    );
    for (let n = 0; n < rows; n++) {
      await server.sql(
        'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($1, array[$2::real], array[5], $3)',
        [ets?.id, weight, summary?.id],
      );
    }
  };
  return { id, splitId: split?.id as string, train };
}

const refresh = (server: TestServer, now: string) => server.sql('select refresh_user_split_information($1)', [now]);
const habit = (server: TestServer, id: string) =>
  server.sql(
    `select to_char(estimated_time_utc at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as next, confidence::float, preferred_weekday as weekday
     from user_split_information where user_id = $1`,
    [id],
  );

describe('refresh_user_split_information (behaviour 4.8)', () => {
  it('New York, two Tuesdays 01:30Z: one row, UTC Tuesday, 0.60; 00:30Z after the change to summer time (BG6)', async ({
    server,
  }) => {
    const { id, train } = await trainee(server, 'America/New_York');
    await train('2026-02-24T01:30:00Z');
    await train('2026-03-03T01:30:00Z');
    // Monday 2026-03-02 local; the next local Monday is today's date there.
    await refresh(server, '2026-03-03T02:00:00Z');
    expect(await habit(server, id)).toEqual([{ next: '2026-03-03 01:30:00', confidence: 0.6, weekday: 2 }]);
    // On 2026-03-08 clocks rise: 20:30 local is 00:30Z.
    await refresh(server, '2026-03-09T12:00:00Z');
    expect(await habit(server, id)).toEqual([{ next: '2026-03-10 00:30:00', confidence: 0.6, weekday: 2 }]);
  });

  it('counts workouts, not tracked exercises (BG4)', async ({ server }) => {
    const { id, train } = await trainee(server, 'UTC');
    await train('2026-03-02T10:00:00Z', 50, 3);
    await refresh(server, '2026-03-03T00:00:00Z');
    expect(await habit(server, id)).toEqual([{ next: '2026-03-09 10:00:00', confidence: 0.3, weekday: 1 }]);
  });

  it('averages times around midnight on the circle (BG5)', async ({ server }) => {
    const { id, train } = await trainee(server, 'UTC');
    for (const start of ['2026-03-02T23:50:00Z', '2026-03-09T00:10:00Z', '2026-03-16T00:10:30Z']) await train(start);
    await refresh(server, '2026-03-17T00:00:00Z');
    expect(await habit(server, id)).toEqual([{ next: '2026-03-23 00:03:30', confidence: 1, weekday: 1 }]);
  });

  it('forgets what is stale, also when run twice at one instant (BG7)', async ({ server }) => {
    const { id, splitId, train } = await trainee(server, 'UTC');
    await train('2026-03-02T10:00:00Z');
    const now = '2026-03-03T00:00:00Z';
    await refresh(server, now);
    expect(await habit(server, id)).toHaveLength(1);
    await server.sql('update workoutsplits set is_active = false where id = $1', [splitId]);
    await refresh(server, now);
    expect(await habit(server, id)).toEqual([]);
    await server.sql('update workoutsplits set is_active = true where id = $1', [splitId]);
    await refresh(server, now);
    await refresh(server, '2026-03-24T00:00:00Z');
    expect(await habit(server, id)).toEqual([]);
  });

  it('a broken zone counts as UTC and stops nobody (BG8)', async ({ server }) => {
    const [broken, fine] = [await trainee(server, 'Mars/Base'), await trainee(server, 'UTC')];
    for (const { train } of [broken, fine]) await train('2026-03-02T10:00:00Z');
    await refresh(server, '2026-03-03T00:00:00Z');
    for (const { id } of [broken, fine])
      expect(await habit(server, id)).toMatchObject([{ next: '2026-03-09 10:00:00' }]);
  });
});

describe('housekeeping_compact_old_workouts (behaviour 4.10)', () => {
  const NOW = '2026-06-30T12:00:00Z';
  const daysBefore = (days: number) => new Date(Date.parse(NOW) - days * 86_400_000).toISOString();
  const count = async (server: TestServer, table: string, id: string) => {
    const join = table === 'exercisetracking' ? 'join workout_summary ws on ws.id = t.workout_summary_id' : '';
    const owner = join ? 'ws' : 't';
    const [row] = await server.sql(`select count(*)::int as n from ${table} t ${join} where ${owner}.user_id = $1`, [
      id,
    ]);
    return row?.n as number;
  };

  it('60 daily workouts: 46 days of rows and all summaries stay, in batches or at once', async ({ server }) => {
    const { id, train } = await trainee(server, 'UTC');
    for (let day = 0; day < 60; day++) await train(daysBefore(day), 100 - day);
    let removed = 0;
    let after: string | null = '00000000-0000-0000-0000-000000000000';
    while (after !== null) {
      const [batch] = await server.sql('select last_id, removed::int from app.compact_old_workouts($1, 2, $2)', [
        after,
        NOW,
      ]);
      after = batch?.last_id as string | null;
      removed += batch?.removed as number;
    }
    expect(removed).toBe(14);
    expect([await count(server, 'exercisetracking', id), await count(server, 'workout_summary', id)]).toEqual([46, 60]);
    expect(await server.sql('select data_version::int from users where id = $1', [id])).not.toEqual([
      { data_version: 0 },
    ]);
  });

  it('keeps the best set of somebody who has no weight record, because the app shows it in its place', async ({
    server,
  }) => {
    const { id, train } = await trainee(server, 'UTC');
    for (let day = 0; day < 40; day++) await train(daysBefore(100 + day), 0);
    const [oldest] = await server.sql(
      `update exercisetracking et
       set reps = '{99}'
       from workout_summary ws
       where ws.id = et.workout_summary_id and ws.user_id = $1 and ws.workout_start_utc = $2
       returning et.id`,
      [id, daysBefore(139)],
    );
    for (let run = 0; run < 2; run++) await server.sql('select housekeeping_compact_old_workouts($1)', [NOW]);
    expect(await count(server, 'exercisetracking', id)).toBe(36);
    expect(await server.sql('select app.best_set_id($1) as id', [id])).toEqual([{ id: oldest?.id }]);
  });

  it('keeps the 35 most recent workout-days, however old, and every record (DA5)', async ({ server }) => {
    const { id, train } = await trainee(server, 'UTC');
    for (let day = 0; day < 40; day++) await train(daysBefore(100 + day), day === 39 ? 300 : 50);
    const record = () =>
      server.sql('select pr_weight, pr_reps, one_rep_max::float from exercise_records where user_id = $1', [id]);
    const before = await record();
    await server.sql('select housekeeping_compact_old_workouts($1)', [NOW]);
    expect(await record()).toEqual(before);
    expect(await server.sql('select weight from v_prs where user_id = $1', [id])).toEqual([{ weight: 300 }]);
    // 40 days: 35 recent ones and the day that holds the record.
    expect(await count(server, 'exercisetracking', id)).toBe(36);
  });
});

describe('cleaning up', () => {
  it('removes what has served its purpose, and nothing else', async ({ server }) => {
    const { id } = await newPhone(server);
    await server.sql(
      `insert into seen_proofs (thumbprint, jti, request_id, expires_at)
       values ('clean', 'old', 'r', now() - interval '1 s'), ('clean', 'new', 'r', now() + interval '1 minute')`,
    );
    await server.sql(
      `insert into idempotency_keys (user_id, route, key, body_hash, status, body, created_at)
       values ($1, 'r', 'old', '', 200, '', now() - interval '25 hours'), ($1, 'r', 'new', '', 200, '', now())`,
      [id],
    );
    await server.sql(
      `insert into outbox (kind, user_id, dedupe_key, expires_at, status, finished_at)
       values
         ('x', $1, 'clean old', now(), 'sent', now() - interval '36 days'),
         ('x', $1, 'clean new', now(), 'sent', now()),
         ('x', $1, 'clean pending', now() + interval '1 hour', 'pending', null)`,
      [id],
    );
    await server.sql(
      `insert into security_events (kind, user_id, occurred_at)
       values ('login-failed', $1, now() - interval '401 days'), ('password-reset', $1, now() - interval '399 days')`,
      [id],
    );
    await server.sql(
      `insert into push_tickets (ticket_id, user_id, push_token, created_at)
       values ('old', $1, 't', now() - interval '25 hours'), ('new', $1, 't', now())`,
      [id],
    );
    await server.sql(
      `insert into imports (user_id, created_at, source, state, time_zone, facts, total)
       values
         ($1, now() - interval '8 days', 'old', 'preview', 'UTC', '{}', 0),
         ($1, now() - interval '8 days', 'kept', 'committed', 'UTC', '{}', 0),
         ($1, now() - interval '6 days', 'new', 'preview', 'UTC', '{}', 0)`,
      [id],
    );
    await server.sql(
      `insert into imports (user_id, id, updated_at, source, state, time_zone, facts, total)
       values
         ($1, '00000000-0000-4000-8000-000000000001', now() - interval '1 hour', 'stuck', 'committing', 'UTC', '{}', 0),
         ($1, '00000000-0000-4000-8000-000000000002', now() - interval '1 hour', 'waits', 'committing', 'UTC', '{}', 0),
         ($1, '00000000-0000-4000-8000-000000000003', now(), 'works', 'committing', 'UTC', '{}', 0)`,
      [id],
    );
    await server.sql(
      `insert into outbox (kind, user_id, payload, dedupe_key, next_attempt_at, expires_at)
       values ('import.commit', $1, '{"importId": "00000000-0000-4000-8000-000000000002"}', 'clean waits',
         now() + interval '1 hour', now() + interval '1 day')`,
      [id],
    );
    await server.sql(
      `insert into other_sessions (user_id, name, expires_at)
       values ($1, 'old', now() - interval '1 s'), ($1, 'new', now() + interval '1 hour')`,
      [id],
    );
    await server.sql(
      "insert into sign_in_codes (user_id, email, expires_at) values ($1, 'x', now() - interval '1 s')",
      [id],
    );
    await server.sql(
      `insert into app_finishes (user_id, started_at, ended_at, content_hash, workout_id, stored_at)
       values
         ($1, '2020-01-01', '2020-01-01', '', $1, now() - interval '46 days'),
         ($1, '2020-01-02', '2020-01-02', '', $1, now() - interval '44 days')`,
      [id],
    );
    await server.sql(
      `insert into mailed_codes (email, user_id, asked_from, expires_at)
       values ('x', $1, 'here', now() - interval '1 s'), ('y', null, 'here', now() - interval '1 s'),
         ('z', null, 'here', now() + interval '1 hour')`,
      [id],
    );
    // More than one transaction removes: what has piled up in a week away goes too.
    await server.sql(
      `insert into seen_proofs (thumbprint, jti, request_id, expires_at)
       select 'clean', 'piled up ' || n, 'r', now() - interval '1 s' from generate_series(1, 4500) n`,
    );
    const db = openDatabase({
      url: server.databaseUrl,
      poolSize: 1,
      preparedStatements: true,
      log: buildLog('silent'),
    });
    await cleanUp(db);
    await db.close();
    expect(await server.sql('select name from other_sessions where user_id = $1', [id])).toEqual([{ name: 'new' }]);
    expect(await server.sql('select from sign_in_codes where user_id = $1', [id])).toEqual([]);
    expect(await server.sql('select started_at::date::text as day from app_finishes where user_id = $1', [id])).toEqual(
      [{ day: '2020-01-02' }],
    );
    expect(await server.sql("select email from mailed_codes where asked_from = 'here'")).toEqual([{ email: 'z' }]);
    expect(await server.sql('select kind from security_events where user_id = $1', [id])).toEqual([
      { kind: 'password-reset' },
    ]);
    expect(await server.sql('select ticket_id from push_tickets where user_id = $1', [id])).toEqual([
      { ticket_id: 'new' },
    ]);
    expect(await server.sql('select source, state from imports where user_id = $1 order by 1', [id])).toEqual([
      { source: 'kept', state: 'committed' },
      { source: 'new', state: 'preview' },
      { source: 'stuck', state: 'failed' },
      { source: 'waits', state: 'committing' },
      { source: 'works', state: 'committing' },
    ]);
    expect(await server.sql("select jti from seen_proofs where thumbprint = 'clean'")).toEqual([{ jti: 'new' }]);
    expect(await server.sql('select key from idempotency_keys where user_id = $1', [id])).toEqual([{ key: 'new' }]);
    expect(await server.sql('select dedupe_key as key from outbox where user_id = $1 order by 1', [id])).toEqual([
      { key: 'clean new' },
      { key: 'clean pending' },
      { key: 'clean waits' },
    ]);
  });
});

describe('the outbox worker', () => {
  it('leaves kinds that it does not know to a newer worker', async ({ server }) => {
    const { id } = await newPhone(server);
    await server.sql(
      "insert into outbox (kind, user_id, dedupe_key, expires_at) values ('push.of-tomorrow', $1, 'tomorrow', now() + interval '1 hour')",
      [id],
    );
    await new Promise((done) => setTimeout(done, 1_500));
    expect(await server.sql('select status, attempts from outbox where user_id = $1', [id])).toEqual([
      { status: 'pending', attempts: 0 },
    ]);
  });

  it('drops what has expired', async ({ server }) => {
    const { id } = await newPhone(server);
    await server.sql(
      "insert into outbox (kind, user_id, payload, dedupe_key, expires_at) values ('mail.verification', $1, '{\"email\":\"x@example.com\"}', 'late', now())",
      [id],
    );
    const outcome = () => server.sql('select status, payload from outbox where user_id = $1', [id]);
    await vi.waitFor(async () => expect(await outcome()).toEqual([{ status: 'dropped', payload: {} }]), {
      timeout: 15_000,
    });
  });
});
