import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { withServer } from '#tests/helpers/server.ts';
import { buildReplayStore } from './replayStore.ts';

const it = withServer({ redis: false }).extend('db', { scope: 'file' }, ({ server }, { onCleanup }) => {
  const db = openDatabase({ url: server.databaseUrl, poolSize: 4, preparedStatements: true, log: buildLog('silent') });
  onCleanup(() => db.close());
  return db;
});

const proof = () => ({ thumbprint: 'a'.repeat(43), jti: randomUUID(), ath: undefined });

it('a request that tries again inside does not refuse itself; another request is refused', async ({ db }) => {
  const used = proof();
  // Two memories: the second knows nothing of the first but what the database says.
  const [one, two] = [await buildReplayStore(db, undefined), await buildReplayStore(db, undefined)];
  await one.accept(used, 'request-1');
  await one.accept(used, 'request-1');
  await two.accept(used, 'request-1');
  await expect(two.accept(used, 'request-2')).rejects.toMatchObject({ code: 'DPOP_PROOF_REPLAYED' });
  await expect(one.accept(used, 'request-2')).rejects.toMatchObject({ code: 'DPOP_PROOF_REPLAYED' });
});

it('a jti that no text column can hold is a jti like any other', async ({ db }) => {
  const used = { ...proof(), jti: 'a\u0000b' };
  const memory = await buildReplayStore(db, undefined);
  await memory.accept(used, 'request-1');
  await expect(memory.accept(used, 'request-2')).rejects.toMatchObject({ code: 'DPOP_PROOF_REPLAYED' });
});

it('after a start the database is asked, too, but for no longer than a proof can be valid', async ({ server, db }) => {
  await server.sql(`insert into seen_proofs (thumbprint, jti, request_id, expires_at)
    values ('of a clock that was wrong', 'j', 'r', now() + interval '1 day')`);
  await server.redis.connect();
  const memory = await buildReplayStore(db, server.redis);
  const isInDatabase = async () => (await server.sql("select from seen_proofs where request_id = 'late'")).length > 0;
  await memory.accept(proof(), 'late');
  expect(await isInDatabase()).toBe(true);
  await server.sql("delete from seen_proofs where request_id = 'late'");
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 181_000 });
  try {
    await memory.accept(proof(), 'late');
  } finally {
    vi.useRealTimers();
  }
  expect(await isInDatabase()).toBe(false);
});
