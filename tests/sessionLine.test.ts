import pg from 'pg';
import sharp from 'sharp';
import { describe, expect, vi } from 'vitest';
import { api } from '#src/api.ts';
import { type FakeServer, startFake } from './fakes/http.ts';
import { type FakeSupabase, startSupabase } from './fakes/supabase.ts';
import { type HeldAnswer, type HeldRequest, holdRequest } from './helpers/heldRequest.ts';
import { newPhone, type Phone, type Tokens } from './helpers/person.ts';
import { makeProof } from './helpers/proof.ts';
import { asSuperuser, fixtures, linkIn, startTestServer, type TestServer } from './helpers/server.ts';

/*
 * The end of a session is a line that nothing crosses. A request that was let in while its session was current,
 * and is then held, finds the session ended: it answers 401, writes nothing and mints nothing, wherever it was held.
 */

interface Person {
  phone: Phone;
  tokens: Tokens;
  /** A message that they received. */
  message: string;
  /** An exercise of their plan. */
  exercise: number;
  /** Their import, where the route needs one. */
  upload: string;
  /** Their own exercise. */
  own: number;
}

interface Protected {
  /** The status of the answer while the session goes on. */
  done: number;
  /** It does nothing in any case, and may say so also after the end. */
  isHarmless?: true;
  path?: (person: Person) => string;
  body?: (person: Person) => object | Buffer;
}

const BOUNDARY = 'held-picture';
const trainedAt = new Date(Date.now() - 3_600_000).toISOString();
const JPEG = await sharp({ create: { width: 60, height: 30, channels: 3, background: 'red' } })
  .jpeg()
  .toBuffer();
const HEAD = 'Content-Disposition: form-data; name="file"; filename="x.jpg"\r\nContent-Type: image/jpeg';
const PICTURE = Buffer.concat([
  Buffer.from(`--${BOUNDARY}\r\n${HEAD}\r\n\r\n`),
  JPEG,
  Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
]);

const TRAINING = [
  'title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe',
  'Day,"15 Sep 2025, 07:48","15 Sep 2025, 08:48",,Bench Press (Barbell),,,0,normal,60,5,,,',
].join('\n');
const UPLOAD = Buffer.from(
  [
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="timeZone"\r\n\r\nUTC`,
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\n${TRAINING}`,
    `--${BOUNDARY}--\r\n`,
  ].join('\r\n'),
);
const WORKOUT = { title: 'Held', startedAt: trainedAt, timeZone: 'UTC', blocks: [] };
const DAYS = 'from=2026-03-01&to=2026-03-31';
/** What a person has one of in the logbook has the person's id. */
const ofPerson =
  (path: string) =>
  ({ phone }: Person) =>
    path + phone.id;

/** Every protected route with a request that it would grant. */
const ROUTES: Record<string, Protected> = {
  'GET /api/users/get': { done: 200 },
  'GET /api/workouts/getworkout': { done: 200 },
  'GET /api/workouts/gettracking': { done: 200 },
  'GET /api/messages/getmessages': { done: 200 },
  'GET /api/exercises/getall': { done: 200 },
  'GET /api/analytics/get': { done: 200 },
  'GET /api/aerobics/get': { done: 200 },
  'GET /api/bootstrap/get': { done: 200, path: () => '/api/bootstrap/get?tz=Europe/Berlin' },
  'POST /api/auth/logout': { done: 200 },
  'PUT /api/users/update': { done: 200, body: () => ({ fullName: 'Held Name' }) },
  'PUT /api/users/updateself': { done: 200, body: ({ phone }) => ({ email: `held_${phone.username}@example.com` }) },
  'PUT /api/users/pushtoken': { done: 204, body: ({ phone }) => ({ token: `ExponentPushToken[${phone.id}]` }) },
  'PUT /api/users/setprofilepic': { done: 201, body: () => PICTURE },
  'DELETE /api/users/deleteprofilepic': { done: 200, body: () => ({ path: null }) },
  'DELETE /api/users/deleteself': { done: 200 },
  'POST /api/oauth/proceedauth': { done: 200 },
  'POST /api/workouts/finishworkout': {
    done: 200,
    body: ({ exercise }) => ({
      workout: [{ exercisetosplit_id: exercise, weight: [50], reps: [5] }],
      workout_start_utc: trainedAt,
    }),
  },
  'POST /api/workouts/add': { done: 200, body: () => ({ workoutData: { A: [{ id: 2, sets: [8] }] } }) },
  'DELETE /api/workouts/delete': { done: 501, isHarmless: true },
  'PUT /api/messages/markasread/:id': { done: 200, path: ({ message }) => `/api/messages/markasread/${message}` },
  'DELETE /api/messages/delete/:id': { done: 200, path: ({ message }) => `/api/messages/delete/${message}` },
  'POST /api/aerobics/add': { done: 201, body: () => ({ record: { type: 'Walk', durationMins: 5 } }) },
  'POST /api/ws/generateticket': { done: 201 },
  'GET /api/v1/workouts': { done: 200 },
  'GET /api/v1/workouts/:id': { done: 200, path: ofPerson('/api/v1/workouts/') },
  'PUT /api/v1/workouts/:id': { done: 200, path: ofPerson('/api/v1/workouts/'), body: () => WORKOUT },
  'DELETE /api/v1/workouts/:id': { done: 204, path: ofPerson('/api/v1/workouts/') },
  'POST /api/v1/workouts/:id/duplicate': {
    done: 201,
    path: ({ phone }) => `/api/v1/workouts/${phone.id}/duplicate`,
  },
  'GET /api/v1/exercises': { done: 200 },
  'POST /api/v1/exercises': { done: 201, body: () => ({ name: 'Another of mine', muscle: 'Legs' }) },
  'PUT /api/v1/exercises/:id': {
    done: 200,
    path: ({ own }) => `/api/v1/exercises/${own}`,
    body: () => ({ name: 'Renamed', muscle: 'Legs' }),
  },
  'DELETE /api/v1/exercises/:id': { done: 204, path: ({ own }) => `/api/v1/exercises/${own}` },
  'GET /api/v1/exercises/:id/history': { done: 200, path: () => '/api/v1/exercises/1/history' },
  'GET /api/v1/exercises/:id/last': { done: 200, path: () => '/api/v1/exercises/1/last' },
  'GET /api/v1/records': { done: 200 },
  'GET /api/v1/overview': { done: 200, path: () => `/api/v1/overview?${DAYS}` },
  'GET /api/v1/stats/summary': { done: 200 },
  'GET /api/v1/stats/calendar': { done: 200, path: () => `/api/v1/stats/calendar?${DAYS}` },
  'GET /api/v1/stats/muscles': { done: 200, path: () => `/api/v1/stats/muscles?${DAYS}` },
  'GET /api/v1/stats/volume': { done: 200, path: () => `/api/v1/stats/volume?${DAYS}` },
  'GET /api/v1/measurements': { done: 200 },
  'GET /api/v1/measurements/:id': { done: 200, path: ofPerson('/api/v1/measurements/') },
  'PUT /api/v1/measurements/:id': {
    done: 200,
    path: ofPerson('/api/v1/measurements/'),
    body: () => ({ kind: 'waist', value: 80, unit: 'cm', measuredAt: trainedAt }),
  },
  'DELETE /api/v1/measurements/:id': { done: 204, path: ofPerson('/api/v1/measurements/') },
  'GET /api/v1/plan': { done: 200 },
  'PUT /api/v1/plan': {
    done: 200,
    body: () => ({ name: 'Mine', splits: [{ name: 'B', exercises: [{ exerciseId: 1, sets: [5] }] }] }),
  },
  'GET /api/v1/me': { done: 200 },
  'PATCH /api/v1/me': { done: 200, body: () => ({ name: 'Held Name', unit: 'lb' }) },
  'DELETE /api/v1/me': { done: 204, body: ({ phone }) => ({ password: phone.password }) },
  'PUT /api/v1/me/password': {
    done: 204,
    body: ({ phone }) => ({ password: phone.password, newPassword: 'another horse' }),
  },
  'GET /api/v1/sessions': { done: 200 },
  'DELETE /api/v1/sessions': { done: 204 },
  'DELETE /api/v1/sessions/:id': { done: 204, path: () => '/api/v1/sessions/phone' },
  'GET /api/v1/exports/logbook.json': { done: 200 },
  'GET /api/v1/exports/hevy.csv': { done: 200 },
  'GET /api/v1/exports/archive.zip': { done: 200 },
  'GET /api/v1/exports/strong.csv': { done: 200 },
  'GET /api/v1/imports': { done: 200 },
  'GET /api/v1/imports/:id': { done: 200, path: ({ upload }) => `/api/v1/imports/${upload}` },
  'POST /api/v1/imports': { done: 201, body: () => UPLOAD },
  'PATCH /api/v1/imports/:id': {
    done: 200,
    path: ({ upload }) => `/api/v1/imports/${upload}`,
    body: () => ({ duplicates: 'import' }),
  },
  'POST /api/v1/imports/:id/commit': { done: 202, path: ({ upload }) => `/api/v1/imports/${upload}/commit` },
  'DELETE /api/v1/imports/:id': { done: 200, path: ({ upload }) => `/api/v1/imports/${upload}` },
};
const NAMES = Object.keys(ROUTES);
const READS = NAMES.filter((name) => name.startsWith('GET '));
const CHANGES = NAMES.filter((name) => !name.startsWith('GET '));
/** Those that wait for the person's row. */
const WAITING_CHANGES = CHANGES.filter((name) => !ROUTES[name]?.isHarmless);
/** One of each way to write: a session, a ticket, an account, the own row, several tables, several steps. */
const REPRESENTATIVES = [
  'POST /api/oauth/proceedauth',
  'POST /api/ws/generateticket',
  'DELETE /api/users/deleteself',
  'PUT /api/users/pushtoken',
  'PUT /api/users/updateself',
  'PUT /api/users/setprofilepic',
  'POST /api/workouts/add',
  'PUT /api/messages/markasread/:id',
];

/** Who waits for a connection $1. */
const WAITING = 'select from pg_stat_activity a where $1 = any (pg_blocking_pids(a.pid))';

const LOGIN_REQUIRED = {
  status: 401,
  body: { success: false, message: 'New login required', code: 'LOGIN_REQUIRED', requestId: expect.any(String) },
};

const it = fixtures
  .extend('supabase', { scope: 'file' }, ({ untilEnd }) => untilEnd(startSupabase()))
  .extend('store', { scope: 'file' }, ({ untilEnd, supabase }) => untilEnd(slowStore(supabase)))
  .extend('server', { scope: 'file' }, ({ untilEnd, store }) =>
    untilEnd(startTestServer({ env: { SUPABASE_URL: store.url, SUPABASE_SERVICE_ROLE: 'service-role' } })),
  )
  // Another instance, with two connections that are not reserved.
  .extend('crowded', { scope: 'file' }, ({ untilEnd, server, store }) =>
    untilEnd(
      startTestServer({
        sharing: server,
        env: { DATABASE_POOL_SIZE: '3', SUPABASE_URL: store.url, SUPABASE_SERVICE_ROLE: 'service-role' },
      }),
    ),
  )
  // A superuser's connection that holds rows.
  .extend('holder', { scope: 'file' }, async ({ server }, { onCleanup }) => {
    const holder = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    onCleanup(() => holder.end());
    await holder.connect();
    return holder;
  })
  .extend('holderPid', { scope: 'file' }, async ({ holder }) => {
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid ?? 0;
  });

it.beforeEach(({ store }) => store.open());
it.afterAll(({ store }) => store.open());

interface SlowStore extends FakeServer {
  /** From now on requests wait. */
  shut(): void;
  /** What waits goes on, and nothing waits any more. */
  open(): void;
  /** How many wait. */
  waiting: number;
}

/** A picture store that takes its time: as long as a test wants. */
async function slowStore(behind: FakeServer): Promise<SlowStore> {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const front = await startFake(async (req, body, res) => {
    slow.waiting++;
    await gate.promise;
    slow.waiting--;
    const { authorization = '', 'content-type': type = '' } = req.headers;
    const answer = await fetch(`${behind.url}${req.url}`, {
      method: req.method ?? '',
      headers: { authorization, 'content-type': type },
      body: body.length > 0 ? new Uint8Array(body) : null,
    });
    res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    res.end(Buffer.from(await answer.arrayBuffer()));
  });
  const slow: SlowStore = {
    ...front,
    waiting: 0,
    shut: () => {
      gate = Promise.withResolvers<void>();
    },
    open: () => gate.resolve(),
  };
  return slow;
}

/** Somebody who has one of everything that the route needs, signed in with tokens that nobody has used yet. */
async function newPerson(server: TestServer, supabase: FakeSupabase, name = ''): Promise<Person> {
  const phone = await newPhone(server);
  const [made] = await server.sql<{ message: string; exercise: string; own: string }>(
    `with plan as (insert into workoutplans (user_id, trainer_id) values ($1, $1) returning id),
       split as (insert into workoutsplits (workout_id, name) select id, 'A' from plan returning id),
       exercise as (
         insert into exercisetoworkoutsplit (exercise_id, workoutsplit_id, sets, order_index)
         select 1, id, '{5}', 0 from split returning id
       ),
       message as (insert into messages (receiver_id, subject, msg) values ($1, 'a subject', 'a text') returning id),
       link as (insert into oauth_accounts (user_id, provider, provider_user_id) values ($1, 'google', $1::text)),
       head as (insert into log_heads (user_id, version) values ($1, 1)),
       logged as (
         insert into log_workouts (user_id, id, version, title, started_at, time_zone, source)
         values ($1, $1, 1, 'Logged', now(), 'UTC', 'logbook')
       ),
       measured as (
         insert into measurements (user_id, id, version, kind, value, unit, measured_at)
         values ($1, $1, 1, 'waist', 81, 'cm', now())
       ),
       own as (
         insert into exercises (owner_id, name, description, targetmuscle, specifictargetmuscle)
         values ($1, 'Mine', '', 'Legs', 'Legs') returning id
       )
     select message.id as message, exercise.id as exercise, own.id as own from message, exercise, own`,
    [phone.id],
  );
  if (!made) throw new Error('nothing was made');
  const path = `profile_pics/${phone.id}/before.jpg`;
  supabase.objects.set(path, { bytes: Buffer.from('before'), contentType: 'image/jpeg' });
  await server.sql('update users set profile_image_url = $2 where id = $1', [phone.id, path]);
  const { message } = made;
  const person = {
    phone,
    tokens: await phone.tokens(),
    message,
    exercise: Number(made.exercise),
    own: Number(made.own),
    upload: '',
  };
  return name.includes('/imports/') ? { ...person, upload: await preview(server, person) } : person;
}

/** @returns the id of an import that can be committed */
async function preview(server: TestServer, person: Person): Promise<string> {
  const { status, text } = await send(server, 'POST /api/v1/imports', person);
  expect(status).toBe(201);
  await server.sql('update users set token_version_used = false where id = $1', [person.phone.id]);
  return (JSON.parse(text) as { id: string }).id;
}

/** The request of a route, complete but for being sent. */
function requestOf(server: TestServer, name: string, person: Person) {
  const { path, body = () => ({}) } = ROUTES[name] as Protected;
  const [method = '', declared = ''] = name.split(' ');
  const target = server.url + (path?.(person) ?? declared);
  const { accessToken } = person.tokens;
  const sent = body(person);
  const isPicture = Buffer.isBuffer(sent);
  return {
    target,
    method,
    body: isPicture ? sent : Buffer.from(JSON.stringify(sent)),
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: makeProof(person.phone.key, `${method} ${target}`, { accessToken }),
      'content-type': isPicture ? `multipart/form-data; boundary=${BOUNDARY}` : 'application/json',
    },
  };
}

/** Sends the head of a route's request and waits until the guard has let it in. */
async function letIn(server: TestServer, name: string, person: Person): Promise<HeldRequest> {
  const { target, ...request } = requestOf(server, name, person);
  const held = holdRequest(target, request);
  await expectLetIn(server, person.phone.id);
  return held;
}

/** Waits until the guard has let a request of the person in. */
const expectLetIn = (server: TestServer, id: string) =>
  vi.waitFor(
    async () => {
      const [row] = await server.sql('select token_version_used as used from users where id = $1', [id]);
      expect(row?.used).toBe(true);
    },
    { timeout: 20_000, interval: 10 },
  );

/** The whole request, at once. */
function send(server: TestServer, name: string, person: Person): Promise<HeldAnswer> {
  const { target, ...request } = requestOf(server, name, person);
  if (request.method !== 'GET') return holdRequest(target, request).release();
  return fetch(target, { headers: { ...request.headers, 'x-app-version': '4.5.0' } }).then(async (response) => ({
    status: response.status,
    text: await response.text(),
  }));
}

type Ask = (text: string, values: unknown[]) => Promise<Array<Record<string, unknown>>>;

/** Everything that the database holds of a person; of what is to be delivered only that it is there. */
async function rowsOf(server: TestServer, id: string, ask: Ask = server.sql): Promise<unknown> {
  const rows = (from: string, of = 'to_jsonb(t)') => `(select jsonb_agg(${of} order by t.id) from ${from})`;
  const [row] = await ask(
    `select
       ${rows('users t where t.id = $1')} as "user",
       ${rows('oauth_accounts t where t.user_id = $1')} as links,
       ${rows('workoutplans t where t.user_id = $1')} as plans,
       ${rows('workoutsplits t join workoutplans p on p.id = t.workout_id where p.user_id = $1')} as splits,
       ${rows(
         `exercisetoworkoutsplit t join workoutsplits s on s.id = t.workoutsplit_id
          join workoutplans p on p.id = s.workout_id where p.user_id = $1`,
       )} as exercises,
       ${rows('workout_summary t where t.user_id = $1')} as workouts,
       ${rows('aerobictracking t where t.user_id = $1')} as cardio,
       ${rows('messages t where t.receiver_id = $1')} as messages,
       ${rows('outbox t where t.user_id = $1', 'to_jsonb(t.kind)')} as intents,
       ${rows('security_events t where t.user_id = $1', 'to_jsonb(t.kind)')} as events,
       (select jsonb_agg(t.key) from idempotency_keys t where t.user_id = $1) as answers,
       ${rows('exercises t where t.owner_id = $1')} as own_exercises,
       ${rows('log_workouts t where t.user_id = $1')} as log,
       ${rows('log_tombstones t where t.user_id = $1')} as tombstones,
       ${rows('measurements t where t.user_id = $1')} as measurements,
       ${rows('imports t where t.user_id = $1')} as imports,
       (select jsonb_agg(t) from user_reminder_settings t where t.user_id = $1) as settings`,
    [id],
  );
  return row;
}
const picturesOf = (supabase: FakeSupabase, id: string) =>
  [...supabase.objects.keys()].filter((key) => key.includes(id));

function expectRefused(name: string, answer: HeldAnswer): void {
  const { isHarmless, done } = ROUTES[name] ?? {};
  if (isHarmless && answer.status === done) return;
  if (name.includes('/api/v1/'))
    expect(parsed(answer)).toMatchObject({ status: 401, body: { code: 'LOGIN_REQUIRED' } });
  else expect(parsed(answer)).toEqual(LOGIN_REQUIRED);
}

const parsed = ({ status, text }: HeldAnswer) => ({ status, body: text === '' ? undefined : JSON.parse(text) });

async function resetPassword(server: TestServer, { phone }: Person): Promise<void> {
  const address = `${phone.username}@example.com`;
  await server.fetch('/api/auth/forgotpassemail', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ identifier: address }),
  });
  const token = new URL(linkIn(await server.mailTo(address, 'Reset your password'))).searchParams.get('token');
  const response = await server.fetch(`/api/auth/resetpassword?token=${token}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ newPassword: 'another secret' }),
  });
  expect(response.status).toBe(200);
}

/** What ends a session, as its owner does it. */
const ENDINGS: Record<string, (server: TestServer, person: Person) => Promise<void>> = {
  logout: async (server, person) => expect((await send(server, 'POST /api/auth/logout', person)).status).toBe(200),
  'a password reset': resetPassword,
  'a login elsewhere': async (_server, { phone }) => expect((await phone.login()).status).toBe(200),
  'the deletion of the account': async (server, person) =>
    expect((await send(server, 'DELETE /api/users/deleteself', person)).status).toBe(200),
};

/** The same as statements of another transaction. */
const END_IN_SQL: Record<string, string> = {
  'the end of the session': `update users
    set token_version = token_version + 1, session_epoch = session_epoch + 1, refresh_rotated_at = null,
        token_version_used = false
    where id = $1`,
  'the deletion of the account': 'delete from users where id = $1',
};

const cells = (names: string[], endings: object) =>
  names.flatMap((name) => Object.keys(endings).map((ending) => [name, ending] as const));

it('every protected route is held here', () => {
  const declared = api.filter(({ auth }) => auth === 'user').map(({ method, path }) => `${method} ${path}`);
  expect(NAMES.toSorted()).toEqual(declared.toSorted());
});

/** Ends the session beside a held request, lets the request go on, and expects it to do nothing. */
async function expectNothingFrom(
  server: TestServer,
  supabase: FakeSupabase,
  name: string,
  person: Person,
  { held, end, goOn }: { held: Promise<HeldAnswer>; end: () => Promise<void>; goOn: () => unknown },
): Promise<void> {
  const { id } = person.phone;
  await end();
  const [rows, pictures] = [await rowsOf(server, id), picturesOf(supabase, id)];
  await goOn();
  expectRefused(name, await held);
  expect(await rowsOf(server, id)).toEqual(rows);
  // What the outbox removes for a deleted account goes in its own time; nothing comes.
  await vi.waitFor(() => expect(pictures).toEqual(expect.arrayContaining(picturesOf(supabase, id))));
  const isDeleted = !(rows as { user: unknown }).user;
  if (!isDeleted) expect(picturesOf(supabase, id)).toEqual(pictures);
}

// At the same time, because a cell mostly waits: for a mail, a hash.
describe.concurrent('held before its body', () => {
  it.for(cells(CHANGES, ENDINGS))('%s does nothing after %s', async ([name, ending], { server, supabase }) => {
    const person = await newPerson(server, supabase, name);
    const held = await letIn(server, name, person);
    await expectNothingFrom(server, supabase, name, person, {
      held: held.answer,
      end: async () => ENDINGS[ending]?.(server, person),
      goOn: () => held.release(),
    });
  });

  it.for(CHANGES)('%s succeeds when its phone has only refreshed its tokens', async (name, { server, supabase }) => {
    const person = await newPerson(server, supabase, name);
    const held = await letIn(server, name, person);
    expect((await person.phone.refresh(person.tokens.refreshToken)).status).toBe(200);
    expect((await held.release()).status).toBe(ROUTES[name]?.done);
  });

  it.for(READS)('%s waits for no body', async (name, { server, supabase }) => {
    const person = await newPerson(server, supabase, name);
    const { target, ...request } = requestOf(server, name, person);
    const held = holdRequest(target, request);
    expect((await held.answer).status).toBe(ROUTES[name]?.done);
    await held.release();
  });
});

describe.concurrent('held in the middle of its body', () => {
  it.for(cells(REPRESENTATIVES, ENDINGS))('%s does nothing after %s', async ([name, ending], { server, supabase }) => {
    const person = await newPerson(server, supabase, name);
    const held = await letIn(server, name, person);
    held.sendHalf();
    await expectNothingFrom(server, supabase, name, person, {
      held: held.answer,
      end: async () => ENDINGS[ending]?.(server, person),
      goOn: () => held.release(),
    });
  });
});

describe("held by a lock on the person's row", () => {
  /** Ends the session in a transaction that held the row while the request came; fails when the request did not wait. */
  async function answerBesideLock(
    server: TestServer,
    holder: pg.Client,
    holderPid: number,
    person: Person,
    ending: string,
    ask: () => Promise<HeldAnswer>,
  ) {
    const { id } = person.phone;
    await holder.query('begin');
    try {
      await holder.query('select 1 from users where id = $1 for update', [id]);
      let isAnswered = false;
      const answering = ask().finally(() => {
        isAnswered = true;
      });
      await vi.waitFor(
        async () => {
          expect(isAnswered).toBe(false);
          expect(await server.sql(WAITING, [holderPid])).not.toEqual([]);
        },
        { timeout: 20_000, interval: 5 },
      );
      await holder.query(END_IN_SQL[ending] ?? '', [id]);
      const rows = await rowsOf(server, id, async (text, values) => (await holder.query(text, values)).rows);
      await holder.query('commit');
      return { answer: await answering, rows };
    } finally {
      await holder.query('rollback'); // after the commit it does nothing
    }
  }

  it.for(cells(WAITING_CHANGES, END_IN_SQL))(
    'in the guard, %s does nothing after %s',
    async ([name, ending], { server, supabase, holder, holderPid }) => {
      const person = await newPerson(server, supabase, name);
      const pictures = picturesOf(supabase, person.phone.id);
      const outcome = await answerBesideLock(server, holder, holderPid, person, ending, () =>
        send(server, name, person),
      );
      expectRefused(name, outcome.answer);
      expect(await rowsOf(server, person.phone.id)).toEqual(outcome.rows);
      expect(picturesOf(supabase, person.phone.id)).toEqual(pictures);
    },
  );

  it.for(cells(REPRESENTATIVES, END_IN_SQL))(
    'in its transaction, %s does nothing after %s',
    async ([name, ending], { server, supabase, holder, holderPid }) => {
      const person = await newPerson(server, supabase, name);
      expect((await send(server, 'GET /api/users/get', person)).status).toBe(200); // the guard has nothing to write any more
      const pictures = picturesOf(supabase, person.phone.id);
      const outcome = await answerBesideLock(server, holder, holderPid, person, ending, () =>
        send(server, name, person),
      );
      expectRefused(name, outcome.answer);
      expect(await rowsOf(server, person.phone.id)).toEqual(outcome.rows);
      await vi.waitFor(() => expect(picturesOf(supabase, person.phone.id)).toEqual(pictures));
    },
  );

  it.for(Object.keys(END_IN_SQL))(
    'a refresh gets no tokens after %s',
    async (ending, { server, supabase, holder, holderPid }) => {
      const person = await newPerson(server, supabase);
      const outcome = await answerBesideLock(server, holder, holderPid, person, ending, async () => {
        const response = await person.phone.refresh(person.tokens.refreshToken);
        return { status: response.status, text: await response.text() };
      });
      expect(parsed(outcome.answer)).toEqual(LOGIN_REQUIRED);
      expect(await rowsOf(server, person.phone.id)).toEqual(outcome.rows);
    },
  );
});

describe('held in the queue for a connection', () => {
  /** Takes both connections that are not reserved: two reads of somebody else wait for a table. */
  async function takeConnections(server: TestServer, holder: pg.Client, holderPid: number): Promise<void> {
    const stranger = await newPhone(server);
    const { accessToken } = await stranger.tokens();
    await holder.query('begin');
    await holder.query('lock table aerobictracking in access exclusive mode');
    for (let n = 0; n < 2; n++) void stranger.get('/api/aerobics/get', accessToken);
    await vi.waitFor(async () => expect(await server.sql(WAITING, [holderPid])).toHaveLength(2), {
      timeout: 20_000,
      interval: 5,
    });
  }

  it.for(cells(READS, END_IN_SQL))(
    '%s reads nothing after %s',
    async ([name, ending], { server, crowded, supabase, holder, holderPid }) => {
      const person = await newPerson(crowded, supabase, name);
      const { id } = person.phone;
      try {
        await takeConnections(crowded, holder, holderPid);
        let isAnswered = false;
        const answering = send(crowded, name, person).finally(() => {
          isAnswered = true;
        });
        await expectLetIn(server, id);
        await holder.query(END_IN_SQL[ending] ?? '', [id]);
        expect(isAnswered).toBe(false);
        await holder.query('commit');
        expectRefused(name, await answering);
      } finally {
        await holder.query('rollback'); // after the commit it does nothing
      }
    },
  );
});

describe('held in a slow picture store', () => {
  /** Sends a request and waits until the store has it. */
  async function heldInStore(
    server: TestServer,
    store: SlowStore,
    name: string,
    person: Person,
  ): Promise<{ answer: Promise<HeldAnswer> }> {
    store.shut();
    const answer = send(server, name, person);
    await vi.waitFor(() => expect(store.waiting).toBe(1), { timeout: 20_000, interval: 10 });
    return { answer };
  }

  it.for(cells(['PUT /api/users/setprofilepic'], ENDINGS))(
    '%s leaves nothing after %s',
    async ([name, ending], { server, supabase, store }) => {
      const person = await newPerson(server, supabase, name);
      const { id } = person.phone;
      const { answer } = await heldInStore(server, store, name, person);
      await ENDINGS[ending]?.(server, person);
      const rows = await rowsOf(server, id);
      store.open();
      expect(parsed(await answer)).toEqual(LOGIN_REQUIRED);
      expect(await rowsOf(server, id)).toEqual(rows);
      // The new picture goes again; the recorded one stays unless the account is gone.
      const left = (rows as { user: unknown }).user ? [`profile_pics/${id}/before.jpg`] : [];
      await vi.waitFor(() => expect(picturesOf(supabase, id)).toEqual(left), { timeout: 20_000 });
    },
  );

  it.for(cells(['DELETE /api/users/deleteprofilepic'], ENDINGS))(
    '%s writes nothing after %s',
    async ([name, ending], { server, supabase, store }) => {
      const person = await newPerson(server, supabase, name);
      const { answer } = await heldInStore(server, store, name, person);
      await ENDINGS[ending]?.(server, person);
      const rows = await rowsOf(server, person.phone.id);
      store.open();
      expect(parsed(await answer)).toEqual(LOGIN_REQUIRED);
      expect(await rowsOf(server, person.phone.id)).toEqual(rows);
    },
  );
});

describe('a refresh', () => {
  it.for(Object.keys(ENDINGS))(
    'that is held before its body gets no tokens after %s',
    async (ending, { server, supabase }) => {
      const person = await newPerson(server, supabase);
      const { phone, tokens } = person;
      const target = `${server.url}/api/auth/refresh`;
      const held = holdRequest(target, {
        method: 'POST',
        headers: {
          'x-refresh-token': `DPoP ${tokens.refreshToken}`,
          dpop: makeProof(phone.key, `POST ${target}`),
          'content-type': 'application/json',
        },
        body: Buffer.from('{}'),
      });
      await expectNothingFrom(server, supabase, 'POST /api/auth/refresh', person, {
        held: held.answer,
        end: async () => ENDINGS[ending]?.(server, person),
        goOn: () => held.release(),
      });
      expect((await phone.refresh(tokens.refreshToken)).status).toBe(401);
    },
  );
});

describe('many at once', () => {
  it.for([0, 5, 10, 15])(
    'one of 15 proceedauth and a logout wins: the logout is number %i',
    async (place, { server, supabase }) => {
      const person = await newPerson(server, supabase);
      const { phone } = person;
      const names = Array.from({ length: 15 }, () => 'POST /api/oauth/proceedauth');
      names.splice(place, 0, 'POST /api/auth/logout');
      const answers = await Promise.all(names.map((name) => send(server, name, person)));
      const [loggedOut] = answers.splice(place, 1);
      const started = answers.filter(({ status }) => status === 200).map(({ text }) => JSON.parse(text) as Tokens);
      // Whoever came second came with an ended session; whoever sends so much may also be told to come back later.
      expect(started.length + (loggedOut?.status === 200 ? 1 : 0)).toBe(1);
      for (const { status } of answers) expect([200, 401, 429, 503]).toContain(status);
      for (const tokens of started) {
        if (loggedOut?.status !== 200)
          expect((await send(server, 'POST /api/auth/logout', { ...person, tokens })).status).toBe(200);
        expect((await phone.get('/api/users/get', tokens.accessToken)).status).toBe(401);
        expect((await phone.refresh(tokens.refreshToken)).status).toBe(401);
      }
      expect((await phone.get('/api/users/get', person.tokens.accessToken)).status).toBe(401);
    },
  );
});
