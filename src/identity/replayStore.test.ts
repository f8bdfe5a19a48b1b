import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
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
