// People of the earlier layout move in: the same tables in the schema public, almost without constraints.
import { createSecretKey } from 'node:crypto';
import { hashSync } from '@node-rs/bcrypt';
import { SignJWT } from 'jose';
import pg from 'pg';
import { expect } from 'vitest';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { moveIn } from '#src/cli/moveIn.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { makeProof, proofKey } from './helpers/proof.ts';
import { asSuperuser, type TestServer, withServer } from './helpers/server.ts';

const DANA = '11111111-1111-4111-8111-111111111111';
const UNFIT = '22222222-2222-4222-8222-222222222222';
const OLD_BOT = '33333333-3333-4333-8333-333333333333';
const NOAM = '44444444-4444-4444-8444-444444444444';
const WORKOUT = '55555555-5555-4555-8555-555555555555';
const TWIN = '66666666-6666-4666-8666-666666666666';

const OLD_LAYOUT = `
  create table users (
    username text not null, email text not null, name text not null, gender text not null default 'Unknown',
    created_at timestamptz not null default now(), profile_image_url text, id uuid primary key, push_token text,
    password text, role text not null default 'User', is_first_login boolean not null default true,
    token_version bigint not null default 0, is_verified boolean not null default false,
    auth_provider text not null default 'app', last_login timestamptz
  );
  create table users_subs (id uuid primary key, user_id uuid not null);
  create table oauth_accounts (
    id uuid primary key default gen_random_uuid(), user_id uuid not null, provider text not null,
    provider_user_id text not null, provider_email text not null, linked_at timestamptz not null default now(),
    missing_fields text
  );
  create table user_reminder_settings (
    user_id uuid primary key, workout_reminders_enabled boolean not null default true,
    reminder_offset_minutes integer not null default 60, updated_at timestamptz not null default now(), timezone text
  );
  create table exercises (
    id bigint primary key, name text not null unique, description text not null, targetmuscle text not null,
    specifictargetmuscle text not null
  );
  create table workoutplans (
    id bigint primary key, name text not null, numberofsplits bigint not null default 1,
    created_at timestamptz not null default now(), is_deleted boolean not null default false,
    level text not null default 'Beginner', user_id uuid not null, trainer_id uuid,
    is_active boolean not null default true, updated_at timestamptz not null default now()
  );
  create table workoutsplits (
    id bigint primary key, workout_id bigint not null, name text not null,
    created_at timestamptz not null default now(), muscle_group text, is_active boolean not null default true
  );
  create table exercisetoworkoutsplit (
    id bigint primary key, exercise_id bigint not null, workoutsplit_id bigint not null,
    created_at timestamptz not null default now(), sets bigint[] not null, order_index bigint not null,
    is_active boolean not null default true
  );
  create table workout_summary (
    id uuid primary key, user_id uuid not null, workout_start_utc timestamptz not null,
    workout_end_utc timestamptz not null, created_at timestamptz not null default now(), workoutsplit_id bigint not null
  );
  create table exercisetracking (
    id bigint primary key, exercisetosplit_id bigint not null, weight real[] not null, reps bigint[] not null,
    notes text, workout_summary_id uuid not null
  );
  create table aerobictracking (
    id bigint primary key, user_id uuid not null, type text not null, duration_mins bigint not null,
    duration_sec bigint not null, workout_time_utc timestamptz not null default now()
  );
  create table messages (
    id uuid primary key default gen_random_uuid(), sender_id uuid not null, receiver_id uuid not null,
    subject text not null, msg text not null, sent_at timestamptz not null default now(),
    is_read boolean not null default false
  )`;

const PEOPLE = (hash: string, unfitName: string) => `
  insert into users (id, username, email, name, gender, push_token, password, token_version, is_verified, created_at)
  values
    ('${DANA}', 'Dana', 'Dana@Example.com', 'Dana Kay', 'Female', 'ExponentPushToken[one]', '${hash}', 7, true, '2025-02-03 04:05:06.789012+00'),
    ('${NOAM}', 'noam', '', '', 'other', 'ExponentPushToken[one]', 'plain text', 0, true, '2024-01-01'),
    ('${OLD_BOT}', 'system_bot', 'bot@example.com', 'Bot', 'Unknown', null, null, 0, true, '2024-01-01')
    ${unfitName === '' ? '' : `, ('${UNFIT}', '${unfitName}', 'unfit@example.com', '', 'Unknown', null, null, 0, true, '2024-01-01')`};
  insert into oauth_accounts (user_id, provider, provider_user_id, provider_email)
  values ('${NOAM}', 'google', 'google-noam', 'noam@example.com');
  insert into user_reminder_settings (user_id, timezone, reminder_offset_minutes)
  values ('${DANA}', 'Europe/Berlin', 30), ('${NOAM}', '''UTC''::text', 60);
  insert into exercises values
    (900, 'back squat ', 'x', 'Legs', 'Quads'), (901, 'Zercher Carry', 'Carry it.', 'Legs', 'Quads');
  insert into workoutplans (id, name, user_id, trainer_id) values (50, repeat('p', 120), '${DANA}', '${OLD_BOT}');
  insert into workoutsplits (id, workout_id, name) values (60, 50, 'A');
  insert into exercisetoworkoutsplit (id, exercise_id, workoutsplit_id, sets, order_index) values
    (70, 900, 60, '{10,8}', 0), (71, 901, 60, '{0,12}', 1);
  insert into workout_summary (id, user_id, workout_start_utc, workout_end_utc, workoutsplit_id, created_at) values
    ('${WORKOUT}', '${DANA}', now() - interval '2 days', now() - interval '3 days', 60, now() - interval '1 hour'),
    ('${TWIN}', '${DANA}', now() - interval '2 days', now() - interval '1 day', 60, now());
  insert into exercisetracking values
    (80, 70, '{100.1,102.5,90}', '{5,0,8}', 'felt good', '${WORKOUT}'),
    (81, 71, '{NaN}', '{5}', null, '${WORKOUT}'),
    (82, 70, '{105}', '{3}', null, '${TWIN}');
  insert into aerobictracking values (90, '${DANA}', 'Run', 30, 5, now() - interval '1 day');
  insert into messages (sender_id, receiver_id, subject, msg) values
    ('${OLD_BOT}', '${DANA}', 'Welcome', 'Hello'), ('${NOAM}', '${DANA}', 'Hi', 'There')`;

async function oldDatabase(server: TestServer, name: string, people: string): Promise<string> {
  const admin = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
  await admin.connect();
  await admin.query(`drop database if exists ${name}`);
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(asSuperuser(server.databaseUrl));
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(OLD_LAYOUT);
  await client.query(people);
  await client.end();
  return url.href;
}

async function movingIn(server: TestServer, ...args: string[]): Promise<string[]> {
  const log = buildLog('silent');
  const db = openDatabase({ url: server.databaseUrl, poolSize: 1, preparedStatements: true, log });
  const said: string[] = [];
  try {
    await moveIn({
      config: server.config,
      db,
      ownerUrl: server.databaseUrl,
      log,
      outbox: buildOutbox(),
      args,
      say: (line) => said.push(line),
      progress: () => undefined,
    });
  } catch (error) {
    said.push((error as Error).message);
  } finally {
    await db.close();
  }
  return said;
}

const it = withServer();
const HASH = hashSync('the old password', 10);

it('what does not fit is told, and nothing is written', async ({ server }) => {
  const from = await oldDatabase(server, 'old_unfit', PEOPLE(HASH, 'n'.repeat(65)));
  const said = await movingIn(server, '--from', from);
  expect(said).toContain(
    'left out: 1 people whose username, address or full name does not fit, or belongs to somebody else but for case and spaces',
  );
  expect(said.at(-1)).toBe('Nothing was written, because something would be left out. With --leave-out it is.');
  expect(await server.sql("select from users where role <> 'System'")).toHaveLength(0);
  expect(await server.sql("select from pg_class where relname = 'users' and relforcerowsecurity")).toHaveLength(1);
});

/** What else a database of the earlier layout may hold → a line that tells of it. */
const TRAPS: Record<string, [string, string]> = {
  'a name that differs by case': [
    `insert into users (id, username, email, name) values ('${UNFIT}', 'DANA ', 'x@example.com', 'x')`,
    'left out: 1 people whose username, address or full name does not fit, or belongs to somebody else but for case and spaces',
  ],
  'somebody who is called like the bot': [
    `insert into users (id, username, email, name) values ('${UNFIT}', 'System_Bot ', 'x@example.com', 'x');
     insert into messages (sender_id, receiver_id, subject, msg) values ('${DANA}', '${UNFIT}', 'x', 'x')`,
    'left out: 1 messages to nobody',
  ],
  'two active plans': [
    `insert into workoutplans (id, name, user_id, updated_at) values (51, 'old', '${DANA}', '2020-01-01')`,
    'mended: 1 plans that were active beside a newer one: not active',
  ],
  'two splits of one name': [
    "insert into workoutsplits (id, workout_id, name) values (61, 50, 'A')",
    'mended: 1 splits that had the name of another one in their plan: numbered',
  ],
  'a start that the mending of another would take': [
    `insert into workout_summary (id, user_id, workout_start_utc, workout_end_utc, workoutsplit_id, created_at)
     select gen_random_uuid(), user_id, workout_start_utc + interval '1 ms', now(), 60, now() + interval '1 hour'
     from workout_summary limit 1`,
    'mended: 2 workouts that began in the same moment as another: a millisecond later each',
  ],
  'an account at a provider twice': [
    "insert into oauth_accounts (user_id, provider, provider_user_id, provider_email) select id, 'google', 'google-noam', '' from users where username = 'Dana'",
    'left out: 1 links to other providers than Google and Apple, of nobody, or of an account at a provider that has another one',
  ],
  "a workout of somebody else's split": [
    `insert into workout_summary (id, user_id, workout_start_utc, workout_end_utc, workoutsplit_id)
     values (gen_random_uuid(), '${NOAM}', now(), now(), 60)`,
    "left out: 1 workouts of people or splits that were left out, or of a split that is somebody else's",
  ],
  'loads below zero': [
    `insert into exercisetracking values (83, 70, '{-20,5}', '{8,8}', 'assisted', '${TWIN}')`,
    'left out: 1 exercises of workouts with loads below 0 or without an end, and those sets',
  ],
  'an exercise that a split has twice': [
    "insert into exercises values (902, 'Back Squat', 'x', 'Legs', 'Quads'); insert into exercisetoworkoutsplit (id, exercise_id, workoutsplit_id, sets, order_index) values (72, 902, 60, '{12}', 2)",
    'left out: 1 planned sets of exercises that a split had twice: those of the first stay',
  ],
};

it.for(Object.entries(TRAPS))('%s is told', async ([name, [statements, line]], { server }) => {
  const database = `old_trap_${Object.keys(TRAPS).indexOf(name)}`;
  const from = await oldDatabase(server, database, `${PEOPLE(HASH, '')};${statements}`);
  // Nothing may be written, so that the next one finds nobody.
  const own = await untilUndone(server, from);
  expect(own).toContain(line);
});

/** What it says, and undone where it would have moved everybody. */
async function untilUndone(server: TestServer, from: string): Promise<string[]> {
  const said = await movingIn(server, '--from', from);
  await server.sql("delete from users where role <> 'System'");
  return said;
}

it('another layout is refused, and an error never quotes a row', async ({ server }) => {
  const from = await oldDatabase(
    server,
    'old_other',
    `${PEOPLE(HASH, '')};alter table exercisetracking rename reps to n`,
  );
  expect(await movingIn(server, '--from', from)).toEqual([
    'The other database is not of the earlier layout: exercisetracking without reps.',
  ]);
  const odd = await oldDatabase(
    server,
    'old_odd',
    `${PEOPLE(HASH, '')};alter table messages alter column is_read drop default, alter column is_read type text;
     update messages set is_read = 'private words'`,
  );
  const [said] = await movingIn(server, '--from', odd);
  expect(said).toBe('Nothing was written: a value does not fit (SQLSTATE 22P02).');
});

it('people move in with what they did, and go on without signing in again', async ({ server }) => {
  const from = await oldDatabase(server, 'old_layout', PEOPLE(HASH, ''));
  expect(await movingIn(server, '--from', from)).toEqual([
    'mended: 1 passwords that are no bcrypt hash: these people reset theirs',
    'mended: 1 push tokens that several people had: the newest account keeps it',
    'mended: 1 time zones of reminders that are none: UTC',
    'mended: 1 plan names that are longer than 100 characters: cut',
    'mended: 1 exercises whose planned reps were not all at least 1: the others, or one set of 1',
    'mended: 1 workouts that ended before they began: the end is the start',
    'mended: 1 workouts that began in the same moment as another: a millisecond later each',
    'mended: 1 exercises of workouts without a set of at least one rep: none is left',
    'mended: 1 exercises of workouts with sets without a rep: without them',
    'moved: 2 people',
    'moved: 1 plans',
    'moved: 2 workouts',
    'moved: 2 exercises of workouts',
    'moved: 1 cardio',
    'moved: 2 messages',
    'Done. Start the server with the secrets of before, and nobody signs in again.',
  ]);
  expect(await server.sql('select from pg_class where relrowsecurity and not relforcerowsecurity')).toHaveLength(0);

  // A phone that holds a refresh token of before.
  const key = proofKey('phone');
  const token = await new SignJWT({ id: DANA, role: 'User', tokenVer: '7', cnf: { jkt: key.thumbprint } })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(createSecretKey(Buffer.from(server.config.secrets.JWT_REFRESH_SECRET)));
  const refreshed = await server.fetch('/api/auth/refresh', {
    method: 'POST',
    headers: { 'x-refresh-token': `DPoP ${token}`, dpop: makeProof(key, `POST ${server.url}/api/auth/refresh`) },
  });
  expect(refreshed.status).toBe(200);
  const { accessToken } = (await refreshed.json()) as { accessToken: string };
  const other = await newPhone(server);
  const get = async (path: string) => {
    const answer = await (other as Phone).get(path, accessToken, key);
    expect(answer.status).toBe(200);
    return answer.text();
  };

  expect(JSON.parse(await get('/api/users/get'))).toMatchObject({
    id: DANA,
    username: 'Dana',
    email: 'Dana@Example.com',
    gender: 'Female',
  });
  const plan = await get('/api/workouts/getworkout?tz=UTC');
  expect(plan).toContain('Back Squat');
  expect(plan).toContain('Zercher Carry');
  expect(plan).toContain('"id":70');
  const tracking = JSON.parse(await get('/api/workouts/gettracking?tz=UTC'));
  expect(JSON.stringify(tracking)).toContain('100.1');
  const [squat] = await server.sql<{ id: string }>("select id from exercises where name = 'Back Squat'");
  expect(
    await server.sql(
      'select exercise_id, pr_weight, pr_reps from exercise_records where user_id = $1 and exercise_id = $2',
      [DANA, squat?.id],
    ),
  ).toEqual([{ exercise_id: squat?.id, pr_weight: 105, pr_reps: '3' }]);
  expect(await get('/api/aerobics/get?tz=UTC')).toContain('Run');
  const inbox = await get('/api/messages/getmessages?tz=UTC');
  expect(inbox).toContain('"sender_full_name":"System Bot"');
  expect(inbox).toContain('There');

  // The password of before, and the next ids.
  const login = await server.fetch('/api/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dpop-key-binding': key.thumbprint },
    body: JSON.stringify({ identifier: 'dana', password: 'the old password' }),
  });
  expect(login.status).toBe(200);
  const tokens = (await login.json()) as { accessToken: string };
  const body = { workoutData: { B: [{ id: 1, sets: [5] }] } };
  const path = '/api/workouts/add';
  const added = await server.fetch(path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `DPoP ${tokens.accessToken}`,
      dpop: makeProof(key, `POST ${server.url}${path}`, { accessToken: tokens.accessToken }),
    },
    body: JSON.stringify(body),
  });
  expect(added.status).toBe(200);

  expect((await movingIn(server, '--from', from)).at(-1)).toMatch(/^There are \d people in this database already\.$/);
});

it('is called with the address of the other database', async ({ server }) => {
  expect(await movingIn(server)).toEqual(['Usage: npm run db:move-in -- --from postgres://… [--leave-out]']);
  expect((await movingIn(server, '--from', 'postgres://nobody@127.0.0.1:9/none'))[0]).toMatch(/cannot be reached/);
});
