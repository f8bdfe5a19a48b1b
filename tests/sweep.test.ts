import { createHash, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { hashSync } from '@node-rs/bcrypt';
import { afterAll, describe, expect } from 'vitest';
import { z } from 'zod';
import {
  EMAIL_CHANGE_LINK,
  passwordFingerprint,
  RESET_LINK,
  signLink,
  VERIFICATION_LINK,
} from '#identity/linkTokens.ts';
import { buildSessionTokens } from '#identity/sessionTokens.ts';
import { api } from '#src/api.ts';
import type { AnyRoute } from '#transport/route.ts';
import { type FakeProvider, startProvider } from './fakes/identityProvider.ts';
import { judge } from './helpers/openapiCheck.ts';
import { makeProof, type ProofParts, proofKey } from './helpers/proof.ts';
import { fixtures, startTestServer, type TestServer } from './helpers/server.ts';

/*
 * Every declared route × hostile requests. Whatever comes: an answer, never a 5xx, the envelope, no leak, and nothing
 * stored on a 4xx. That the answers are declared is looked at when the server closes, as everywhere.
 */

const routes: AnyRoute[] = api;
/** Requests of one person at a time: as many as the app sends at its start. */
const AT_ONCE = 4;
/** After so many requests the tables are looked at. */
const BATCH = 40;

const it = fixtures
  .extend('google', { scope: 'file' }, ({ untilEnd }) => untilEnd(startProvider('https://accounts.google.com', 'app')))
  .extend('apple', { scope: 'file' }, ({ untilEnd }) => untilEnd(startProvider('https://appleid.apple.com', 'app')))
  .extend('server', { scope: 'file' }, ({ untilEnd, google, apple }) =>
    untilEnd(
      startTestServer({
        env: {
          ACCESS_TOKEN_TTL_SEC: '3600',
          CRON_SECRET: 'the secret of the scheduler',
          GOOGLE_JWKS_URL: google.url,
          GOOGLE_ALLOWED_AUDS: 'app',
          APPLE_JWKS_URL: apple.url,
          APPLE_ALLOWED_AUDS: 'app',
          LOG_LEVEL: 'error',
        },
      }),
    ),
  );

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
afterAll(() => agent.destroy());

// ---------------------------------------------------------------------------
// Sending and looking
// ---------------------------------------------------------------------------

interface Fixtures {
  server: TestServer;
  google: FakeProvider;
  apple: FakeProvider;
}

type Headers = Record<string, string | undefined>;

interface Attempt {
  /** For the report. */
  what: string;
  method: string;
  /** Path and query, exactly as they are sent. */
  target: string;
  /** Undefined takes away what would be sent otherwise. */
  headers: Headers;
  body?: string | Buffer | undefined;
  /** Must be refused, whatever the reason. */
  refused?: boolean;
  /** The only status that is right. */
  status?: number;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** The bytes as they are: `fetch` mends paths, drops bodies of GET and refuses odd headers. */
function send(server: TestServer, { method, target, headers, body }: Attempt): Promise<Answer> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const all = Object.entries({ 'x-app-version': '4.5.0', 'user-agent': 'app', ...length, ...headers });
  const sent = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { port } = new URL(server.url);
  const outgoing = request({ agent, port, method, path: target, headers: sent }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('error', reject);
    answer.on('end', () => {
      const { statusCode: status = 0, headers } = answer;
      resolve({ status, headers: headers as Record<string, string>, text: Buffer.concat(chunks).toString() });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** What only our side of the wire knows: statements, drivers, constraints, files, hosts, and slips of JavaScript. */
const LEAKS = new RegExp(
  [
    String.raw`\b(select|insert|relation|postgres\w*|pg|redis|sql\w*|zod|TypeError|RangeError)\b`,
    String.raw`constraint|_fkey|_key\b|_check\b|syntax|node_modules|\bat \w+ \(|\.ts\b|/tmp/|/src/`,
    String.raw`127\.0\.0\.1|localhost|ECONN|undefined|\[object|\bNaN\b`,
  ].join('|'),
  'i',
);

const envelope = z.strictObject({
  success: z.literal(false),
  message: z.string().min(1).max(300),
  code: z.string().regex(/^[A-Z][A-Z0-9_]+$/),
  requestId: z.guid(),
  errors: z
    .array(z.strictObject({ path: z.string(), message: z.string().min(1) }))
    .max(20)
    .optional(),
});

/** The same for the logbook's routes (RFC 9457). */
const problem = z.strictObject({
  type: z.string().regex(/^\/docs\/problems#[A-Z][A-Z0-9_]+$/),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1).max(300),
  code: z.string().regex(/^[A-Z][A-Z0-9_]+$/),
  requestId: z.guid(),
  errors: z
    .array(z.strictObject({ pointer: z.string(), detail: z.string().min(1) }))
    .max(20)
    .optional(),
});

/** What is wrong with an answer; undefined: nothing. */
function complaint(route: AnyRoute, attempt: Attempt, { status, headers, text }: Answer): string | undefined {
  const isStub = status === 501 && route.path === '/api/workouts/delete';
  if (status >= 500 && !isStub) return 'an error of the server';
  if (status === 415) return 'no type of body is refused';
  if (attempt.status !== undefined && attempt.status !== status) return `not ${attempt.status}`;
  if (status < 400) return attempt.refused ? 'accepted' : undefined;
  if (LEAKS.test(text)) return `leaks ${LEAKS.exec(text)?.[0]}`;
  if (text.length > 5_000) return `${text.length} characters`;
  if (attempt.method === 'HEAD') return text === '' ? undefined : 'a body';
  const isAtPage = attempt.method === 'GET' && attempt.target.split('?')[0]?.replace(/\/$/, '') === route.path;
  if (route.produces === 'text/html' && isAtPage && status !== 431) {
    return headers['content-type'] === 'text/html; charset=utf-8' ? undefined : 'no page';
  }
  const isOfLogbook = headers['content-type'] === 'application/problem+json; charset=utf-8';
  if (!isOfLogbook && headers['content-type'] !== 'application/json; charset=utf-8') return 'no JSON';
  const answer = (isOfLogbook ? problem : envelope).safeParse(JSON.parse(text));
  if (!answer.success) return 'no envelope';
  return answer.data.requestId === headers['x-request-id'] ? undefined : 'another request id';
}

let tables: string[] | undefined;

/**
 * A digest of everything that a refused request has no business with. A refusal may leave a line in the security log
 * and remember the proof, and the first request of a session marks it as used; deliveries go on beside.
 */
async function fingerprint(server: TestServer): Promise<string> {
  tables ??= (
    await server.sql<{ name: string }>(
      `select tablename as name from pg_tables
       where schemaname = 'public' and tablename not in ('seen_proofs', 'security_events')`,
    )
  ).map(({ name }) => name);
  const digests = tables.map((name) => {
    const row =
      name === 'outbox'
        ? 't.id::text'
        : name === 'users'
          ? `(to_jsonb(t) - '{token_version_used,phone_session_used_on}'::text[])::text`
          : 't::text';
    return `select '${name} ' || count(*) || ' ' || coalesce(sum(hashtextextended(${row}, 0)), 0) as line from "${name}" t`;
  });
  return (await server.sql<{ line: string }>(digests.join(' union all '))).map(({ line }) => line).join('\n');
}

/** Puts credentials on an attempt, at the last moment: a proof is good once. */
type Prepare = (attempt: Attempt) => Attempt;

/** Sends attempts, some at once, and looks at each answer; what was answered with a 4xx must have stored nothing. */
async function sweep(server: TestServer, route: AnyRoute, attempts: Attempt[], prepare: Prepare): Promise<void> {
  const complaints: string[] = [];
  let before = await fingerprint(server);
  for (let start = 0; start < attempts.length; start += BATCH) {
    const batch = attempts.slice(start, start + BATCH);
    const refused = await sendAll(server, route, batch, prepare, complaints);
    let after = await fingerprint(server);
    if (after !== before && refused.length < batch.length) {
      // Something was accepted: those that were refused, once more.
      before = after;
      await sendAll(server, route, refused, prepare, complaints);
      after = await fingerprint(server);
    }
    if (after !== before) complaints.push(`stored by one of: ${refused.map(({ what }) => what).join('; ')}`);
    before = after;
  }
  expect(complaints).toEqual([]);
}

/** @returns the attempts that were answered with a 4xx */
async function sendAll(
  server: TestServer,
  route: AnyRoute,
  attempts: Attempt[],
  prepare: Prepare,
  complaints: string[],
): Promise<Attempt[]> {
  const refused: Attempt[] = [];
  const queue = [...attempts];
  const worker = async () => {
    for (let attempt = queue.shift(); attempt; attempt = queue.shift()) {
      const name = `${attempt.method} ${attempt.target.slice(0, 80)} with ${attempt.what}`;
      try {
        const answer = await send(server, prepare(attempt));
        const problem = complaint(route, attempt, answer);
        if (problem) complaints.push(`${name}: ${answer.status}, ${problem}: ${answer.text.slice(0, 200)}`);
        if (answer.status >= 400 && answer.status < 500) refused.push(attempt);
      } catch (error) {
        complaints.push(`${name}: no answer, ${error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return refused;
}

// ---------------------------------------------------------------------------
// People, and requests that are right
// ---------------------------------------------------------------------------

/** A verified person with a session, a plan, a message and a picture. */
interface Actor {
  id: string;
  username: string;
  email: string;
  accessToken: string;
  refreshToken: string;
  message: string;
  /** Id of the plan's one exercise. */
  exercise: number;
  picture: string;
}

const PASSWORD = 'correct horse';
/** As cheap as bcrypt gets. */
const HASH = hashSync(PASSWORD, 4);
/** The key of everybody's phone but the stranger's. */
const key = proofKey('phone');
let made = 0;

/** People straight from the database: a route that ends the session needs a hundred. */
async function newActors(server: TestServer, count: number, { thumbprint } = key): Promise<Actor[]> {
  const people = Array.from({ length: count }, () => ({ id: randomUUID(), username: `sweep_${made++}` }));
  const rows = await server.sql<{ user_id: string; message: string; exercise: string }>(
    `with person as (insert into users (id, username, email, name, password, is_verified, profile_image_url)
                     select id, username, username || '@example.com', 'Dana Kay', $3, true,
                            'profile_pics/' || id || '/picture.jpg'
                     from unnest($1::uuid[], $2::text[]) as p (id, username) returning id),
          plan as (insert into workoutplans (user_id) select id from person returning id, user_id),
          split as (insert into workoutsplits (workout_id, name) select id, 'A' from plan returning id, workout_id),
          exercise as (insert into exercisetoworkoutsplit (exercise_id, workoutsplit_id, sets, order_index)
                       select 1, id, '{5}', 0 from split returning id, workoutsplit_id),
          message as (insert into messages (receiver_id, subject, msg)
                      select id, 'Hello', 'There' from person returning id, receiver_id)
     select plan.user_id, message.id as message, exercise.id as exercise
     from plan
     join split on split.workout_id = plan.id
     join exercise on exercise.workoutsplit_id = split.id
     join message on message.receiver_id = plan.user_id`,
    [people.map(({ id }) => id), people.map(({ username }) => username), HASH],
  );
  const rowOf = new Map(rows.map((row) => [row.user_id, row]));
  const sessionTokens = buildSessionTokens(server.config);
  return Promise.all(
    people.map(async ({ id, username }) => {
      const tokens = await sessionTokens.issue({ userId: id, role: 'User', tokenVersion: 0, thumbprint });
      const { message = '', exercise } = rowOf.get(id) ?? {};
      const [email, picture] = [`${username}@example.com`, `profile_pics/${id}/picture.jpg`];
      return { id, username, email, picture, message, exercise: Number(exercise), ...tokens };
    }),
  );
}

async function newActor(server: TestServer, boundTo = key): Promise<Actor> {
  const [actor] = await newActors(server, 1, boundTo);
  if (!actor) throw new Error('nobody was made');
  return actor;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const change = ({ username, email }: Actor) => ({
  username,
  fullName: 'Dana Kay',
  email: `new_${email}`,
  setCompletedOnOAuth: false,
});

/** A body that each route takes. */
const BODIES: Record<string, (actor: Actor, fixtures: Fixtures) => Json | Promise<Json>> = {
  '/api/auth/login': ({ username }) => ({ identifier: username, password: PASSWORD }),
  '/api/auth/sendverificationemail': ({ email }) => ({ email }),
  '/api/auth/changeemailverify': ({ username, email }) => ({ username, password: PASSWORD, newEmail: `new_${email}` }),
  '/api/auth/forgotpassemail': ({ username }) => ({ identifier: username }),
  '/api/auth/resetpassword': () => ({ newPassword: 'another horse' }),
  '/api/users/create': ({ username, email }) => ({
    username,
    fullName: 'Dana Kay',
    email: `other_${email}`,
    password: 'long enough',
    gender: 'Female',
  }),
  '/api/users/update': change,
  '/api/users/updateself': change,
  '/api/users/pushtoken': ({ id }) => ({ token: `ExponentPushToken[${id}]` }),
  '/api/users/deleteprofilepic': () => ({ path: null }),
  '/api/oauth/google': async ({ id, email }, { google }) => ({
    idToken: await google.token({ sub: id, email: `g_${email}`, email_verified: true }),
  }),
  '/api/oauth/apple': async ({ id }, { apple }) => ({
    idToken: await apple.token({ sub: id, nonce: createHash('sha256').update('raw').digest('hex') }),
    rawNonce: 'raw',
    name: { givenName: 'Dana', familyName: 'Kay' },
  }),
  '/api/workouts/finishworkout': ({ exercise }) => ({
    workout: [{ exercisetosplit_id: exercise, weight: [80, 82.5], reps: [10, 8], notes: 'good' }],
    workout_start_utc: new Date(Date.now() - 60_000).toISOString(),
    workout_end_utc: new Date().toISOString(),
    tz: 'UTC',
  }),
  '/api/workouts/add': () => ({
    workoutData: { A: [{ id: 1, sets: [10, 8], order_index: 0 }], B: [{ id: 2, sets: [5] }] },
    workoutName: 'Mine',
    tz: 'UTC',
  }),
  '/api/v1/workouts/:id': ({ message }) => ({
    title: 'Push',
    notes: 'good',
    startedAt: new Date(Date.now() - 3_600_000).toISOString(),
    endedAt: new Date().toISOString(),
    timeZone: 'UTC',
    blocks: [{ id: message, exerciseId: 1, superset: 0, sets: [{ weight: 80.5, unit: 'kg', reps: 5, rpe: 8.5 }] }],
  }),
  '/api/v1/exercises': () => ({ name: 'Carry', muscle: 'Legs', measure: 'weight_distance', secondaryMuscles: ['Abs'] }),
  '/api/v1/exercises/:id': () => ({ name: 'Carry', muscle: 'Legs', isArchived: true }),
  '/api/v1/measurements/:id': () => ({
    kind: 'body_weight',
    value: 80.5,
    unit: 'kg',
    measuredAt: new Date().toISOString(),
  }),
  '/api/v1/plan': () => ({ name: 'Mine', splits: [{ name: 'A', exercises: [{ exerciseId: 1, sets: [5] }] }] }),
  'PATCH /api/v1/me': () => ({ unit: 'lb', reminders: { minutesBefore: 30 } }),
  'DELETE /api/v1/me': () => ({ password: PASSWORD }),
  '/api/v1/me/password': () => ({ password: PASSWORD, newPassword: 'another horse' }),
  'POST /api/v1/sessions': ({ username }) => ({ identifier: username, password: PASSWORD, name: 'A browser' }),
  '/api/v1/sessions/code': ({ email }) => ({ email }),
  '/api/aerobics/add': () => ({ record: { type: 'Walk', durationMins: 30, durationSec: 15 }, tz: 'UTC' }),
};

const link = (
  server: TestServer,
  kind: Parameters<typeof signLink>[1],
  claims: { sub: string; [claim: string]: unknown },
) => signLink(server.config.secrets, kind, claims);

/** A query that each route takes, where it is more than a zone. */
/** Days of the logbook's sums. */
const SPAN = () => ({ from: '2026-03-01', to: '2026-03-31', tz: 'UTC' });

const QUERIES: Record<
  string,
  (actor: Actor, fixtures: Fixtures) => Record<string, string> | Promise<Record<string, string>>
> = {
  '/api/auth/verify': async ({ id, email }, { server }) => ({
    token: await link(server, VERIFICATION_LINK, { sub: id, email }),
  }),
  '/api/auth/checkuserverify': ({ username }) => ({ username }),
  '/api/v1/overview': SPAN,
  '/api/v1/stats/calendar': SPAN,
  '/api/v1/stats/muscles': SPAN,
  '/api/v1/stats/volume': SPAN,
  '/api/v1/measurements': () => ({ kind: 'waist' }),
  '/api/auth/resetpassword': async ({ id, email }, { server }) => ({
    token: await link(server, RESET_LINK, { sub: id, email, fingerprint: passwordFingerprint(HASH) }),
  }),
  '/api/users/changeemail': async ({ id, email }, { server }) => ({
    token: await link(server, EMAIL_CHANGE_LINK, { sub: id, newEmail: `new_${email}`, oldEmail: email }),
  }),
};

/** What a route needs to be there before it can do its work. */
const STAGES: Record<string, string> = {
  '/api/auth/sendverificationemail': 'update users set is_verified = false where id = any($1)',
  '/api/auth/changeemailverify': 'update users set is_verified = false where id = any($1)',
  '/api/users/changeemail': `update users set pending_email = 'new_' || email where id = any($1)`,
  '/api/oauth/proceedauth': `insert into oauth_accounts (user_id, provider, provider_user_id)
     select id, 'google', id::text from users where id = any($1)`,
};

/** Most bodies that are right cost a password hash. */
const HASHES = [
  '/api/auth/login',
  '/api/auth/changeemailverify',
  '/api/users/create',
  '/api/v1/sessions',
  '/api/v1/me/password',
];

/** A request that does what it should ends the session: each needs a person of its own. */
const ENDS_SESSION = ['/api/auth/logout', '/api/users/deleteself', '/api/oauth/proceedauth'];

const FORM = 'multipart/form-data; boundary=edge';
const part = (name: string, content: string, more = '; filename="a.jpg"') =>
  `--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
const END = '--edge--\r\n';
/** The smallest of pictures: one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PICTURE_FORM = Buffer.from(part('file', Buffer.from(PIXEL, 'base64').toString('latin1')) + END, 'latin1');

/** The parts of a request that a route answers with what it is for. */
interface Right {
  path: string;
  query: Record<string, string>;
  body: Json | undefined;
}

const rightParts = async (route: AnyRoute, actor: Actor, fixtures: Fixtures): Promise<Right> => ({
  path: route.path.replace(':id', actor.message),
  query: (await QUERIES[route.path]?.(actor, fixtures)) ?? (route.query ? { tz: 'UTC' } : {}),
  body: await (BODIES[`${route.method} ${route.path}`] ?? BODIES[route.path])?.(actor, fixtures),
});

/** The right request, to be spoilt. */
function plain(route: AnyRoute, { path, query, body }: Right, what: string): Attempt {
  const text = new URLSearchParams(query).toString();
  const attempt = { what, method: route.method, target: path + (text === '' ? '' : `?${text}`), headers: {} };
  if (route.upload) return { ...attempt, headers: { 'content-type': FORM }, body: PICTURE_FORM };
  return body === undefined ? attempt : { ...attempt, body: jsonText(body) };
}

/** The headers with which the app would send it. */
function credentials(server: TestServer, route: AnyRoute, actor: Actor, { method, target, body }: Attempt): Headers {
  const asked = `${method} ${server.url}${target.split('?')[0]}`;
  const { accessToken, refreshToken } = actor;
  const headers: Headers = body === undefined ? {} : { 'content-type': 'application/json' };
  if (route.auth === 'user') {
    headers.authorization = `DPoP ${accessToken}`;
    headers.dpop = makeProof(key, asked, { accessToken });
  }
  if (route.headers?.DPoP) headers.dpop = makeProof(key, asked);
  if (route.headers?.['X-Refresh-Token']) headers['x-refresh-token'] = `DPoP ${refreshToken}`;
  if (route.headers?.['DPoP-Key-Binding']) headers['dpop-key-binding'] = key.thumbprint;
  if (route.headers?.['X-Cron-Secret']) headers['x-cron-secret'] = 'the secret of the scheduler';
  return headers;
}

const signedBy =
  (server: TestServer, route: AnyRoute, actorOf: (attempt: Attempt) => Actor): Prepare =>
  (attempt) => ({
    ...attempt,
    headers: { ...credentials(server, route, actorOf(attempt), attempt), ...attempt.headers },
  });

// ---------------------------------------------------------------------------
// Hostile requests
// ---------------------------------------------------------------------------

/** Stand for text that JSON.stringify cannot make. */
const RAW: Record<string, string> = {
  '@deep list@': `${'['.repeat(50_000)}"\\ud800"${']'.repeat(50_000)}`,
  '@deep object@': `${'{"a":'.repeat(16_900)}"\\ud800"${'}'.repeat(16_900)}`,
  '@1e400@': '1e400',
};
const jsonText = (value: Json) =>
  JSON.stringify(value).replaceAll(/"(@[^@"]+@)"/g, (quoted, name: string) => RAW[name] ?? quoted);

const PROTOTYPES = JSON.parse(
  '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"prototype":1,"toString":null}',
) as Json;

const WRONG_TEXTS: Json[] = [
  ...['', ' ', 'x', 'a\u0000b', '\ud800', '__proto__', "'; drop table users; --"],
  ...['x'.repeat(10_000), '\u0600'.repeat(300), '٣'],
];
const WRONG_NUMBERS: Json[] = [0, -1, -0.5, 1.5, 1e39, 2 ** 31, 2 ** 53, -(2 ** 53), 2 ** 63, 5e-324, '@1e400@'];
const WRONG_LISTS: Json[] = [[], [[]], [null], [PROTOTYPES], Array<null>(20_000).fill(null)];
const WRONG_OBJECTS: Json[] = [
  {},
  PROTOTYPES,
  Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, n])),
];
const ALWAYS_WRONG: Json[] = [null, true, 'x', 7, [], {}, '@deep list@', '@deep object@'];

const ZONES = [
  ...['Etc/GMT 2', 'Etc/GMT+2', 'etc/utc', 'Mars/Base', '+02:00', '-00:00', 'UTC+2', 'x'.repeat(1_000), '\u0000', ' '],
  ...['UTC\u0000', 'UTC\n', '../../etc/passwd', '__proto__', 'constructor', 'null', 'undefined', '\ud800'],
];

type Schema = z.core.JSONSchema.BaseSchema;

interface Field {
  keys: string[];
  schema: Schema;
}

/** Every field of a schema, with the keys that lead there; of a list the first, of a map the first of the right body. */
function fieldsOf(schema: Schema, right: Json | undefined, keys: string[] = []): Field[] {
  const inner: Field[] = [];
  const isTree = typeof right === 'object' && right !== null;
  const look = (name: string, next: unknown) => {
    const value = isTree ? (right as { [key: string]: Json })[name] : undefined;
    if (typeof next === 'object') inner.push(...fieldsOf(next as Schema, value, [...keys, name]));
  };
  for (const [name, next] of Object.entries(schema.properties ?? {})) look(name, next);
  if (schema.items) look('0', schema.items);
  if (schema.additionalProperties) look((isTree && Object.keys(right)[0]) || 'a', schema.additionalProperties);
  for (const next of schema.anyOf ?? []) inner.push(...fieldsOf(next as Schema, right, keys));
  return keys.length > 0 ? [{ keys, schema }, ...inner] : inner;
}

/** Values that a schema forbids, those at its borders and just beyond them. */
function wrongValues(schema: Schema): Json[] {
  const schemas = [schema, ...((schema.anyOf ?? []) as Schema[])];
  const types = schemas.flatMap(({ type }) => type ?? []);
  const is = (type: string) => types.length === 0 || types.includes(type as 'string');
  const around = (n: number) => [n - 1, n, n + 1];
  const numbers = (values: unknown[]) => values.filter((value) => typeof value === 'number');
  return [
    ...ALWAYS_WRONG,
    ...(is('string') ? WRONG_TEXTS : []),
    ...(is('number') || is('integer') ? WRONG_NUMBERS : []),
    ...(is('array') ? WRONG_LISTS : []),
    ...(is('object') ? WRONG_OBJECTS : []),
    ...schemas.flatMap(({ minLength, maxLength, minimum, maximum, exclusiveMinimum, maxItems }) => [
      ...numbers([minLength, maxLength])
        .flatMap(around)
        .map((length) => 'A'.repeat(Math.max(0, length))),
      ...numbers([minimum, maximum, exclusiveMinimum]).flatMap(around),
      ...numbers([maxItems]).map((length) => Array<number>(length + 1).fill(1)),
    ]),
  ];
}

function replaced(value: Json | undefined, [first, ...rest]: string[], by: Json | undefined): Json | undefined {
  if (first === undefined) return by;
  if (typeof value !== 'object' || value === null) return value;
  const copy = structuredClone(value) as { [key: string]: Json };
  const next = replaced(copy[first], rest, by);
  if (next === undefined) delete copy[first];
  else copy[first] = next;
  return copy;
}

/** Each field of the body gone, wrong, and at its borders. */
function wrongFields(route: AnyRoute, right: Right): Attempt[] {
  const { body: schema } = route;
  if (!schema || right.body === undefined) return [];
  const tree = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const fields = new Map(fieldsOf(tree, right.body).map((field) => [field.keys.join('.'), field]));
  return [...fields].flatMap(([name, field]) => {
    const values = [undefined, ...wrongValues(field.schema), ...(name === 'tz' ? ZONES : [])];
    return values.map((value) => {
      const body = jsonText(replaced(right.body, field.keys, value) ?? null);
      const what = `${name} = ${jsonText(value ?? null).slice(0, 40)}`;
      return { ...plain(route, right, what), body, refused: !schema.safeParse(JSON.parse(body)).success };
    });
  });
}

const NO_FORMS: Array<[what: string, body: string | Buffer]> = [
  ...['', 'null', '[]', '"text"', '5', 'true', '{}', '{', '{"a":1}}', '\ufeff{}', '\u0000', 'NaN', "{'a':1}"].map(
    (text): [string, string] => [`body ${JSON.stringify(text)}`, text],
  ),
  ['deep lists', jsonText('@deep list@')],
  ['deep objects', jsonText('@deep object@')],
  ['a huge body', `"${'x'.repeat(100 * 1024)}"`],
  ['the largest body', `"${'x'.repeat(100 * 1024 - 2)}"`],
  ['prototype keys', jsonText(PROTOTYPES)],
  ['half a character as a key', '{"\\ud800":"\\udfff"}'],
  ['bytes that are no UTF-8', Buffer.from('7b22eda080ff223a317d', 'hex')],
  ['many keys', `{${Array.from({ length: 8_000 }, (_, n) => `"k${n}":0`).join()}}`],
];

function wrongBodies(route: AnyRoute, right: Right): Attempt[] {
  const bodies = route.method === 'GET' ? NO_FORMS.filter(([what]) => /deep lists|huge|\{$/.test(what)) : NO_FORMS;
  return bodies.map(([what, body]) => ({ ...plain(route, right, what), body }));
}

const FORMS: Array<[type: string, body: string]> = [
  [FORM, part('file', 'x') + END],
  [FORM, END],
  ['multipart/form-data', part('file', 'x') + END],
];
const UPLOADS: Array<[type: string, body: string]> = [
  [FORM, part('file', 'x')],
  [FORM, part('file', '') + END],
  [FORM, part('__proto__', 'x') + part('file', 'x') + part('file', 'x') + END],
  [FORM, part('file', '', '') + part('constructor[prototype][a]', 'x', '') + END],
  [FORM, part('file', '\u0000', '; filename="\u0000../../../a.ts"') + END],
  [FORM, Array.from({ length: 100 }, (_, n) => part(`f${n}`, 'x', '')).join('') + END],
  [FORM, part('f', 'x'.repeat(20_000), '') + END],
  [FORM, `--edge\r\n${'a: b\r\n'.repeat(5_000)}\r\n\r\n${END}`],
  [FORM, '{"file":"x"}'],
  [`multipart/form-data; boundary=${'x'.repeat(500)}`, 'x'],
  ['multipart/mixed; boundary=edge', part('file', 'x') + END],
];
const NO_JSON = ['', 'text/plain', 'application/x-www-form-urlencoded', 'json', 'application/json, text/plain'];
const NO_UTF8 = ['utf-7', 'utf-16', 'utf-32', 'latin1', '"', 'x'.repeat(500)];
const CODINGS = ['gzip', 'deflate', 'br', 'none', 'gzip, gzip'];

function wrongTypes(route: AnyRoute, right: Right): Attempt[] {
  if (route.method === 'GET') return [];
  const text = jsonText(right.body ?? {});
  const as = (type: string, body: string | Buffer = text, more: Headers = {}): Attempt => ({
    ...plain(route, right, `content type ${type} ${Object.values(more)}`),
    headers: { 'content-type': type, ...more },
    body,
  });
  const coded = (coding: string, body: string | Buffer = text) =>
    as('application/json', body, { 'content-encoding': coding });
  const wide = (json: string) => as('application/json; charset=utf-16le', Buffer.from(json, 'utf16le'));
  return [
    ...NO_JSON.map((type) => as(type)),
    ...NO_UTF8.map((name) => as(`application/json; charset=${name}`)),
    ...[text, '{"a":"\\ud800"}', '['.repeat(40_000)].map(wide),
    ...CODINGS.map((coding) => coded(coding)),
    coded('gzip', gzipSync(' '.repeat(5_000_000))),
    coded('gzip', gzipSync(text).subarray(0, 15)),
    ...[...FORMS, ...(route.upload ? UPLOADS : [])].map(([type, body]) => as(type, body)),
  ];
}

const ODD_QUERIES = [
  ...['?', '?=', '?&&=&', '?%', '?%E0%A4%A', `?${'a=1&'.repeat(2_000)}`],
  '?__proto__=1&constructor=2&toString=3&hasOwnProperty=4',
];
const ODD_TOKENS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a.b.c',
  'null',
  '__proto__',
  'x'.repeat(8_000),
  `eyJ${'x'.repeat(200)}`,
];

function wrongQueries(route: AnyRoute, right: Right): Attempt[] {
  const odd = Object.entries(right.query).flatMap(([name, value]) => {
    const good = encodeURIComponent(value);
    const values = (name === 'tz' ? ZONES : ODD_TOKENS).map((text) => encodeURIComponent(text.toWellFormed()));
    return [
      ...['', `?${name}`, `?${name}=${good}&${name}=%00`, `?${name}=%00&${name}=${good}`, `?${name}=%ED%A0%80`],
      ...[`?${name}[]=${good}`, `?${name}[__proto__]=${good}`, `?${name}[a][b]=${good}`, `?${name}=%`],
      ...values.map((text) => `?${name}=${text}`),
    ];
  });
  return [...ODD_QUERIES, ...odd].map((query) => ({
    ...plain(route, right, 'that query'),
    target: right.path + query,
  }));
}

const ODD_IDS = [
  ...['', '%00', '%ED%A0%80', '%E0%A4%A', 'x', '0', '-1', randomUUID(), '__proto__', 'x'.repeat(5_000)],
  ...["'%3B%20drop%20table%20users", '..%2f..%2fetc', '%2e%2e', '*', '%7B%7D'],
];

function wrongPaths(route: AnyRoute, right: Right): Attempt[] {
  const { path } = right;
  const paths = [
    ...[`${path}/`, `${path}//`, `/${path}`, path.toUpperCase()],
    ...['%2f', ';a=1', '%00', '/%E0%A4%A'].map((end) => path + end),
    ...(route.params ? ODD_IDS.map((id) => route.path.replace(':id', id)) : []),
  ];
  return paths.map((changed) => {
    const attempt = plain(route, right, 'that path');
    return { ...attempt, target: changed + attempt.target.slice(path.length) };
  });
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

function otherMethods(route: AnyRoute, right: Right): Attempt[] {
  const declared = routes.filter(({ path }) => path === route.path).map(({ method }) => method);
  return METHODS.filter((method) => !declared.includes(method)).map((method) => {
    const isAnswered =
      method === 'OPTIONS' || (method === 'HEAD' && declared.includes('GET') && route.produces !== 'text/html');
    const headers = { 'x-http-method-override': route.method };
    return { ...plain(route, { ...right, body: undefined }, 'no body'), method, headers, refused: !isAnswered };
  });
}

/** Header → what somebody might put there. */
const ODD_HEADERS: Record<string, string[]> = {
  'x-app-version': ['', 'v', '9'.repeat(1_000), '4.5.0-beta', '99999999999999999999.0.0'],
  'idempotency-key': ['', ' ', '\u00e9', 'k'.repeat(256), 'k'.repeat(255)],
  'x-refresh-token': ['', 'x', 'DPoP', 'DPoP null', 'Bearer a.b.c', 'x'.repeat(3_000)],
  'dpop-key-binding': ['', 'x', '='.repeat(43), 'x'.repeat(3_000)],
  'x-cron-secret': ['', 'x', 'x'.repeat(1_000)],
  'if-none-match': ['*', '""', 'W/"x"', ','.repeat(1_000)],
  'x-forwarded-for': ['x', '::ffff:1.2.3.4%eth0', '1.2.3.4:80', '[::1]:80', ', , ', 'x,'.repeat(1_000), '__proto__'],
  'x-forwarded-host': ['evil.example', '\u00e9'],
  'accept-encoding': ['', '*;q=x', 'gzip;q=0, *;q=0', 'x,'.repeat(1_000)],
  origin: ['null', 'x', 'http://x\u00e9', 'x'.repeat(1_000)],
  cookie: ['x', 'a=%', '__proto__=1; constructor=2', 'a=b;'.repeat(500)],
  host: ['evil.example', 'x:99999', ''],
  range: ['bytes=99-1', 'x'],
  expect: ['200-ok'],
};

/** Those that decide about a request one by one, the others together. */
function oddHeaders(route: AnyRoute, right: Right): Attempt[] {
  const read = ['x-app-version', ...Object.keys(route.headers ?? {}), ...(route.idempotent ? ['idempotency-key'] : [])];
  const isRead = (name: string) => read.some((other) => other.toLowerCase() === name);
  const all = Object.entries(ODD_HEADERS);
  const single = all.flatMap(([name, values]) => (isRead(name) ? values.map((value) => [[name, value]]) : []));
  const ignored = all.filter(([name]) => !isRead(name));
  const together = [0, 1, 2, 3, 4, 5, 6].map((n) =>
    ignored.flatMap(([name, values]) => (n in values ? [[name, values[n]]] : [])),
  );
  const more: Headers[] = [
    { 'x-app-version': undefined },
    { 'x-app-version': undefined, accept: 'text/html' },
    { 'x-app-version': undefined, 'user-agent': undefined },
    { 'x-large': 'x'.repeat(12_000) },
    { 'x-too-large': 'x'.repeat(20_000) },
  ];
  return [...[...single, ...together].map((entries): Headers => Object.fromEntries(entries)), ...more].map(
    (headers) => {
      const what = Object.entries(headers).map(([name, value]) => `${name}: ${value?.slice(0, 20)}`);
      const attempt = plain(route, right, what.join(', '));
      return { ...attempt, headers: { ...attempt.headers, ...headers } };
    },
  );
}

/** Not signed in, or with something that is not one's own; where anybody may ask, nobody looks at it. */
function wrongCredentials(server: TestServer, route: AnyRoute, right: Right, actor: Actor, stranger: Actor): Attempt[] {
  const asked = `${route.method} ${server.url}${right.path}`;
  const { accessToken } = actor;
  const proof = (parts: ProofParts) => ({ dpop: makeProof(key, asked, { accessToken, ...parts }) });
  const token = (text: string) => ({ authorization: `DPoP ${text}` });
  const header = { jwk: { kty: 'EC', crv: 'P-256', x: 'x'.repeat(3_000), y: '' } };
  const forged = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${accessToken.split('.')[1]}.`;
  const junk = ['', 'x', 'a.b.c', '..', 'null', 'x'.repeat(7_000), `bnVsbA.e30.${'A'.repeat(86)}`];
  const guarded: Array<[string, Headers]> = [
    ['nothing', { authorization: undefined, dpop: undefined, 'x-refresh-token': undefined }],
    ['no token', { authorization: undefined }],
    ['the token as a bearer', { authorization: `Bearer ${accessToken}` }],
    ['the word null', token('null')],
    ['the refresh token', token(actor.refreshToken)],
    ["a stranger's token", token(stranger.accessToken)],
    ['a token with another end', token(`${accessToken.slice(0, -4)}AAAA`)],
    ['a token of no algorithm', token(forged)],
    ['a large token', token('x'.repeat(7_000))],
  ];
  const proven: Array<[string, Headers]> = [
    ['no proof', { dpop: undefined }],
    ['the proof of another key', { dpop: makeProof(proofKey(), asked, { accessToken }) }],
    ['a proof for another path', { dpop: makeProof(key, `${asked}x`, { accessToken }) }],
    ['a proof of lists', proof({ payload: { jti: [], htm: [], htu: {}, iat: [], ath: [] } })],
    ['a proof of a large key', proof({ header })],
    ['a proof with a NUL', proof({ payload: { jti: '\u0000', htm: '\u0000' } })],
    ['a changed proof', proof({ tamper: true })],
    ...junk.map((dpop): [string, Headers] => [`proof ${dpop.slice(0, 10)}`, { dpop }]),
  ];
  const refreshing: Array<[string, Headers]> = [
    ['no refresh token', { 'x-refresh-token': undefined }],
    ['the access token', { 'x-refresh-token': accessToken }],
    ["a stranger's token", { 'x-refresh-token': stranger.refreshToken }],
  ];
  const scheduling: Array<[string, Headers]> = [
    ['no secret', { 'x-cron-secret': undefined }],
    ['the empty secret', { 'x-cron-secret': undefined, authorization: 'Bearer ' }],
  ];
  const ignored: Headers[] = [{ authorization: 'DPoP null', dpop: 'x' }, token(stranger.accessToken), { dpop: '' }];
  const isRefresh = route.headers?.DPoP !== undefined && route.headers['X-Refresh-Token'] !== undefined;
  const refused = [
    ...(route.auth === 'user' ? [...guarded, ...proven] : []),
    // Who signs in may do it with any key.
    ...(route.headers?.DPoP ? proven.filter(([what]) => isRefresh || what !== 'the proof of another key') : []),
    ...(isRefresh ? refreshing : []),
    ...(route.headers?.['X-Cron-Secret'] ? scheduling : []),
  ];
  const anyway = route.auth === 'user' ? [] : ignored;
  return [
    ...refused.map(([what, headers]) => ({ ...plain(route, right, what), headers, refused: true, status: 401 })),
    ...anyway.map((headers) => ({ ...plain(route, right, 'credentials of no use'), headers })),
  ];
}

// ---------------------------------------------------------------------------
// The sweep
// ---------------------------------------------------------------------------

describe('every declared route', () => {
  const declared = routes.map((route): [string, AnyRoute] => [`${route.method} ${route.path}`, route]);

  it.for(declared)(
    '%s: refuses without a 5xx, a leak or a trace',
    async ([_name, route], { server, google, apple }) => {
      const [actor, stranger] = [await newActor(server), await newActor(server, proofKey())];
      const right = await rightParts(route, actor, { server, google, apple });
      const isDear = HASHES.includes(route.path);
      const cheap = route.path === '/api/users/create' ? { ...right, body: {} } : right;
      const fields = wrongFields(route, right).filter(({ refused }, n) => refused || !isDear || n % 3 === 0);
      const attempts = [
        ...wrongCredentials(server, route, cheap, actor, stranger),
        ...otherMethods(route, cheap),
        ...fields,
        ...wrongTypes(route, cheap),
        ...wrongBodies(route, cheap),
        ...wrongQueries(route, cheap),
        ...wrongPaths(route, cheap),
        ...oddHeaders(route, cheap),
      ];
      const [refused, others] = [
        attempts.filter((attempt) => attempt.refused),
        attempts.filter((attempt) => !attempt.refused),
      ];
      const people = ENDS_SESSION.includes(route.path) ? await newActors(server, others.length) : [];
      const actors = new Map(others.map((attempt, n) => [attempt, people[n] ?? actor]));
      const stage = STAGES[route.path];
      if (stage) await server.sql(stage, [[actor, ...people].map(({ id }) => id)]);
      await sweep(
        server,
        route,
        [...refused, ...others],
        signedBy(server, route, (attempt) => actors.get(attempt) ?? actor),
      );
    },
  );
});

it("a stranger reaches nothing of somebody else's", async ({ server, google, apple }) => {
  const [me, owner] = [await newActor(server), await newActor(server, proofKey())];
  const finished = BODIES['/api/workouts/finishworkout']?.(owner, { server, google, apple }) as Json;
  const named = { username: 'somebody', email: 'somebody@example.com', password: 'long enough' };
  const foreignLink = await link(server, RESET_LINK, { sub: owner.id, email: owner.email, fingerprint: 'x' });
  const tries: Array<[request: string, status: number, body?: Json | undefined, headers?: Headers]> = [
    [`PUT /api/messages/markasread/${owner.message}`, 404],
    [`DELETE /api/messages/delete/${owner.message}`, 404],
    ['POST /api/workouts/finishworkout', 400, finished],
    ['DELETE /api/users/deleteprofilepic', 403, { path: owner.picture }],
    ['POST /api/auth/logout', 403, {}, { 'x-refresh-token': owner.refreshToken }],
    ['POST /api/auth/refresh', 401, undefined, { 'x-refresh-token': owner.refreshToken }],
    ['PUT /api/users/update', 409, { username: owner.username.toUpperCase() }],
    ['PUT /api/users/updateself', 409, { email: owner.email.toUpperCase() }],
    ['POST /api/users/create', 400, { ...named, username: owner.username }],
    ['POST /api/users/create', 400, { ...named, email: owner.email }],
    ['POST /api/auth/login', 401, { identifier: owner.username, password: 'a guess' }],
    [`PUT /api/auth/resetpassword?token=${foreignLink}`, 400, { newPassword: 'long enough' }],
  ];
  for (const [name, status, body, headers = {}] of tries) {
    const [method = '', target = ''] = name.split(' ');
    const route = routes.find((other) => other.method === method && target.startsWith(other.path.replace(':id', '')));
    if (!route) throw new Error(`no route for ${name}`);
    const attempt = { what: "somebody else's", method, target, headers, status };
    await sweep(
      server,
      route,
      [body === undefined ? attempt : { ...attempt, body: jsonText(body) }],
      signedBy(server, route, () => me),
    );
  }
});

it.for(['h2c', 'websocket', 'x'])(
  'a request that offers to upgrade to %s is answered',
  async (protocol, { server }) => {
    for (const target of ['/', '/health', '/api/users/get', '/api/nothing']) {
      const socket = connect(Number(new URL(server.url).port));
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nX-App-Version: 4.5.0\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`,
      );
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect([target, answer.slice(0, 15)]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 [24]\d\d/)]);
    }
  },
);

describe('the check of answers', () => {
  const answer = (path: string, status: number, body: string, more: Partial<Parameters<typeof judge>[0]> = {}) => {
    const headers: Record<string, string> = {
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': 'x',
      'www-authenticate': 'DPoP',
    };
    const header = (name: string) => headers[name.toLowerCase()];
    return judge({ method: 'GET', path, status, header, body: Buffer.from(body), ...more });
  };
  const refusal = '{"success":false,"message":"No","code":"NO","requestId":"x"}';

  it('lets pass what the document declares', () => {
    expect(answer('/api/auth/checkuserverify', 200, '{"isVerified":true}')).toBeUndefined();
    expect(answer('/api/users/get', 401, refusal)).toBeUndefined();
    expect(answer('/api/messages/delete/some-id', 404, refusal, { method: 'DELETE' })).toBeUndefined();
    expect(answer('/api/nothing', 404, refusal)).toBeUndefined();
    expect(answer('/somewhere/else', 418, 'no JSON')).toBeUndefined();
  });

  it('finds a status, a body, a type and a header that are not declared', () => {
    expect(answer('/api/users/get', 418, refusal)).toBe('not declared');
    expect(answer('/api/nothing', 200, '{}')).toBe('no such route');
    expect(answer('/api/auth/checkuserverify', 200, '{"isVerified":"yes"}')).toContain('boolean');
    expect(answer('/api/auth/checkuserverify', 200, '{"isVerified":true,"password":"x"}')).toContain('additional');
    expect(answer('/api/users/get', 401, '{"success":false}')).toContain('required');
    expect(answer('/api/users/get', 401, '<p>No</p>')).toBe('no JSON');
    expect(answer('/api/users/get', 401, refusal, { header: () => undefined })).toContain('X-Request-Id');
    expect(answer('/api/auth/verify', 401, refusal)).toContain('application/json');
    expect(answer('/api/auth/forgotpassemail', 204, 'x', { method: 'POST' })).toContain('a body');
  });
});
