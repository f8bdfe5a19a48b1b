// The schema changes under a running server, as it does when the next release starts beside it: no request fails.
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import { sql } from '#platform/postgres/query.ts';
import { newPhone } from './helpers/person.ts';
import { startTestServer, type TestServer, withServer } from './helpers/server.ts';

const it = withServer();
const DB = join(import.meta.dirname, '../db');
const READS = [
  '/api/exercises/getall',
  '/api/workouts/gettracking?tz=UTC',
  '/api/v1/exercises',
  '/api/v1/workouts',
  '/api/v1/me',
];

const SHOWN = sql<{ value: string }>('test.shown')`select s.value from test_shown s`;
const TABLE = sql<{ value: string }>('test.table')`select t.value from test_changed t`;
const WRITE = sql('test.write')`insert into test_written (word) values ($1)`;

/** A table, a view of it, and a table that is written, for everybody; with a database of one connection for each pool. */
async function prepared(server: TestServer) {
  onTestFinished(async () => void (await server.sql('drop table test_changed, test_written cascade')));
  await server.sql(`
    create table test_changed (value text);
    insert into test_changed values ('kept');
    create view test_shown as select value from test_changed;
    create table test_written (word text);
    grant all on test_changed, test_shown, test_written to public`);
  const db = openDatabase({
    url: server.databaseUrl,
    poolSize: 2,
    preparedStatements: true,
    log: buildLog('silent'),
  });
  onTestFinished(() => db.close());
  const session = { userId: (await newPhone(server)).id, epoch: 0 };
  return { db, session, written: () => server.sql('select word from test_written') };
}

/** Another type for the column: first varchar, then text again. */
async function changeTypes(server: TestServer): Promise<void> {
  const [{ type } = { type: '' }] = await server.sql<{ type: string }>(
    "select format_type(a.atttypid, null) as type from pg_attribute a where a.attrelid = 'test_changed'::regclass and a.attname = 'value'",
  );
  await server.sql(`
    begin;
    drop view test_shown;
    alter table test_changed alter column value type ${type === 'text' ? 'varchar(50)' : 'text'};
    create view test_shown as select value from test_changed;
    grant all on test_shown to public;
    commit`);
}

describe('a statement that was prepared before', () => {
  it.for(['read', 'write', 'late', 'service', 'serviceFor'] as const)(
    'is repeated with its transaction: %s',
    async (access, { server }) => {
      const { db, session, written } = await prepared(server);
      const calls: string[] = [];
      const isRead = access === 'read';
      const run = (word: string) => {
        const work = async (tx: Parameters<Parameters<typeof db.asService>[0]>[0]) => {
          calls.push(word);
          tx.afterCommit(() => calls.push(`after ${word}`));
          if (!isRead) await tx.rows(WRITE, [word]);
          return Promise.all([tx.one(SHOWN), tx.one(TABLE)]);
        };
        if (access === 'service') return db.asService(work);
        if (access === 'serviceFor') return db.asServiceFor(session.userId, work);
        return db.asUser(session, access, work);
      };
      const kept = [{ value: 'kept' }, { value: 'kept' }];
      expect(await run('one')).toEqual(kept);
      await changeTypes(server);
      expect(await run('two')).toEqual(kept);
      expect(await run('three')).toEqual(kept);
      expect(calls).toEqual(['one', 'after one', 'two', 'two', 'after two', 'three', 'after three']);
      expect(await written()).toEqual(isRead ? [] : [{ word: 'one' }, { word: 'two' }, { word: 'three' }]);
    },
  );

  it('is repeated where it runs without a transaction', async ({ server }) => {
    const { db } = await prepared(server);
    for (const _again of [1, 2, 3]) {
      expect(await db.queryUnscoped('test', SHOWN, [])).toEqual([{ value: 'kept' }]);
      await changeTypes(server);
    }
  });

  it('is repeated from the beginning of the transaction, where a step would have been undone alone', async ({
    server,
  }) => {
    const { db, session } = await prepared(server);
    const read = () =>
      db.asUser(session, 'read', async (tx) => {
        let found: unknown;
        const failure = await tx.savepoint(async () => {
          found = await tx.one(SHOWN);
        });
        return [failure, found];
      });
    expect(await read()).toEqual([undefined, { value: 'kept' }]);
    await changeTypes(server);
    expect(await read()).toEqual([undefined, { value: 'kept' }]);
  });

  it('is repeated where PostgreSQL does not know it any more', async ({ server }) => {
    const { db, session } = await prepared(server);
    const forget = sql('test.forget')`deallocate all`;
    await db.asService((tx) => tx.one(SHOWN));
    await db.asService((tx) => tx.rows(forget));
    expect(await db.asService((tx) => tx.one(SHOWN))).toEqual({ value: 'kept' });
    await db.asUser(session, 'write', (tx) => tx.rows(forget));
    expect(await db.asUser(session, 'write', (tx) => tx.one(SHOWN))).toEqual({ value: 'kept' });
  });

  it.for([
    ['cache lookup failed for function 4711', 'XX000', 2],
    ['deadlock detected', '40P01', 2],
    ['unexpected chunk size', 'XX000', 1],
    ['cached plan must not change result type', '0A000', 1], // said by somebody else than the plan cache
  ] as const)('met "%s" (%s): %i attempts', async ([message, code, attempts], { server }) => {
    const { db } = await prepared(server);
    await server.sql(`
      create sequence test_calls;
      create function test_meet() returns int language plpgsql as $$
      begin
        if nextval('test_calls') = 1 then
          raise exception using errcode = '${code}', message = '${message}';
        end if;
        return 1;
      end $$;
      grant all on sequence test_calls to public`);
    onTestFinished(async () => void (await server.sql('drop function test_meet; drop sequence test_calls')));
    let calls = 0;
    const meet = sql<{ met: number }>('test.meet')`select test_meet() as met`;
    const met = db.asService((tx) => {
      calls++;
      return tx.one(meet);
    });
    if (attempts === 1) await expect(met).rejects.toThrow(message);
    else expect(await met).toEqual({ met: 1 });
    expect(calls).toBe(attempts);
  });

  it('is not repeated for any other reason', async ({ server }) => {
    const { db, session } = await prepared(server);
    let calls = 0;
    const fail = sql('test.fail')`select 1 / 0`;
    const failing = db.asUser(session, 'write', (tx) => {
      calls++;
      return tx.rows(fail);
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(calls).toBe(1);
  });
});

/** A migration that gives other types to what the answers show. */
const otherTypes = (type: string, view: string | undefined) => `
  drop view v_log_workouts;
  alter table exercises alter column description type ${type};
  alter table log_workouts alter column title type ${type};
  create view v_log_workouts with (security_invoker = on) as ${view}
  grant select on v_log_workouts to authenticated, service;`;

it('no request fails while views, tables and functions change under load', async ({ server }) => {
  // Nothing comes from the cache: every answer needs its statements.
  const own = await startTestServer({ env: { CACHE_ENABLED: 'false' }, sharing: server });
  onTestFinished(() => own.close());
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-changed-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(DB, folder, { recursive: true });
  const phones = await Promise.all([1, 2, 3, 4].map(() => newPhone(own)));
  const statuses = new Map<string, number>();
  const parts = new Set<number>();
  let [isOver, rounds] = [false, 0];
  const load = phones.map(async (phone) => {
    let { accessToken, refreshToken } = await phone.tokens();
    const note = (what: string, { status }: Response) => {
      const key = `${what} ${status}`;
      statuses.set(key, (statuses.get(key) ?? 0) + 1);
    };
    for (let n = 1; !isOver; n++, rounds++) {
      for (const path of READS) note(path, await phone.get(path, accessToken));
      const bootstrap = await phone.get('/api/bootstrap/get?tz=UTC', accessToken);
      note('bootstrap', bootstrap);
      parts.add(Object.keys((await bootstrap.json()) as object).length);
      const record = { type: 'Run', durationMins: n % 600, durationSec: 0 };
      note('add', await phone.post('/api/aerobics/add', accessToken, { record, tz: 'UTC' }));
      const refreshed = await phone.refresh(refreshToken);
      note('refresh', refreshed);
      ({ accessToken, refreshToken } = (await refreshed.json()) as { accessToken: string; refreshToken: string });
    }
  });
  const [view] = await server.sql<{ text: string }>("select pg_get_viewdef('v_log_workouts'::regclass) as text");
  const another = async () => {
    const seen = rounds;
    await vi.waitUntil(() => rounds > seen + phones.length, { timeout: 20_000, interval: 5 });
  };
  try {
    for (const [n, type] of ['varchar(500)', 'text', 'varchar(500)', 'text'].entries()) {
      await another();
      await writeFile(join(folder, `migrations/090${n}_types.sql`), otherTypes(type, view?.text));
      await appendFile(join(folder, 'code/60_views.sql'), `\nselect 'another text';`);
      expect(await migrate({ url: server.databaseUrl, folder, systemUserId: own.config.SYSTEM_USER_ID })).toEqual([
        `090${n}_types.sql`,
        'code',
      ]);
    }
    await another();
  } finally {
    isOver = true;
    await Promise.all(load);
  }
  expect([...statuses.keys()].filter((key) => !/ 20[01]$/.test(key))).toEqual([]);
  expect(parts.size).toBe(1);
  // Nothing that was refused was seen by anybody, and it did happen.
  expect(own.logged.some((line) => line.includes('the schema has changed'))).toBe(true);
});
