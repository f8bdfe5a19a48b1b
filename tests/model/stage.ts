import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hashSync } from '@node-rs/bcrypt';
import pg from 'pg';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { startExpo } from '../fakes/expo.ts';
import { startProvider } from '../fakes/identityProvider.ts';
import { startResend } from '../fakes/resend.ts';
import { startSupabase } from '../fakes/supabase.ts';
import { pictured } from '../helpers/pictured.ts';
import { startProcess } from '../helpers/process.ts';
import { proofKey } from '../helpers/proof.ts';
import { startTcpProxy } from '../helpers/tcpProxy.ts';
import { startRedis } from '../setup/redis.ts';
import { claimsOf, send } from './call.ts';
import { GRACE_SECONDS } from './calls/sessions.ts';
import { isObject } from './difference.ts';
import type { Catalogue, CatalogueEntry } from './views.ts';
import type { Span } from './world.ts';

// Where the stories are played: PostgreSQL, Redis, two API instances, a worker, a third instance without a cache,
// and fakes of everything outside. Each is a process of its own, so that it can be killed.

export interface MailLink {
  token: string;
  userId: string;
}

const EXERCISES = ['Bench Press', 'Bent Over Row', 'Back Squat', 'Bicycle Crunch', 'Deadlift'];

type Role = 'first' | 'second' | 'worker' | 'uncached';
/** The first instance delivers, too: what it has promised itself it delivers at once. */
const ROLES = { first: 'all', second: 'api', worker: 'worker', uncached: 'api' } as const;

interface Running {
  kill(signal: NodeJS.Signals): Promise<unknown>;
  /** How its connections are called in PostgreSQL. */
  application: string;
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Somebody who never acts: owner of what must never be reached. */
interface Statue {
  id: string;
  username: string;
  email: string;
  refreshToken: string;
  exerciseToSplit: number;
  messageId: string;
  /** All of its rows as text. */
  everything: string;
}

export async function openStage() {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-model-'));
  const ports = { redis: await freePort(), postgres: await freePort() };
  const startPostgres = () => startEmbeddedPostgres(folder, ['fsync=off'], ports.postgres);
  const [resend, expo, supabase, google, apple, postgres, firstRedis, redisProxy] = await Promise.all([
    startResend(),
    startExpo(),
    startSupabase(),
    startProvider('https://accounts.google.com', 'google-app'),
    startProvider('https://appleid.apple.com', 'apple-app'),
    startPostgres(),
    startRedis(ports.redis),
    startTcpProxy(ports.redis),
  ]);
  let redis = firstRedis;
  const superuserUrl = Object.assign(new URL(postgres.superuserUrl), { pathname: '/strong_together' }).href;
  const apiPorts: Record<Role, number> = {
    first: await freePort(),
    second: await freePort(),
    uncached: await freePort(),
    worker: 0,
  };
  const urlOf = (role: Role) => `http://127.0.0.1:${apiPorts[role]}`;
  const env = {
    DATA_DIR: folder,
    REDIS_URL: `redis://127.0.0.1:${redisProxy.port}`,
    PUBLIC_BASE_URL: urlOf('first'),
    ACCESS_TOKEN_TTL_SEC: '3600',
    REFRESH_GRACE_SEC: String(GRACE_SECONDS),
    RESEND_API_KEY: 're_test',
    RESEND_BASE_URL: resend.url,
    MAIL_MAX_PER_SEC: '100',
    EXPO_BASE_URL: expo.url,
    SUPABASE_URL: supabase.url,
    SUPABASE_SERVICE_ROLE: 'service-role',
    GOOGLE_JWKS_URL: google.url,
    APPLE_JWKS_URL: apple.url,
    GOOGLE_ALLOWED_AUDS: 'google-app',
    APPLE_ALLOWED_AUDS: 'apple-app',
  };
  let starts = 0;

  /** As a supervisor does it: again, while PostgreSQL or Redis is away. */
  async function start(role: Role): Promise<Running> {
    const application = `${role}-${starts++}`;
    const own = {
      DATABASE_URL: `${postgres.url}?application_name=${application}`,
      ...(role === 'worker' ? {} : { PORT: String(apiPorts[role]) }),
      ...(role === 'uncached' ? { CACHE_ENABLED: 'false' } : {}),
    };
    for (let tries = 0; ; tries++) {
      try {
        const { kill } = await startProcess(ROLES[role], { ...env, ...own });
        return { kill, application };
      } catch (error) {
        if (tries > 60) throw error;
        await pause(250);
      }
    }
  }

  // The first one migrates; the others would wait for it.
  const processes: Record<Role, Running> = { first: await start('first') } as Record<Role, Running>;
  const others = ['second', 'worker', 'uncached'] as const;
  await Promise.all(
    others.map(async (role) => {
      processes[role] = await start(role);
    }),
  );

  /** SQL as superuser, again while the server is away. */
  async function sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    for (let tries = 0; ; tries++) {
      const client = new pg.Client({ connectionString: superuserUrl });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query<Row>(text, values)).rows;
      } catch (error) {
        if (error instanceof pg.DatabaseError && !/^(57P|53|08)/.test(error.code ?? '')) throw error;
        if (tries > 100) throw error;
        await pause(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  const stored = await sql<CatalogueEntry>('select id::int, name, targetmuscle, specifictargetmuscle from exercises');
  const rows = stored.map((row) => ({
    ...row,
    specifictargetmuscle: pictured(row.targetmuscle, row.specifictargetmuscle),
  }));
  const catalogue: Catalogue = new Map(rows.map((row) => [row.id, row]));
  const exercises = EXERCISES.flatMap((name) => rows.find((row) => row.name === name)?.id ?? []);
  const statue = await makeStatue(urlOf('first'), sql);
  const readStatue = () => rowsOf(sql, statue.id);

  /** When PostgreSQL was away or losing connections: then a request may be refused. */
  const troubles: Array<{ from: number; to: number }> = [];

  const untilReady = async () => {
    for (const role of ['first', 'second', 'uncached'] as const) {
      for (let tries = 0; ; tries++) {
        const answer = await send(urlOf(role), { method: 'GET', path: '/health/ready' });
        if (typeof answer === 'object' && answer.status === 200) break;
        if (tries > 300) throw new Error(`${role} is not ready after 30 s`);
        await pause(100);
      }
    }
  };

  /** What a killed process had sent may still be committed: until PostgreSQL has closed its connections. */
  async function untilForgotten({ application }: Running): Promise<void> {
    for (let tries = 0; ; tries++) {
      const left = await sql('select 1 from pg_stat_activity where application_name = $1', [application]);
      if (left.length === 0) return;
      if (tries > 300) throw new Error(`PostgreSQL still serves ${application}`);
      await pause(20);
    }
  }

  /** Until both instances have done with requests whose clients hung up: several looks with their answers between. */
  async function untilQuiet(): Promise<void> {
    for (let quiet = 0, tries = 0; quiet < 3; tries++) {
      await Promise.all([urlOf('first'), urlOf('second')].map((url) => send(url, { method: 'GET', path: '/health' })));
      const busy = await sql(
        `select 1 from pg_stat_activity
         where (application_name like 'first-%' or application_name like 'second-%') and state <> 'idle'`,
      );
      quiet = busy.length === 0 ? quiet + 1 : 0;
      if (tries > 1_000) throw new Error('the instances are busy with nothing');
    }
  }

  async function troubled(work: () => Promise<void>): Promise<void> {
    const trouble = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    troubles.push(trouble);
    await work();
    await untilReady();
    trouble.to = Date.now();
  }

  /** Ends PostgreSQL: `SIGINT` tells its connections, `SIGQUIT` is a crash. */
  async function endPostgres(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const file = join(folder, 'postgres/cluster/postmaster.pid');
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    process.kill(pid, signal);
    for (;;) {
      try {
        process.kill(pid, 0);
      } catch {
        return;
      }
      await pause(20);
    }
  }

  /** Killed processes whose last words may not be written down yet. */
  const dying = new Set<Promise<void>>();

  async function restart(role: Role): Promise<void> {
    const old = processes[role];
    const end = old.kill('SIGKILL').then(() => untilForgotten(old));
    dying.add(end);
    await end;
    dying.delete(end);
    processes[role] = await start(role);
  }

  return {
    resend,
    expo,
    supabase,
    google,
    apple,
    catalogue,
    exercises,
    statue,
    readStatue,
    sql,
    troubled,
    endPostgres,
    startPostgres,
    restart,
    /** Until nothing more can come of requests that a killed process had taken. */
    untilDead: () => Promise.all(dying),
    untilReady,
    untilQuiet,
    redisProxy,
    publicUrl: urlOf('first'),
    instances: [urlOf('first'), urlOf('second')] as const,
    uncachedUrl: urlOf('uncached'),
    restartRedis: async (awayMs: number) => {
      await redis.stop();
      await pause(awayMs);
      redis = await startRedis(ports.redis);
    },
    wasTroubled: ([from, to]: Span) => troubles.some((trouble) => trouble.from <= to && from <= trouble.to),
    /** The links of delivered mails, oldest first; waits a moment where one is expected and none is there. */
    links: async (addresses: readonly string[], subject: string, isExpected: boolean): Promise<MailLink[]> => {
      for (let tries = 0; ; tries++) {
        const mails = [...resend.sent.values()].filter(
          (mail) => addresses.includes(mail.to) && mail.subject === subject,
        );
        if (mails.length > 0 || !isExpected || tries > 15) return mails.flatMap(({ text }) => linkIn(text) ?? []);
        await pause(20);
      }
    },
    close: async () => {
      for (const running of Object.values(processes)) await running.kill('SIGKILL');
      await redis.stop();
      await endPostgres('SIGQUIT').catch(() => undefined);
      await redisProxy.close();
      await Promise.all([resend, expo, supabase, google, apple].map((fake) => fake.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function linkIn(text: string): MailLink | undefined {
  const token = /token=([\w.-]+)/.exec(text)?.[1];
  return token ? { token, userId: String(claimsOf(token).sub) } : undefined;
}

type Sql = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;

async function rowsOf(sql: Sql, id: string): Promise<string> {
  const rows = await sql(
    `select u::text, p::text, s::text, ets::text, m::text
     from users u
     join workoutplans p on p.user_id = u.id
     join workoutsplits s on s.workout_id = p.id
     join exercisetoworkoutsplit ets on ets.workoutsplit_id = s.id
     join messages m on m.receiver_id = u.id
     where u.id = $1`,
    [id],
  );
  return JSON.stringify(rows);
}

async function makeStatue(url: string, sql: Sql): Promise<Statue> {
  const [username, email, password] = ['statue', 'statue@example.com', 'never says a word'];
  const [person] = await sql<{ id: string }>(
    'insert into users (username, email, name, password, is_verified) values ($1, $2, $3, $4, true) returning id',
    [username, email, 'Statue', hashSync(password, 4)],
  );
  const id = person?.id ?? '';
  const [row] = await sql<{ id: number }>(
    `with plan as (insert into workoutplans (user_id) values ($1) returning id),
     split as (insert into workoutsplits (workout_id, name) select id, 'A' from plan returning id)
     insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index)
     select split.id, 1, '{5}', 0 from split returning id::int`,
    [id],
  );
  const key = proofKey();
  const answer = await send(url, {
    method: 'POST',
    path: '/api/auth/login',
    headers: { 'dpop-key-binding': key.thumbprint },
    body: JSON.stringify({ identifier: username, password }),
  });
  const body = typeof answer === 'object' && isObject(answer.body) ? answer.body : {};
  const [message] = await sql<{ id: string }>('select id from messages where receiver_id = $1', [id]);
  return {
    id,
    username,
    email,
    refreshToken: String(body.refreshToken),
    exerciseToSplit: row?.id ?? 0,
    messageId: message?.id ?? '',
    everything: await rowsOf(sql, id),
  };
}
