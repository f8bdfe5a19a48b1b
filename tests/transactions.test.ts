// Statements of one transaction may travel together: none of them gets rights or a connection that are not its own.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase, type Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import { newPhone } from './helpers/person.ts';
import { startTestServer, type TestServer } from './helpers/server.ts';

let server: TestServer;
let db: ReturnType<typeof openDatabase>;
let session: { userId: string; epoch: number };
beforeAll(async () => {
  server = await startTestServer();
  db = openDatabase({ url: server.databaseUrl, poolSize: 2, preparedStatements: true, log: buildLog('silent') });
  session = { userId: (await newPhone(server)).id, epoch: 0 };
  await newPhone(server);
});
afterAll(async () => {
  await db.close();
  await server.close();
});

const COUNT_PEOPLE = sql<{ n: number }>('test.countPeople')`select count(*) as n from users`;
const FAIL = sql('test.fail')`select 1 / 0`;
const WHO = sql<{ role: string }>('test.who')`select current_user as role`;

it('statements run in the order in which they were sent, with the rights of the person', async () => {
  const roles = await db.asUser(session, 'write', (tx) => Promise.all([tx.one(WHO), tx.one(COUNT_PEOPLE)]));
  expect(roles).toEqual([{ role: 'authenticated' }, { n: 1 }]);
});

it('a statement beside the work of the service is refused, not run with its rights', async () => {
  const both = db.asUser(session, 'read', async (tx) => {
    const service = tx.asService(async () => {
      const seen = await tx.one(COUNT_PEOPLE);
      await pause(20);
      return [seen.n > 1, (await tx.one(WHO)).role];
    });
    await pause(5);
    const beside = await tx.one(COUNT_PEOPLE).catch((error: Error) => error.message);
    return [await service, beside, await tx.one(WHO)];
  });
  expect(await both).toEqual([
    [true, 'service'],
    'test.countPeople would run with the rights of the service',
    { role: 'authenticated' },
  ]);
});

it('a statement that comes after the end is refused, because the connection may be somebody else’s', async () => {
  let late: Transaction | undefined;
  await db.asUser(session, 'read', async (tx) => {
    late = tx;
  });
  await expect(late?.one(WHO)).rejects.toThrow('test.who came after the end of its transaction');
  const refusal = Promise.withResolvers<Error>();
  const failing = db.asUser(session, 'write', (tx) =>
    Promise.all([tx.rows(FAIL), pause(50).then(() => tx.rows(WHO).then(() => undefined, refusal.resolve))]),
  );
  await expect(failing).rejects.toThrow('division by zero');
  expect((await refusal.promise).message).toBe('test.who came after the end of its transaction');
});

it('a step that fails undoes itself, also when its statements travel with those before it', async () => {
  const [before, failure, after] = await db.asUser(session, 'write', async (tx) => {
    const [role, failed] = await Promise.all([tx.one(WHO), tx.savepoint(async () => void (await tx.rows(FAIL)))]);
    return [role, failed, await tx.one(COUNT_PEOPLE)];
  });
  expect([before, String(failure), after]).toEqual([{ role: 'authenticated' }, 'error: division by zero', { n: 1 }]);
});

it('nothing is read or written in a session that has ended, though the statements travel with the question', async () => {
  const rename = sql('test.rename')`update users set name = 'Nobody'`;
  const ended = { ...session, epoch: 7 };
  await expect(db.asUser(ended, 'write', (tx) => tx.rows(rename))).rejects.toThrow('the session has ended');
  await expect(db.asUser(ended, 'read', (tx) => tx.one(COUNT_PEOPLE))).rejects.toThrow('the session has ended');
  expect(await server.sql("select from users where name = 'Nobody'")).toEqual([]);
});
